"""The dead letters that this state has taken over to send again, until a mark beside the letters names them.

A letter is identified by its id and its time. A record that fails again makes a newer letter with the same id, and the newer letter
can be taken over too."""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from edx2lrs.io.dead_letters import marks as dead_letter_marks
from edx2lrs.io.dead_letters.letters import DeadLetter, PlacedLetter
from edx2lrs.io.dead_letters.marks import Mark
from edx2lrs.io.paths import write_bytes
from edx2lrs.io.state.database import Database

DEAD_LETTERS = "dead-letters"  # in the state directory
_AT_ONCE = 500
_MARKS_PER_FILE = 10_000


class SentAgain:
    """The table of letters that were taken over. Raises ``StateFault``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, letters: Sequence[DeadLetter]) -> set[str]:
        """The ids of those ``letters`` that were taken over with the same time."""
        times = {letter.id: letter.time for letter in letters}
        ids = [id_of(letter) for letter in letters]
        found: set[str] = set()
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            for letter, time in self._database.rows(
                f"SELECT letter, time FROM sent_again WHERE letter IN ({','.join('?' * len(some))})",  # noqa: S608 - marks
                some,
            ):
                text = str(uuid.UUID(bytes=letter))
                if milliseconds(times[text]) <= time:
                    found.add(text)
        return found

    def write_marks(self) -> list[str]:
        """Write the marks of all that is settled, beside their letters; gives the files' paths. To be called when the letters of
        what failed again are in files. Raises also ``OSError``; the rest is then written another time.

        Settled is a record that was read again, and a statement whose consumer has nothing left that waits."""
        paths: list[str] = []
        while rows := self._settled():
            folder = rows[0][1] or own_letters(self._database)
            content = dead_letter_marks.lines([Mark(letter, _moment(time)) for _, _, letter, time in rows])
            # by its content: a copy of this state directory may write marks there too
            path = f"{folder.rstrip('/')}/{dead_letter_marks.PREFIX}{hashlib.sha256(content).hexdigest()[:24]}.jsonl"
            write_bytes(path, content, private=True)
            with self._database.transaction("NORMAL") as transaction:
                transaction.executemany("UPDATE sent_again SET marked = 1 WHERE row = ?", [row[:1] for row in rows])
            paths.append(path)
        return paths

    def unmarked(self) -> int:
        """The number of letters without a mark: statements of these letters still wait."""
        return int(self._database.rows("SELECT count(*) FROM sent_again WHERE NOT marked")[0][0])

    def _settled(self) -> list[tuple[Any, ...]]:
        """Row, folder, letter and time of some letters of one folder that are settled and have no mark yet."""
        return self._database.rows(
            "WITH settled AS (SELECT row, folder, letter, time FROM sent_again WHERE NOT marked AND CASE "
            "WHEN consumer IS NULL THEN NOT EXISTS (SELECT 1 FROM consumers WHERE waiting > 0) "
            "ELSE NOT EXISTS (SELECT 1 FROM consumers WHERE name = consumer AND waiting > 0) END "
            "AND NOT EXISTS (SELECT 1 FROM pieces WHERE kind = 'letters' AND NOT done)) "
            "SELECT * FROM settled WHERE folder = (SELECT min(folder) FROM settled) ORDER BY row LIMIT ?",
            (_MARKS_PER_FILE,),
        )


def own_letters(database: Database) -> str:
    """The folder of the dead letters of this state directory, absolute."""
    return str(database.folder.absolute() / DEAD_LETTERS)


def note(transaction: sqlite3.Connection, letters: Iterable[PlacedLetter]) -> None:
    """Note inside ``transaction`` that the transaction takes over ``letters``; "" is the state directory's own folder."""
    transaction.executemany(
        "INSERT INTO sent_again (letter, time, attempts, consumer, folder, marked) VALUES (?, ?, ?, ?, ?, 0) "
        "ON CONFLICT (letter) DO UPDATE "
        "SET time = excluded.time, attempts = excluded.attempts, folder = excluded.folder, marked = 0",
        [(id_of(letter), milliseconds(letter.time), letter.attempts, letter.consumer, folder) for letter, folder in letters],
    )


def counted_on(transaction: sqlite3.Connection, letters: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
    """``letters`` with the attempts of those from before that failed again, and newer than these."""
    if transaction.execute("SELECT 1 FROM sent_again LIMIT 1").fetchone() is None:
        return letters
    return [_after(transaction, letter) for letter in letters]


def _after(transaction: sqlite3.Connection, letter: DeadLetter) -> DeadLetter:
    before = transaction.execute("SELECT time, attempts FROM sent_again WHERE letter = ?", (id_of(letter),)).fetchone()
    if before is None:
        return letter
    time = max(letter.time, _moment(before[0] + 1))  # also on a machine whose clock is behind
    return msgspec.structs.replace(letter, time=time, attempts=before[1] + max(1, letter.attempts))


def id_of(letter: DeadLetter) -> bytes:
    """16 bytes of its id."""
    return uuid.UUID(letter.id).bytes


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def milliseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(time: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=time)
