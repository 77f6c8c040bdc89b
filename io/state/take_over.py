"""Takes dead letters over to send them again: statements into the outbox, records into a spool that workers read.

One transaction keeps the statements and records, and notes that the letters are taken over. So a letter is taken over as a whole,
or still has to be taken over."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edx2lrs.io.dead_letters.letters import DeadLetter, PlacedLetter
from edx2lrs.io.paths import write_bytes
from edx2lrs.io.state.database import Database
from edx2lrs.io.state.errors import named_faults
from edx2lrs.io.state.sent_again import note, own_letters
from edx2lrs.io.state.waves import Kept, KeptWave, keep_in
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.packing.blocks import STATEMENTS_IN_A_BLOCK, Block, BlockStatement, Origin, pack

_FOLDER = "replay"
_SUFFIX = ".letters"  # for a person who looks into the folder


class TakenOver(NamedTuple):
    """What one transaction keeps. ``records`` stand in ``lines``, one line each."""

    statements: Sequence[PlacedLetter]
    records: Sequence[PlacedLetter]
    lines: Sequence[bytes]


def take_over(database: Database, letters: TakenOver) -> Kept:
    """Keep ``letters``, on disk (fsync) when it returns; gives what became of the statements.

    Counts as a wave does; also ``replayed``, for consumers and for records. Only for the owner of the state. Raises ``StateFault``."""
    content = b"".join(letters.lines)
    spool = _write_spool(database, content) if content else None
    statements = [found.letter for found in letters.statements]
    tally = Counter(Counted(letter.consumer or "", "replayed") for letter in statements)
    own = own_letters(database)
    found_at = [each._replace(folder="" if each.folder == own else each.folder) for each in (*letters.statements, *letters.records)]
    tally[Counted("", "replayed")] += len(letters.records)
    with database.transaction("FULL") as transaction:
        note(transaction, found_at)
        if spool is not None:
            _add_piece(transaction, spool, content)
        return keep_in(transaction, KeptWave([], list(_blocks(statements)), [], tally), time.time())


def _blocks(letters: Sequence[DeadLetter]) -> Iterator[Block]:
    by_consumer: dict[str, list[BlockStatement]] = defaultdict(list)
    for letter in letters:
        assert letter.consumer is not None
        assert letter.statement_id is not None
        origin = Origin(letter.position, letter.event_name)
        # the event is not available any more: its statement stands for the event
        statement = BlockStatement(uuid.UUID(letter.statement_id).bytes, letter.payload, hash8(letter.payload), origin)
        by_consumer[letter.consumer].append(statement)
    for consumer, statements in by_consumer.items():
        for at in range(0, len(statements), STATEMENTS_IN_A_BLOCK):
            yield pack(consumer, statements[at : at + STATEMENTS_IN_A_BLOCK])


def _write_spool(database: Database, content: bytes) -> Path:
    """Writes the spool. If the transaction of a spool failed, the next spool replaces the file."""
    number = int(database.rows("SELECT coalesce(max(value), 0) FROM meta WHERE name = 'spool'")[0][0]) + 1
    path = database.folder.absolute() / _FOLDER / f"{number:010d}{_SUFFIX}"
    with named_faults(database.folder):
        write_bytes(str(path), content, private=True)
    return path


def _add_piece(transaction: sqlite3.Connection, path: Path, content: bytes) -> None:
    digest = hashlib.sha256(content[:1024]).hexdigest()
    transaction.execute(
        "INSERT INTO pieces (file, start, kind, head_length, head_sha256, size, offset, lines, done, attempts, stored) "
        "VALUES (?, 0, 'letters', ?, ?, ?, 0, 0, 0, 0, 0)",
        (str(path), min(len(content), 1024), digest, len(content)),
    )
    transaction.execute("INSERT OR REPLACE INTO meta VALUES ('spool', ?)", (int(path.stem),))


def list_spools(database: Database) -> int:
    """Make the spools that are not read to their end the input of this run; gives how many there are. Removes the others."""
    with database.transaction("NORMAL") as transaction:
        transaction.execute("UPDATE pieces SET listed = NULL, claimed_by = NULL")
        spools = transaction.execute("SELECT file, done FROM pieces WHERE kind = 'letters' ORDER BY file").fetchall()
        read = [Path(file).name for file, done in spools if done]
        transaction.execute("DELETE FROM pieces WHERE kind = 'letters' AND done")
        for index, file in enumerate(file for file, done in spools if not done):
            here = str(database.folder.absolute() / _FOLDER / Path(file).name)  # the directory may have been moved
            transaction.execute("UPDATE pieces SET file = ?, listed = ? WHERE file = ? AND start = 0", (here, index, file))
    for name in read:
        (database.folder / _FOLDER / name).unlink(missing_ok=True)
    return len(spools) - len(read)
