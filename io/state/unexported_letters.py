"""Dead letters in the state database, until the letters are in files. Each letter reaches exactly one file, also if the process is
killed at any moment."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from edx2lrs.io.dead_letters.letters import DeadLetter, dead_letter, now, write_file
from edx2lrs.io.state.database import Database
from edx2lrs.io.state.errors import DAMAGED, DeadLettersFault, StateError, StateFault
from edx2lrs.io.state.seals import seal, unsealed
from edx2lrs.io.state.sent_again import counted_on
from edx2lrs.transforms.failure import Failure

_LETTERS_PER_FILE = 10_000
_ROWS_AT_ONCE = 50

_DAMAGED_LETTER = "the dead letter was damaged on the disk of the state directory; look at the disk"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(DeadLetter).decode


class UnexportedLetters:
    """The table of dead letters that are in no file yet. Raises ``StateFault``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM dead_letters")[0][0])

    def read(self) -> Iterator[DeadLetter]:
        """Them all, oldest first."""
        return self._between(0, None)

    def export(self, folder: str) -> list[str]:
        """Move them all to Avro files in ``folder`` (local, or any Beam file system); gives the files' paths. Raises also
        ``DeadLettersFault`` when ``folder`` cannot be written; the letters then stay here."""
        paths = []
        while (span := self._next_span()) is not None:
            first, last = span
            # with the content: a copy of this state directory may write other letters of the same rows there
            name = f"dead-letters-{self._database.identity[:8]}-{first:010d}-{last:010d}-{self._digest(first, last)}.avro"
            paths.append(self._write(folder, name, first, last))
            with self._database.transaction("FULL") as transaction:
                transaction.execute("DELETE FROM dead_letters WHERE row <= ?", (last,))
                transaction.execute("DELETE FROM meta WHERE name = 'export_to'")
        return paths

    def _write(self, folder: str, name: str, first: int, last: int) -> str:
        try:
            return write_file(folder, name, self._between(first, last))
        except StateError:
            raise
        except Exception as error:  # Beam's file systems raise what their clients raise
            raise DeadLettersFault(
                f"dead letters folder {folder}: cannot be written ({type(error).__name__}: {error}); they stay in "
                f"the state directory {self._database.folder}; make the folder writable and run again"
            ) from error

    def _next_span(self) -> tuple[int, int] | None:
        """The first and the last row of the next file, on disk before it is written: an export that was cut off writes that file again,
        never a second one with some of the same letters."""
        with self._database.transaction("FULL") as transaction:
            rows = transaction.execute("SELECT row FROM dead_letters ORDER BY row LIMIT ?", (_LETTERS_PER_FILE,)).fetchall()
            if not rows:
                return None
            pending = transaction.execute("SELECT value FROM meta WHERE name = 'export_to'").fetchone()
            last = int(pending[0]) if pending else int(rows[-1][0])
            transaction.execute("INSERT OR REPLACE INTO meta VALUES ('export_to', ?)", (last,))
            return int(rows[0][0]), last

    def _digest(self, first: int, last: int) -> str:
        digest = hashlib.sha256()
        for letter in self._packed(first, last):
            digest.update(letter)
        return digest.hexdigest()[:8]

    def _between(self, first: int, last: int | None) -> Iterator[DeadLetter]:
        return map(_decode, self._packed(first, last))

    def _packed(self, first: int, last: int | None) -> Iterator[bytes]:
        after = first - 1
        while rows := self._database.rows(
            "SELECT row, letter FROM dead_letters WHERE row > ? AND row <= ? ORDER BY row LIMIT ?",
            (after, 2**62 if last is None else last, _ROWS_AT_ONCE),
        ):
            for after, sealed in rows:  # noqa: B007 - the last one is where the next rows start
                letter = unsealed(sealed)
                if letter is None:  # since the run began, which has looked at all
                    raise StateFault(f"state directory {self._database.folder}: {DAMAGED}")
                yield letter


def add_letters(transaction: sqlite3.Connection, failures: Sequence[Failure]) -> None:
    """Insert the dead letters of ``failures`` inside ``transaction``, with what the state's owner lets them hold of a payload."""
    if not failures:
        return
    rows = transaction.execute("SELECT name, value FROM meta WHERE name IN ('job_name', 'payload_form')").fetchall()
    meta, when = dict(rows), now()
    job_name, form = meta.get("job_name", ""), meta.get("payload_form", "full")
    consumers = transaction.execute("SELECT name, content FROM consumers JOIN terms ON terms.number = consumers.terms").fetchall()
    terms = {("statement", name): content for name, content in consumers}
    letters = [
        dead_letter(each, job_name, when, "none" if _is_lost(each) else form, terms.get((each.payload_kind, each.consumer or "")))
        for each in failures
    ]
    sealed = [(seal(_encode(letter)),) for letter in counted_on(transaction, letters)]
    transaction.executemany("INSERT INTO dead_letters (letter) VALUES (?)", sealed)


def _is_lost(failure: Failure) -> bool:
    """Whether the payload was damaged on the disk, so that nothing of it can be sent again; or whether an operator dropped it."""
    return failure.cause == "dropped" or (failure.cause == "damaged" and not failure.payload)


def replace_damaged_letters(transaction: sqlite3.Connection) -> list[str]:
    """Put letters without a payload (``damaged``) in place of those that cannot be read; gives a sentence of them, if there are any."""
    rows = transaction.execute("SELECT row, letter FROM dead_letters")
    damaged = [row for row, sealed in rows if unsealed(sealed) is None]
    for row in damaged:
        failure = Failure("deliver", "damaged", _DAMAGED_LETTER, f"state.db, dead letter {row}", b"")
        letter = dead_letter(failure, "", now(), "none")
        transaction.execute("UPDATE dead_letters SET letter = ? WHERE row = ?", (seal(_encode(letter)), row))
    return [f"{len(damaged)} dead letters were damaged on the disk; look at the disk"] if damaged else []
