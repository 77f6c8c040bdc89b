"""Which dead letters somebody asks for: by consumer, cause, stage, event, time or id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from edx2lrs.io.dead_letters.letters import DeadLetter


@dataclass(frozen=True)
class LetterFilter:
    """Empty sets and None let every letter pass. ``statements`` are in small letters.
    ``positions``: places, or files. ``since`` is the first moment that passes, ``until`` the first moment after
    ``since`` that does not pass."""

    consumers: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    statements: frozenset[str] = frozenset()
    positions: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, letter: DeadLetter) -> bool:
        """Whether ``letter`` passes the whole filter."""
        found = (letter.consumer, letter.cause, letter.stage, letter.event_name, letter.id)
        asked = (self.consumers, self.causes, self.stages, self.events, self.ids)
        if any(wanted and one not in wanted for wanted, one in zip(asked, found, strict=True)):
            return False
        if self.statements and (letter.statement_id or "").lower() not in self.statements:
            return False
        if self.positions and not any(_is_at(letter.position, wanted) for wanted in self.positions):
            return False
        return not (self.since and letter.time < self.since) and not (self.until and letter.time >= self.until)


def _is_at(position: str, wanted: str) -> bool:
    """Whether it is the place that is wanted, or lies in the file that is wanted."""
    return position == wanted or position.startswith((f"{wanted}:", f"{wanted}@"))


EVERY_LETTER = LetterFilter()
