"""Keeping a wave: its blocks, dead letters, ids, counts and position (or messages), in one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.database import Database
from edx2lrs.io.state.errors import StaleWave
from edx2lrs.io.state.id_memory import Verdicts, judge, remember, wave_ids
from edx2lrs.io.state.ledger import count
from edx2lrs.io.state.messages import StreamPart, mark_kept
from edx2lrs.io.state.pieces import PieceKey
from edx2lrs.io.state.seals import block_seals, seal
from edx2lrs.io.state.terms import number_of
from edx2lrs.io.state.unexported_letters import add_letters
from edx2lrs.transforms.config_types import PayloadForm
from edx2lrs.transforms.counters import Counted, Tally
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.packing.blocks import Block
from edx2lrs.transforms.packing.verdict import REFUSALS, Verdict, refused


class ReadPiece(NamedTuple):
    """What a wave reads of a piece: from the byte ``start`` of the text on."""

    piece: PieceKey
    start: int
    reached: Reached


class KeptWave(NamedTuple):
    """What a wave over pieces, or over a part of a stream, brought. ``tally``: all counts of the wave but those of
    ``keep_wave``. ``terms``: those that it was made under, by consumer (by default, the present ones)."""

    read: Sequence[ReadPiece] | StreamPart
    blocks: Sequence[Block]
    failures: Sequence[Failure]
    tally: Tally
    terms: Mapping[str, str] = {}


class Kept(NamedTuple):
    """What a wave's statements became; each statement is counted once."""

    new: int
    duplicates: int
    collisions: int
    overflowed: int


def set_bounds(database: Database, *, ids: int, statements: int, payload_form: PayloadForm) -> None:
    """Set how many ids are remembered, how many statements may wait for a consumer that is cut off and what dead letters hold."""
    with database.transaction("NORMAL") as transaction:
        transaction.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [("bound_ids", ids), ("bound_statements", statements), ("payload_form", payload_form)],
        )


def keep_wave(database: Database, wave: KeptWave) -> Kept:
    """Keep ``wave``, on disk (fsync) when it returns; nothing of it is kept when it raises.

    Counts per consumer: ``statements``, ``duplicates`` (the id is known, with the same event or the same body),
    ``dead_statements/id_collision`` (known, with both different: stage ``guard``) and ``dead_statements/outage`` (the consumer is
    cut off and at its bound: stage ``deliver``). The two kinds of dead are letters with the statement as payload, and their ids are
    not remembered. Raises ``StaleWave`` when a piece or the source is elsewhere by now, or a message was kept, ``StateFault``, and
    ``ValueError`` for a consumer that ``begin_run`` did not name."""
    read = wave.read
    with database.transaction("FULL") as transaction:
        if isinstance(read, StreamPart):
            mark_kept(transaction, read)
            return keep_in(transaction, wave, read.since)
        for piece in read:
            _check_start(transaction, piece)
        transaction.executemany(
            "UPDATE pieces SET offset = ?, lines = ?, done = ?, attempts = 0, records_limit = NULL, "
            "claimed_by = CASE WHEN ? THEN NULL ELSE claimed_by END WHERE file = ? AND start = ?",
            [(*piece.reached, piece.reached.done, *piece.piece) for piece in read],
        )
        return keep_in(transaction, wave, time.time())


def keep_in(transaction: sqlite3.Connection, wave: KeptWave, since: float) -> Kept:
    """Keep what a wave made inside ``transaction``; its statements are as old as ``since`` (wall time)."""
    blocks, consumers = wave.blocks, _consumers(transaction)
    unknown = {block.consumer for block in blocks} - consumers.keys()
    if unknown:
        raise ValueError(f"consumers {sorted(unknown)} are not in the state; begin_run names all consumers")
    ids = wave_ids([(consumers[block.consumer].number, block.ids, block.checks) for block in blocks])
    verdicts = judge(transaction, ids)
    bounds = dict(transaction.execute("SELECT name, value FROM meta WHERE name LIKE 'bound_%'").fetchall())
    fates = _with_overflow(_split(blocks, verdicts), blocks, consumers, bounds["bound_statements"])
    is_new = np.concatenate([*fates, np.empty(0, np.uint8)]) == Verdict.NEW
    number = remember(transaction, ids, is_new, bounds["bound_ids"])
    terms = {name: number_of(transaction, wave.terms[name]) for name in {block.consumer for block in blocks} & wave.terms.keys()}
    for block, fate in zip(blocks, fates, strict=True):
        consumer = consumers[block.consumer]
        _insert_block(transaction, block, fate, consumer, terms.get(block.consumer, consumer.terms), number, since)
    add_letters(transaction, [*wave.failures, *_dead(blocks, fates)])
    count(transaction, Counter(wave.tally) + _counted(blocks, fates))
    return Kept(*(sum(_number_of(fate, kind) for fate in fates) for kind in Verdict))


class _Consumer(NamedTuple):
    number: int
    waiting: int
    circuit_open: bool
    terms: int | None


def _consumers(transaction: sqlite3.Connection) -> dict[str, _Consumer]:
    rows = transaction.execute("SELECT name, number, waiting, circuit_open, terms FROM consumers")
    return {name: _Consumer(number, waiting, bool(is_open), terms) for name, number, waiting, is_open, terms in rows}


def _check_start(transaction: sqlite3.Connection, read: ReadPiece) -> None:
    row = transaction.execute("SELECT offset, done FROM pieces WHERE file = ? AND start = ?", read.piece).fetchone()
    if row is None:
        raise StaleWave(f"{read.piece.file}: not in the state")
    if row[0] != read.start or row[1]:
        done = " (done)" if row[1] else ""
        raise StaleWave(f"{read.piece.file}: the wave starts at byte {read.start}, the state is at {row[0]}{done}")


def _split(blocks: Sequence[Block], verdicts: Verdicts) -> list[Verdicts]:
    ends = np.cumsum([block.size for block in blocks], dtype=np.int64)
    return np.split(verdicts, ends[:-1]) if blocks else []


def _with_overflow(
    verdicts: Sequence[Verdicts], blocks: Sequence[Block], consumers: Mapping[str, _Consumer], bound: int
) -> list[Verdicts]:
    """The verdicts, with ``OVERFLOW`` for what is new in blocks that would lift a consumer which is cut off above ``bound``."""
    waiting = {name: consumer.waiting for name, consumer in consumers.items()}
    fates = []
    for block, verdict in zip(blocks, verdicts, strict=True):
        new = _number_of(verdict, Verdict.NEW)
        if consumers[block.consumer].circuit_open and waiting[block.consumer] + new > bound:
            verdict = np.where(verdict == Verdict.NEW, np.uint8(Verdict.OVERFLOW), verdict)
        else:
            waiting[block.consumer] += new
        fates.append(verdict)
    return fates


def _number_of(fate: Verdicts, kind: Verdict) -> int:
    return int(np.count_nonzero(fate == kind))


def _insert_block(
    transaction: sqlite3.Connection, block: Block, fate: Verdicts, consumer: _Consumer, terms: int | None, number: int, since: float
) -> None:
    """Insert a block for its new statements; its bitmap marks the others as settled, so that the block is not compressed again."""
    new = _number_of(fate, Verdict.NEW)
    if not new:
        return
    settled = seal(np.packbits(fate != Verdict.NEW, bitorder="little").tobytes())
    head = (consumer.number, float(since), block.size, number)
    seals = block_seals(head, block.ids, block.origins, block.bodies)
    transaction.execute(
        "INSERT INTO blocks (consumer, created, count, number, settled, ids, positions, bodies, seals, terms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*head, settled, block.ids, block.origins, block.bodies, seals, terms),
    )
    held = new if terms != consumer.terms else 0
    transaction.execute("UPDATE consumers SET waiting = waiting + ?, held = held + ? WHERE number = ?", (new, held, consumer.number))


def _dead(blocks: Sequence[Block], fates: Sequence[Verdicts]) -> list[Failure]:
    return [
        failure
        for block, fate in zip(blocks, fates, strict=True)
        for verdict in REFUSALS
        for failure in refused(block, np.flatnonzero(fate == verdict).tolist(), verdict)
    ]


def _counted(blocks: Sequence[Block], fates: Sequence[Verdicts]) -> Counter[Counted]:
    tally: Counter[Counted] = Counter()
    for block, fate in zip(blocks, fates, strict=True):
        tally[Counted(block.consumer, "statements")] += block.size
        tally[Counted(block.consumer, "duplicates")] += _number_of(fate, Verdict.DUPLICATE)
        for verdict, refusal in REFUSALS.items():
            tally[Counted(block.consumer, "dead_statements", refusal.cause)] += _number_of(fate, verdict)
    return tally
