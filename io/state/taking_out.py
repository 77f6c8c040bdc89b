"""Takes statements that wait out of the outbox: they are dropped, or handed over to another consumer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from edx2lrs.io.state.batch import BlockSlice, PendingStatement
from edx2lrs.io.state.database import Database
from edx2lrs.io.state.id_memory import forget
from edx2lrs.io.state.ledger import count
from edx2lrs.io.state.outbox import waiting_of
from edx2lrs.io.state.seals import BLOCK_COLUMNS, BlockRow
from edx2lrs.io.state.terms import count_held
from edx2lrs.io.state.unexported_letters import add_letters
from edx2lrs.io.state.waves import KeptWave, keep_in
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure, Refusal, failed_statement
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.packing.blocks import Block, BlockStatement, pack

_DROPPED = Refusal("deliver", "dropped", "an operator dropped it while it waited")
_BLOCKS = 50  # in one transaction


def drop(database: Database, consumer: str, held_only: bool = False) -> int:
    """Drop what waits for ``consumer``, or of it what is held; gives how many statements. They are dead letters (``dropped``) without a
    payload. Their ids are forgotten: the same event, read again, makes them anew. Raises ``StateFault``."""
    dropped = 0
    while some := _take(database, consumer, held_only, None):
        dropped += some
    return dropped


def hand_over(database: Database, consumer: str, to: str) -> int:
    """Give what waits for ``consumer`` to the consumer ``to``, under the terms under which it was made; gives how many statements.
    They count as ``statements`` of ``to`` from now on, and of ``consumer`` no longer. Raises ``StateFault``."""
    handed = 0
    while some := _take(database, consumer, False, to):
        handed += some
    return handed


def _take(database: Database, consumer: str, held_only: bool, to: str | None) -> int:
    with database.transaction("FULL") as transaction:
        number, terms = transaction.execute("SELECT number, terms FROM consumers WHERE name = ?", (consumer,)).fetchone()
        rows = transaction.execute(
            f"SELECT terms, {BLOCK_COLUMNS} FROM blocks WHERE consumer = ? AND (NOT ? OR terms IS NOT ?) "  # noqa: S608 - columns
            "ORDER BY row LIMIT ?",
            (number, held_only, terms, _BLOCKS),
        ).fetchall()
        taken = 0
        for made_under, *columns in rows:
            block = BlockRow._make(columns)
            left = waiting_of(block)
            if to is not None:
                _keep_for(transaction, to, left, made_under, block.created)
            else:
                add_letters(transaction, [_dropped(consumer, each) for each in left.statements()])
            forget(transaction, number, left.id_list)
            transaction.execute("DELETE FROM blocks WHERE row = ?", (block.row,))
            taken += left.size
        transaction.execute("UPDATE consumers SET waiting = waiting - ? WHERE number = ?", (taken, number))
        count_held(transaction)
        gone = Counted(consumer, "dead_statements", "dropped")
        count(transaction, {gone: taken} if to is None else {Counted(consumer, "statements"): -taken})
        return taken


def _dropped(consumer: str, statement: PendingStatement) -> Failure:
    return failed_statement(_DROPPED, consumer, statement.id, *statement.origin, statement.body)


def _keep_for(transaction: sqlite3.Connection, consumer: str, left: BlockSlice, terms: int | None, created: float) -> None:
    row = transaction.execute("SELECT content FROM terms WHERE number = ?", (terms,)).fetchone()
    blocks = [_block(consumer, list(left.statements()))] if left.size else []
    keep_in(transaction, KeptWave([], blocks, [], {}, {consumer: row[0]} if row else {}), created)


def _block(consumer: str, statements: Sequence[PendingStatement]) -> Block:
    # the event is not available any more: its statement stands for the event
    return pack(consumer, [BlockStatement(each.id, each.body, hash8(each.body), each.origin) for each in statements])
