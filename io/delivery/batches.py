"""What is next for one consumer: statements from the outbox, in order, made into batches by count, bytes and age."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from edx2lrs.io.state.outbox import StoredBlock
from edx2lrs.transforms.config_types import Batch

_DOUBLE_AFTER = 32  # accepted batches; of an LRS with a bound of its own, one in so many is halved


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A statement of the outbox: its block's row, its place in the block, id (16 bytes), body and position of its
    record."""

    row: int
    index: int
    id: bytes
    body: bytes
    position: str


class Batches:
    """A queue of waiting statements, oldest first; not safe for threads by itself. Times are seconds of a monotonic
    clock.

    A batch holds at most ``batch.size`` statements and ``batch.bytes`` bytes (a larger statement goes alone), and each
    id once. ``frame``: bytes of a body that are not of its statements.
    """

    def __init__(self, batch: Batch, frame: int = 1) -> None:
        self._size = batch.size
        self._bound = self._most_bytes = max(1, batch.bytes - frame)
        self._accepted = 0  # batches since the bound was halved, or doubled again
        self._interval = batch.interval
        self._queue: deque[Waiting] = deque()
        self._ages: deque[tuple[float, int]] = deque()  # since when they wait, and how many statements had come by then
        self._came = 0
        self._went = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, block: StoredBlock, since: float) -> None:
        """Put the statements of ``block``, which wait since that moment, at the end."""
        row = block.row
        for each in block.statements:
            self._queue.append(Waiting(row, each.index, each.id, each.body, each.position))
            self.bytes += len(each.body)
        self._came += len(block.statements)
        self._ages.append((since, self._came))

    def due_at(self) -> float | None:
        """When a batch is to go out: 0 for a full one, else when its oldest statement gets too old; None: nothing
        waits."""
        if not self._queue:
            return None
        if len(self._queue) >= self._size or self.bytes >= self._most_bytes:
            return 0.0
        return self._ages[0][0] + self._interval

    def take(self) -> list[Waiting]:
        """The next batch, full or not; empty when nothing waits."""
        taken: dict[bytes, Waiting] = {}
        size = 0
        queue = self._queue
        while queue and len(taken) < self._size:
            statement = queue[0]
            size += len(statement.body) + 1
            if taken and (size > self._most_bytes or statement.id in taken):
                break
            taken[statement.id] = queue.popleft()
        self._forget(taken.values())
        return list(taken.values())

    def halve_bytes(self, size: int) -> None:
        """The LRS found ``size`` bytes too many: batches have half of that at most from now on."""
        self._most_bytes = min(self._most_bytes, max(1, size // 2))
        self._accepted = 0

    def accepted(self) -> None:
        """The LRS took a batch: after some of them twice as many bytes are tried again, for it may have been one statement alone
        that was too large."""
        self._accepted += 1
        if self._accepted >= _DOUBLE_AFTER and self._most_bytes < self._bound:
            self._most_bytes = min(self._bound, 2 * self._most_bytes)
            self._accepted = 0

    def _forget(self, taken: Iterable[Waiting]) -> None:
        for statement in taken:
            self.bytes -= len(statement.body)
            self._went += 1
        while self._ages and self._ages[0][1] <= self._went:
            self._ages.popleft()
