"""The state directory as one thing: ``open_state`` for the process that owns it, ``join_state`` for its workers."""

from __future__ import annotations

from pathlib import Path

from edx2lrs.io.state.database import Database, join, look, own
from edx2lrs.io.state.id_memory import knows
from edx2lrs.io.state.ledger import Ledger
from edx2lrs.io.state.messages import Messages
from edx2lrs.io.state.outbox import Outbox
from edx2lrs.io.state.pieces import Pieces
from edx2lrs.io.state.sent_again import DEAD_LETTERS, SentAgain
from edx2lrs.io.state.take_over import TakenOver, list_spools, take_over
from edx2lrs.io.state.taking_out import drop, hand_over
from edx2lrs.io.state.terms import made_under
from edx2lrs.io.state.unexported_letters import UnexportedLetters
from edx2lrs.io.state.waves import Kept, KeptWave, keep_wave, set_bounds
from edx2lrs.transforms.config_types import PayloadForm


class State:
    """An open state directory. A context manager; every part of it raises ``StateFault`` and may be used from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.folder = database.folder
        self.pieces = Pieces(database)
        self.messages = Messages(database)
        self.ledger = Ledger(database)
        self.outbox = Outbox(database)
        self.dead_letters = UnexportedLetters(database)
        self.sent_again = SentAgain(database)

    def keep_wave(self, wave: KeptWave) -> Kept:
        """Keep all that a wave brought, or nothing (``StaleWave``, ``StateFault``); on disk when it returns."""
        return keep_wave(self._database, wave)

    def take_over(self, letters: TakenOver) -> Kept:
        """The same for dead letters, which are to be sent again."""
        return take_over(self._database, letters)

    def rehearse(self) -> None:
        """From now on, statements and dead letters are counted and not kept. For a copy of a state directory alone."""
        with self._database.transaction("NORMAL") as transaction:
            for table in ("blocks", "dead_letters"):
                transaction.execute(f"DELETE FROM {table}")  # noqa: S608 - of ours
                drop = f"DELETE FROM {table} WHERE row = NEW.row"  # noqa: S608
                transaction.execute(f"CREATE TRIGGER rehearse_{table} AFTER INSERT ON {table} BEGIN {drop}; END")
            transaction.execute("DELETE FROM meta WHERE name = 'export_to'")
            transaction.execute("UPDATE sent_again SET marked = 1")

    def drop(self, consumer: str, held_only: bool) -> int:
        """Drop what waits for ``consumer``; gives how many statements."""
        return drop(self._database, consumer, held_only)

    def hand_over(self, consumer: str, to: str) -> int:
        """Give what waits for ``consumer`` to the consumer ``to``; gives how many statements."""
        return hand_over(self._database, consumer, to)

    def knows(self, consumer: str, identifier: bytes) -> bool:
        """Whether the statement with this id (16 bytes) was made for ``consumer``, is not dead, and is not forgotten."""
        numbers = self._database.rows("SELECT number FROM consumers WHERE name = ?", (consumer,))
        with self._database.reading() as connection:
            return any(knows(connection, number, identifier) for (number,) in numbers)

    def changed_for(self, consumer: str, today: str) -> list[tuple[str, ...]]:
        """What differs from the terms ``today`` in each of the terms under which something waits for ``consumer``."""
        return made_under(self._database, consumer, today)

    def list_spools(self) -> int:
        """Make the records that ``take_over`` has kept the input of this run; gives how many files of them there are."""
        return list_spools(self._database)

    @property
    def identity(self) -> str:
        """What tells this directory from all others."""
        return self._database.identity

    @property
    def dead_letters_folder(self) -> str:
        """Where dead letters go when the configuration names no other place."""
        return str(self.folder / DEAD_LETTERS)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_state(folder: Path, *, ids: int, statements: int, payload_form: PayloadForm = "full", create: bool = True) -> State:
    """Open ``folder`` as its only owner. ``ids``: how many statement ids are remembered; ``statements``: how many may wait for a
    consumer that is cut off; ``payload_form``: what dead letters hold of a record. All hold for the workers too. Raises
    ``StateInUse``, ``StateUnusable`` (exit code 2) or ``StateFault`` (3)."""
    database = own(folder, create)
    try:
        set_bounds(database, ids=ids, statements=statements, payload_form=payload_form)
    except BaseException:
        database.close()
        raise
    return State(database)


def look_at_state(folder: Path) -> State:
    """Open ``folder`` to read it, without a lock; nothing of it is changed. Raises ``StateUnusable`` or ``StateFault``."""
    return State(look(folder))


def own_state(folder: Path) -> State:
    """Open ``folder``, which has to be there, as its only owner, with the bounds that it has. Raises as ``open_state`` does."""
    return State(own(folder, create=False))


def join_state(folder: Path) -> State:
    """Open ``folder`` beside its owner, without a lock. Raises ``StateUnusable`` or ``StateFault``."""
    return State(join(folder))
