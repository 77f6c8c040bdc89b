"""What became of one statement, by its id, as far as a state directory knows it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edx2lrs.io.dead_letters.letters import DeadLetter
from edx2lrs.io.state.state import State, look_at_state
from edx2lrs.pipeline.app.dead_letters import letters_at, without_content
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.counters import Counted

Became = Literal["delivered", "settled", "waits", "held", "dead", "sent again", "never made"]


@dataclass(frozen=True)
class StatementFate:
    """What the statement became for one consumer. ``settled``: delivered, stored before or in conflict; the state directory counts
    these, and does not note which is which. ``letter``: of a dead one, without its content."""

    consumer: str
    became: Became
    position: str | None = None
    letter: DeadLetter | None = None


def statement_fate(state_directory: str, statement_id: str, consumer: str | None = None) -> list[StatementFate]:
    """For each consumer of the state directory, or for ``consumer``. Raises ``OptionError``, ``StateError``."""
    try:
        identifier = uuid.UUID(statement_id)
    except ValueError:
        raise OptionError(f"{statement_id}: expected FILE:LINE, or the id of a statement (a UUID)") from None
    letters: dict[str, tuple[DeadLetter, bool]] = {}

    def note(letter: DeadLetter, sent_again: bool) -> None:
        if letter.consumer and (letter.statement_id or "").lower() == str(identifier):
            letters[letter.consumer] = letter, sent_again

    def note_sent(letter: DeadLetter) -> None:
        note(letter, True)

    for found in letters_at(state_directory, lambda _: None, note_sent):
        note(found.letter, False)
    with look_at_state(Path(state_directory)) as state:
        names = list(state.outbox.waiting_counts())
        if consumer is not None and consumer not in names:
            raise OptionError(f"--consumer {consumer}: not in the state directory; its consumers are {', '.join(names) or 'none'}")
        return list(_fates(state, identifier, letters, [consumer] if consumer else names))


def _fates(
    state: State, identifier: uuid.UUID, letters: dict[str, tuple[DeadLetter, bool]], consumers: list[str]
) -> Iterator[StatementFate]:
    totals = state.ledger.totals()
    for name in consumers:
        place = state.outbox.place_of(name, identifier.bytes)
        letter, sent_again = letters.get(name, (None, False))
        if place is not None and place.waits:
            yield StatementFate(name, "held" if place.is_held else "waits", place.position)
        elif letter is not None and not sent_again:
            yield StatementFate(name, "dead", letter.position, without_content(letter))
        elif place is not None or state.knows(name, identifier.bytes):
            others = totals.get(Counted(name, "already_stored"), 0) + totals.get(Counted(name, "conflicts"), 0)
            yield StatementFate(name, "settled" if others else "delivered", place.position if place else None)
        elif letter is not None:
            yield StatementFate(name, "sent again", letter.position, without_content(letter))
        else:
            yield StatementFate(name, "never made")
