"""A shard of a consumer in keyed state: the ids that the shard was given, the waiting statements, the state of sending. No Beam:
the state cells are given.

The engine commits all changes of one call together, with the blocks that came, the dead letters and the counts.
"""

from __future__ import annotations

import os
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from functools import cache
from threading import Lock
from typing import Any, NamedTuple, Protocol

import msgspec
import zstandard

from edx2lrs.io.delivery.circuit import Circuit
from edx2lrs.io.delivery.sending import Standing, Tried
from edx2lrs.io.delivery.shard_sending import Absent, TurnLimits, TurnTaker
from edx2lrs.io.state.batch import BlockSlice, PendingStatement
from edx2lrs.io.state.outbox import Settlement, StoredBlock
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.mapping.statement_id import bytes_of
from edx2lrs.transforms.packing.blocks import Block, at_indexes, pack_lines, unpack_bodies, unpack_origin_lines
from edx2lrs.transforms.packing.dedup import IdMemory
from edx2lrs.transforms.packing.shards import ShardKey
from edx2lrs.transforms.packing.verdict import REFUSALS, Verdict, refused

IN_STREAM = TurnLimits(turn=10.0, wait=0.2, outage=None)
"""A request that blocks holds a slot of the engine: turns are short, and what is due later has a timer."""
_MEMORIES_KEPT = 5_000_000  # ids over all shards that this process has at hand


class Cell(Protocol):
    """A state cell that holds one value."""

    def read(self) -> Any: ...

    def write(self, value: bytes) -> None: ...


class Bag(Protocol):
    """A state cell that holds many values, in no order."""

    def read(self) -> Iterable[bytes]: ...

    def add(self, value: bytes) -> None: ...

    def clear(self) -> None: ...


class Cells(NamedTuple):
    """The state of one shard: its ``Head``; chunks of ids of both generations (``transforms.packing.dedup``); what waits, as blocks;
    requests that were tried."""

    head: Cell
    older_ids: Bag
    younger_ids: Bag
    waiting: Bag
    tried: Cell


class Head(msgspec.Struct):
    """What is looked at for each block. ``memory`` names the version of the ids; ``blocks`` numbers what waits; of what was never
    sent: ``queued`` statements, their bytes, ``oldest`` since when (POSIX seconds); ``tried``: statements in requests that were
    tried; ``again``: what the timer is set to (0: nothing). ``standing`` is without the tried requests."""

    memory: bytes = b""
    blocks: int = 0
    queued: int = 0
    queued_bytes: int = 0
    oldest: float = 0.0
    tried: int = 0
    again: float = 0.0
    standing: Standing = Standing()


class _Entry(msgspec.Struct, array_like=True):
    """Statements that were never sent."""

    number: int
    created: float
    size: int
    length: int
    ids: bytes
    bodies: bytes
    origins: bytes


class ShardSetup(NamedTuple):
    """What a shard is served with. ``consumer`` is what one shard sees of it; ``ids``: how many it remembers; ``statements``: how
    many may wait while the consumer is cut off."""

    consumer: Consumer
    taker: TurnTaker | Absent
    ids: int
    statements: int


class ShardOutcome(NamedTuple):
    """``tally``: what to count; ``again_at``: what the timer is to be set to, where that has changed (None: it stays). ``waiting``
    statements are left, the oldest since ``since``: of those that were tried, since the circuit is open."""

    tally: Counter[Counted]
    failures: list[Failure]
    again_at: float | None
    waiting: int
    since: float | None
    circuit: Circuit


class Shard:
    """One shard during one call. ``key`` tells the shard from all other shards of the job."""

    def __init__(self, key: ShardKey, cells: Cells, setup: ShardSetup) -> None:
        self._key, self._cells, self._setup = key, cells, setup
        self._name = setup.consumer.name
        encoded = cells.head.read()
        self.is_new = encoded is None
        self._head = msgspec.msgpack.decode(encoded, type=Head) if encoded else Head()
        self._tally: Counter[Counted] = Counter()
        self._failures: list[Failure] = []

    def receive(self, block: Block, now: float) -> ShardOutcome:
        """Takes the new statements of ``block``, and sends a batch if a batch is due."""
        self._tally[Counted(self._name, "statements")] += block.size
        self._enqueue(block, self._new_of(block), now)
        return self._outcome(self._take_turn(IN_STREAM, last=False) if self._is_due(now) else self._due_at(), now)

    def again(self, now: float) -> ShardOutcome:
        """Sends the batches that are due; for the timer."""
        self._head.again = 0.0
        return self._outcome(self._take_turn(IN_STREAM, last=False) if self._is_due(now) else self._due_at(), now)

    def end(self, limits: TurnLimits) -> ShardOutcome:
        """Sends all that waits; what an outage outlives becomes dead letters."""
        return self._outcome(self._take_turn(limits, last=True))

    def _outcome(self, due_at: float | None, now: float = 0.0) -> ShardOutcome:
        head = self._head
        is_set = head.again > now  # else there is none, or it was lost
        again_at = due_at if due_at is not None and (not is_set or due_at < head.again) else None
        head.again = again_at or head.again
        self._cells.head.write(msgspec.msgpack.encode(head))
        circuit = head.standing.circuit
        moments = [head.oldest] * bool(head.queued) + [circuit.opened_at] * bool(head.tried and circuit.state != "closed")
        return ShardOutcome(self._tally, self._failures, again_at, head.queued + head.tried, min(moments, default=None), circuit)

    # What is new

    def _new_of(self, block: Block) -> list[int]:
        """The indexes of the statements that are new; they are remembered."""
        memory = _memories().take(self._key, self._head.memory)
        if memory is None:
            memory = IdMemory(self._setup.ids, self._cells.older_ids.read(), self._cells.younger_ids.read())
        verdicts = memory.judge(block.ids, block.checks)
        new = [index for index, verdict in enumerate(verdicts) if verdict == Verdict.NEW]
        self._tally[Counted(self._name, "duplicates")] += verdicts.count(Verdict.DUPLICATE)
        self._refuse(block, [index for index, verdict in enumerate(verdicts) if verdict == Verdict.COLLISION], Verdict.COLLISION)
        if new and self._overflows(len(new)):
            self._refuse(block, new, Verdict.OVERFLOW)
            new = []
        if new:
            self._cells.younger_ids.add(memory.remember(at_indexes(block.ids, new), at_indexes(block.checks, new)))
            self._remembered(memory)
        _memories().put(self._key, self._head.memory, memory)
        return new

    def _remembered(self, memory: IdMemory) -> None:
        self._head.memory = os.urandom(8)
        if memory.is_full:
            self._cells.older_ids.clear()
            self._cells.younger_ids.clear()
            for chunk in memory.turn():
                self._cells.older_ids.add(chunk)

    def _forget(self, ids: list[bytes]) -> None:
        """Forgets the id of a dead statement, so that a replay can send the statement."""
        memory = _memories().take(self._key, self._head.memory)
        at_hand = memory if memory is not None else IdMemory(self._setup.ids)
        self._cells.younger_ids.add(at_hand.forget(ids))
        self._head.memory = os.urandom(8)
        if memory is not None:
            _memories().put(self._key, self._head.memory, memory)

    def _overflows(self, new: int) -> bool:
        head = self._head
        return head.standing.circuit.state != "closed" and head.queued + head.tried + new > self._setup.statements

    def _refuse(self, block: Block, indexes: Sequence[int], verdict: Verdict) -> None:
        if indexes:
            self._tally[Counted(self._name, "dead_statements", REFUSALS[verdict].cause)] += len(indexes)
            self._failures += refused(block, indexes, verdict)

    # What waits

    def _enqueue(self, block: Block, new: list[int], now: float) -> None:
        if not new:
            return
        self._head.blocks += 1
        if len(new) == block.size:
            length = zstandard.frame_content_size(block.bodies)
            entry = _Entry(self._head.blocks, now, block.size, length, block.ids, block.bodies, block.origins)
        else:
            bodies, lines = unpack_bodies(block.bodies), unpack_origin_lines(block.origins)
            ids = at_indexes(block.ids, new)
            entry = _entry(self._head.blocks, now, ids, [bodies[index] for index in new], [lines[index] for index in new])
        self._add(entry)

    def _add(self, entry: _Entry) -> None:
        head = self._head
        head.oldest = min(head.oldest, entry.created) if head.queued else entry.created
        head.queued += entry.size
        head.queued_bytes += entry.length
        self._cells.waiting.add(msgspec.msgpack.encode(entry))

    def _due_at(self) -> float | None:
        """When a turn is due, by the head."""
        head, batch = self._head, self._setup.consumer.batch
        circuit = head.standing.circuit
        if circuit.state != "closed":
            return circuit.probe_at
        if not head.queued:
            return None
        full = head.queued >= batch.size or head.queued_bytes >= batch.bytes
        return max(head.standing.next_at, 0.0 if full else head.oldest + batch.interval)

    def _is_due(self, now: float) -> bool:
        due_at = self._due_at()
        return (due_at is not None and due_at <= now) or bool(self._head.tried and self._head.again <= now)

    # Sending

    def _take_turn(self, limits: TurnLimits, last: bool) -> float | None:
        """Takes a turn; gives the moment of the next turn."""
        head, cells = self._head, self._cells
        queue = _Queue(cells.waiting.read())
        cells.waiting.clear()
        tried = msgspec.msgpack.decode(cells.tried.read() or b"\x90", type=list[Tried])
        before = msgspec.structs.replace(head.standing, tried=tried)
        turn = self._setup.taker.take(before, queue, limits, last)
        self._settle(turn.settlements)
        self._tally.update({Counted(self._name, key): number for key, number in turn.counts.items()})
        head.queued = head.queued_bytes = 0
        if turn.unsent:
            self._add(queue.put_together(turn.unsent))
        for entry in queue.left:
            self._add(entry)
        head.tried = sum(len(each.statements) for each in turn.standing.tried)
        head.standing = msgspec.structs.replace(turn.standing, tried=[])
        if head.tried or tried:
            cells.tried.write(msgspec.msgpack.encode(turn.standing.tried))
        return turn.again_at

    def _settle(self, settlements: Sequence[Settlement]) -> None:
        dead: list[bytes] = []
        for settlement in settlements:
            self._tally[settlement.counted(self._name)] += len(settlement.indexes)
            failure = settlement.failure
            if failure is not None:
                self._failures.append(failure)
                dead.append(bytes_of(failure.statement_id or ""))
        if dead:
            self._forget(dead)


class _Queue:
    """The entries that wait, oldest first, opened when they are taken."""

    def __init__(self, encoded: Iterable[bytes]) -> None:
        entries = [msgspec.msgpack.decode(each, type=_Entry) for each in encoded]
        self.left = deque(sorted(entries, key=lambda entry: entry.number))
        self._created: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self.left)

    def popleft(self) -> StoredBlock:
        entry = self.left.popleft()
        self._created[entry.number] = entry.created
        return StoredBlock(entry.created, BlockSlice.of_block(entry.number, entry.ids, entry.bodies, entry.origins))

    def put_together(self, unsent: Sequence[PendingStatement]) -> _Entry:
        """One entry of what was taken and not sent."""
        first = unsent[0].row
        bodies, lines = [each.body for each in unsent], [each.origin_line for each in unsent]
        return _entry(first, self._created[first], b"".join([each.id for each in unsent]), bodies, lines)


class _Memories:
    """The memories of shards that this process has served, so that few are read from the state. Each goes with the version that
    it had in the state: after a failed commit, or when another worker served the shard in between, it is of another one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[ShardKey, tuple[bytes, IdMemory]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: ShardKey, version: bytes) -> IdMemory | None:
        with self._lock:
            found, memory = self._kept.pop(key, (b"", None))
        return memory if found == version else None

    def put(self, key: ShardKey, version: bytes, memory: IdMemory) -> None:
        with self._lock:
            self._kept[key] = (version, memory)
            while len(self._kept) > 1 and sum(len(each) for _, each in self._kept.values()) > _MEMORIES_KEPT:
                self._kept.popitem(last=False)


@cache
def _memories() -> _Memories:
    return _Memories()


def _entry(number: int, created: float, ids: bytes, bodies: Sequence[bytes], origin_lines: Sequence[str]) -> _Entry:
    text = b"\n".join(bodies)
    return _Entry(number, created, len(bodies), len(text), ids, pack_lines(text), pack_lines("\n".join(origin_lines).encode()))
