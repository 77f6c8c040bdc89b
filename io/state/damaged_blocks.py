"""Blocks of the outbox that were damaged on the disk: found before they are sent, set apart as dead letters, and counted, so that
the sums close and everything else goes on."""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping

import orjson

from edx2lrs.io.state.ledger import count, counts_of_all_runs
from edx2lrs.io.state.seals import BLOCK_COLUMNS, BlockRow
from edx2lrs.io.state.unexported_letters import add_letters, replace_damaged_letters
from edx2lrs.transforms.counters import Counted, grouped, unsettled
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.packing.blocks import ID_BYTES, Origin, unpack_bodies, unpack_origin_lines

_INDEXED = ("blocks", "consumers", "sources", "pieces", "id_chunks", "forgotten_ids")
_MESSAGE = "the statement was damaged on the disk of the state directory; look at the disk"


def set_apart(transaction: sqlite3.Connection) -> list[str]:
    """Set all damaged blocks and dead letters apart, and set right how many statements wait; gives what was found, a sentence each."""
    try:
        for table in _INDEXED:
            transaction.execute(f"REINDEX {table}")  # a row that its index has lost would never be sent, or never be read
    except sqlite3.IntegrityError:
        raise sqlite3.DatabaseError("a table is malformed") from None  # two rows with one key
    names = dict(transaction.execute("SELECT number, name FROM consumers").fetchall())
    waiting: Counter[int] = Counter()
    damaged: list[BlockRow] = []
    for block in map(BlockRow._make, transaction.execute(f"SELECT {BLOCK_COLUMNS} FROM blocks ORDER BY row")):  # noqa: S608
        parts = block.damaged_parts()
        if parts or block.consumer not in names:
            damaged.append(block)
        else:
            waiting[block.consumer] += block.size - block.bitmap.bit_count()
    of_consumer: Counter[int] = Counter()
    for block in damaged:
        owner = _owner(block, names)
        if owner in names and not block._replace(consumer=owner).damaged_parts():
            its_terms = "coalesce(terms, (SELECT terms FROM consumers WHERE number = ?1))"
            transaction.execute(f"UPDATE blocks SET consumer = ?1, terms = {its_terms} WHERE row = ?2", (owner, block.row))  # noqa: S608
            waiting[owner] += block.size - block.bitmap.bit_count()
            continue
        failures = list(_failures(block, names.get(owner)))
        add_letters(transaction, failures)
        transaction.execute("DELETE FROM blocks WHERE row = ?", (block.row,))
        of_consumer[owner] += len(failures)
    return _set_right(transaction, names, waiting, of_consumer) + replace_damaged_letters(transaction)


def _set_right(
    transaction: sqlite3.Connection, names: Mapping[int, str], waiting: Mapping[int, int], damaged: Mapping[int, int]
) -> list[str]:
    found = []
    counters = dict(transaction.execute("SELECT number, waiting FROM consumers").fetchall())
    for number, name in names.items():
        if counters[number] == waiting[number] and not damaged[number]:
            continue
        before = max(waiting[number], unsettled(grouped(counts_of_all_runs(transaction)), name))
        gone = before - waiting[number]
        taken_over = before - max(0, counters[number])  # the run counted what the damaged number said
        count(transaction, {Counted(name, "dead_statements", "damaged"): gone, Counted(name, "taken_over"): taken_over})
        transaction.execute("UPDATE consumers SET waiting = ? WHERE number = ?", (waiting[number], number))
        found.append(
            f"{gone} statements of consumer {name} were damaged on the disk, and are dead letters (damaged); look at the disk"
            if gone
            else f"the number of statements that wait for consumer {name} was damaged on the disk; it is {waiting[number]}"
        )
    return found


def _owner(block: BlockRow, names: Mapping[int, str]) -> int:
    """The number of the block's consumer; found again, if that number is what was damaged."""
    numbers = (block.consumer, *names)
    return next((number for number in numbers if "head" not in block._replace(consumer=number).damaged_parts()), block.consumer)


def _failures(block: BlockRow, consumer: str | None) -> Iterator[Failure]:
    """The failures of the block's statements that waited, with all that can still be read of each."""
    damaged = block.damaged_parts()
    bodies = [] if "bodies" in damaged else unpack_bodies(block.bodies)
    lines = [] if "positions" in damaged else unpack_origin_lines(block.positions)
    ids = [] if "ids" in damaged else [block.ids[at : at + ID_BYTES] for at in range(0, len(block.ids), ID_BYTES)]
    for index in range(max(len(bodies), len(lines), len(ids))):
        if block.bitmap >> index & 1:
            continue
        body = bodies[index] if bodies else b""
        position, event_name = Origin.of_line(lines[index]) if lines else Origin(f"state.db, block {block.row}, statement {index}")
        identifier = str(uuid.UUID(bytes=ids[index])) if ids else _id_in(body)
        yield Failure(
            "deliver", "damaged", _MESSAGE, position, body, "statement", consumer, identifier, event_name=event_name
        )


def _id_in(body: bytes) -> str | None:
    """The id that a finished statement has in itself."""
    return str(orjson.loads(body)["id"]).removeprefix("urn:uuid:") if body else None
