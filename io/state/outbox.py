"""The outbox: statements that wait until their consumer has taken them, in blocks, oldest first."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from edx2lrs.io.state.batch import BlockSlice
from edx2lrs.io.state.damaged_blocks import set_apart
from edx2lrs.io.state.database import Database
from edx2lrs.io.state.id_memory import forget
from edx2lrs.io.state.ledger import count
from edx2lrs.io.state.seals import BLOCK_COLUMNS, BlockRow, seal, unsealed
from edx2lrs.io.state.terms import HeldStatements, count_held, held
from edx2lrs.io.state.unexported_letters import add_letters
from edx2lrs.transforms.counters import Counted, Key
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.packing.blocks import ID_BYTES, Origin, at_indexes, unpack_bodies, unpack_origin_lines

_LOG = logging.getLogger("edx2lrs.state")

_REASON = "cut off: "  # and a consumer's name: in the table of single values
StatementOutcome = Literal["delivered", "already_stored", "conflicts", "dead_statements"]
"""As the ledger counts it."""


class StoredBlock(NamedTuple):
    """What still waits of a block, and the wall time (seconds since 1970) at which it was kept."""

    created: float
    waiting: BlockSlice


class Place(NamedTuple):
    """Of a statement in the outbox: where its event was read, whether it waits still, and whether it is held."""

    position: str
    waits: bool
    is_held: bool


class Settlement(NamedTuple):
    """What became of statements of one block, by their indexes. ``failure``: only of ``dead_statements``, which is of one alone."""

    row: int
    indexes: Sequence[int]
    outcome: StatementOutcome
    failure: Failure | None = None

    def counted(self, consumer: str) -> Counted:
        if self.outcome == "dead_statements":
            assert self.failure is not None, "a dead statement needs its failure"
            assert len(self.indexes) == 1, "a dead statement needs a settlement of its own"
        return Counted(consumer, self.outcome, self.failure.cause if self.failure else "")


def statements_in(settlements: Iterable[Settlement]) -> int:
    return sum(len(settlement.indexes) for settlement in settlements)


class Outbox:
    """What the senders see. Every method may be called from any thread and raises ``StateFault``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.damage: list[str] = []
        """What was found damaged on the disk since the directory was opened, a sentence each."""

    def waiting_blocks(self, consumer: str, after: int = 0, limit: int = 10) -> list[StoredBlock]:
        """Up to ``limit`` blocks of ``consumer`` with a row above ``after``, oldest first, without those that are held. Damaged blocks
        are set apart."""
        query = (
            f"SELECT {BLOCK_COLUMNS} FROM blocks "  # noqa: S608 - names of columns alone
            "WHERE consumer = (SELECT number FROM consumers WHERE name = ?1) "
            "AND terms IS (SELECT terms FROM consumers WHERE name = ?1) AND row > ?2 ORDER BY row LIMIT ?3"
        )
        blocks = self._blocks(query, consumer, after, limit)
        while any(block.damaged_parts() for block in blocks):
            self.set_damaged_apart()
            blocks = self._blocks(query, consumer, after, limit)
        return [StoredBlock(block.created, waiting_of(block)) for block in blocks]

    def set_damaged_apart(self) -> None:
        """Make dead letters (``damaged``) of what was damaged on the disk; what was found is added to ``damage``."""
        with self._database.transaction("FULL") as transaction:
            found = set_apart(transaction)
            count_held(transaction)
        for sentence in found:
            self.damage.append(f"state directory {self._database.folder}: {sentence}")
            _LOG.warning(self.damage[-1])

    def _blocks(self, query: str, *arguments: object) -> list[BlockRow]:
        return [BlockRow._make(row) for row in self._database.rows(query, arguments)]

    def waiting(self, consumer: str) -> int:
        """How many statements wait for ``consumer``; a counter, not a count."""
        rows = self._database.rows("SELECT waiting FROM consumers WHERE name = ?", (consumer,))
        return int(rows[0][0]) if rows else 0

    def waiting_counts(self) -> dict[str, int]:
        """How many statements wait, for every consumer that this state has ever had."""
        return dict(self._database.rows("SELECT name, waiting FROM consumers ORDER BY number"))

    def sendable_counts(self) -> dict[str, int]:
        """The same without what is held (``io.state.terms``)."""
        return dict(self._database.rows("SELECT name, waiting - held FROM consumers ORDER BY number"))

    def held(self, terms: Mapping[str, str] | None = None) -> list[HeldStatements]:
        """What waits, and is not sent; with ``terms``, what would be held if these were those of the consumers."""
        return held(self._database, terms)

    def place_of(self, consumer: str, identifier: bytes) -> Place | None:
        """Where the statement with this id (16 bytes) is in the outbox; None: in no block."""
        rows = self._database.rows(
            "SELECT settled, ids, positions, terms IS NOT (SELECT terms FROM consumers WHERE name = ?1) FROM blocks "
            "WHERE consumer = (SELECT number FROM consumers WHERE name = ?1) AND instr(ids, ?2)",
            (consumer, identifier),
        )
        for settled, ids, positions, is_held in rows:
            done = int.from_bytes(unsealed(settled) or b"", "little")
            index = next((at for at in range(len(ids) // ID_BYTES) if at_indexes(ids, [at]) == identifier), None)
            if index is not None:
                return Place(Origin.of_line(unpack_origin_lines(positions)[index]).position, not done >> index & 1, bool(is_held))
        return None

    def has_room(self, consumers: Iterable[str], bound: int) -> bool:
        """Whether none of ``consumers`` that is up has ``bound`` statements waiting."""
        waiting, cut_off = self.waiting_counts(), self.open_circuits()
        held = dict(self._database.rows("SELECT name, held FROM consumers WHERE held > 0"))
        return all(name in cut_off or waiting.get(name, 0) - held.get(name, 0) < bound for name in consumers)

    def oldest(self) -> dict[str, float]:
        """Of every consumer that has something waiting, the wall time (seconds since 1970) of the oldest."""
        rows = self._database.rows(
            "SELECT name, (SELECT created FROM blocks WHERE consumer = consumers.number ORDER BY row LIMIT 1) "
            "FROM consumers WHERE waiting > 0"
        )
        return {name: created for name, created in rows if created is not None}

    def has_accepted(self, consumer: str) -> bool:
        """Whether ``consumer`` has ever taken a statement of this state."""
        query = "SELECT 1 FROM ledger WHERE consumer = ? AND key IN ('delivered', 'already_stored') LIMIT 1"
        return bool(self._database.rows(query, (consumer,)))

    def changes(self) -> int:
        """A number that differs from the last one when anything in the state has changed in between; takes a few microseconds. Raises
        also ``StateGone``."""
        self._database.check_in_place()
        return int(self._database.rows("PRAGMA data_version")[0][0])

    def flag_circuit(self, consumer: str, is_open: bool, reason: str = "") -> None:
        """Say whether ``consumer`` is cut off, and why: at its bound it then overflows to dead letters (cause ``outage``)."""
        with self._database.transaction("NORMAL") as transaction:
            transaction.execute("UPDATE consumers SET circuit_open = ? WHERE name = ?", (is_open, consumer))
            transaction.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"{_REASON}{consumer}", reason))

    def reasons(self) -> dict[str, str]:
        """Of every consumer that is cut off, why; "" where nobody has noted it."""
        noted = dict(self._database.rows("SELECT name, value FROM meta WHERE name LIKE ? || '%'", (_REASON,)))
        return {name: str(noted.get(f"{_REASON}{name}", "")) for name in sorted(self.open_circuits())}

    def open_circuits(self) -> frozenset[str]:
        return frozenset(name for (name,) in self._database.rows("SELECT name FROM consumers WHERE circuit_open"))

    def settle(self, consumer: str, settlements: Sequence[Settlement], increments: Mapping[Key, int]) -> int:
        """Settle statements of ``consumer`` in one transaction; gives how many were settled by it. Counts the outcomes in the ledger,
        and ``increments`` (``requests``, ``retries``) with them. What is settled already, or in no block, is passed over: a settlement
        may come twice. A dead statement becomes a dead letter, and its id is forgotten: a replay is no duplicate."""
        # Without fsync: after a power cut a settlement may be lost, and its statement is sent again with the same id; its dead letter
        # is lost in the same transaction. It never is the other way round, for what is kept is on disk before it is read.
        by_row: dict[int, list[Settlement]] = defaultdict(list)
        for settlement in settlements:
            by_row[settlement.row].append(settlement)
        with self._database.transaction("NORMAL") as transaction:
            number, terms, any_held = _consumer(transaction, consumer)
            settled: Counter[Counted] = Counter()
            dead: list[tuple[bytes, Failure]] = []
            held_back = 0  # by terms that changed while the request was under way
            for row, of_block in by_row.items():
                is_held = any_held and _is_held(transaction, row, number, terms)
                for settlement, new, identifier in _settle_block(transaction, row, number, of_block):
                    settled[settlement.counted(consumer)] += new
                    held_back += new if is_held else 0
                    if settlement.failure is not None:
                        dead.append((identifier, settlement.failure))
            forget(transaction, number, [identifier for identifier, _ in dead])
            add_letters(transaction, [failure for _, failure in dead])
            change = (settled.total(), held_back, number)
            transaction.execute("UPDATE consumers SET waiting = waiting - ?, held = held - ? WHERE number = ?", change)
            count(transaction, settled + Counter({Counted(consumer, key): n for key, n in increments.items()}))
            return settled.total()


def waiting_of(block: BlockRow) -> BlockSlice:
    """What still waits of a block."""
    done = block.bitmap
    if not done:
        return BlockSlice.of_block(block.row, block.ids, block.bodies, block.positions)
    bodies = unpack_bodies(block.bodies)
    left = [index for index in range(len(bodies)) if not done >> index & 1]
    return BlockSlice(block.row, left, at_indexes(block.ids, left), b"\n".join([bodies[index] for index in left]), block.positions)


def _settle_block(
    transaction: sqlite3.Connection, row: int, consumer: int, settlements: Sequence[Settlement]
) -> list[tuple[Settlement, int, bytes]]:
    """Mark them in the block, drop it when all is settled. Gives what settled anything, how many statements, and their ids."""
    block = transaction.execute("SELECT count, settled, ids FROM blocks WHERE row = ? AND consumer = ?", (row, consumer)).fetchone()
    if block is None:
        return []
    size, bitmap, ids = int(block[0]), int.from_bytes(unsealed(block[1]) or b"", "little"), bytes(block[2])
    every = (1 << size) - 1
    settled = []
    for settlement in settlements:
        new = _bits(settlement.indexes) & every & ~bitmap
        bitmap |= new
        if new:
            settled.append((settlement, new.bit_count(), at_indexes(ids, settlement.indexes)))
    if bitmap == every:
        transaction.execute("DELETE FROM blocks WHERE row = ?", (row,))
    else:
        transaction.execute("UPDATE blocks SET settled = ? WHERE row = ?", (seal(bitmap.to_bytes((size + 7) // 8, "little")), row))
    return settled


def _bits(indexes: Sequence[int]) -> int:
    if isinstance(indexes, range) and indexes.step == 1 and indexes:
        return ((1 << len(indexes)) - 1) << indexes.start
    return sum({1 << index for index in indexes if index >= 0})


def _consumer(transaction: sqlite3.Connection, name: str) -> tuple[int, int | None, bool]:
    """Its number, its terms, and whether anything is held."""
    row = transaction.execute("SELECT number, terms, held > 0 FROM consumers WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise ValueError(f"consumer {name!r} is not in the state; begin_run names all consumers")
    return int(row[0]), row[1], bool(row[2])


def _is_held(transaction: sqlite3.Connection, row: int, consumer: int, terms: int | None) -> bool:
    query = "SELECT 1 FROM blocks WHERE consumer = ? AND terms IS ? AND row = ?"
    return transaction.execute(query, (consumer, terms, row)).fetchone() is None
