"""The next batch of a consumer: statements from the outbox, in order, made into batches by number, bytes and age."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import accumulate

from edx2lrs.io.state.batch import Batch, BlockSlice
from edx2lrs.io.state.outbox import StoredBlock
from edx2lrs.transforms.config_types import BatchOptions

_LATELY = 32  # accepted requests; of an LRS with a bound of its own, one batch in so many is halved


class BatchQueue:
    """A queue of waiting statements, oldest first; not safe for threads by itself. Times are seconds of a monotonic clock.

    A batch holds at most ``options.size`` statements and ``options.bytes`` bytes (a larger statement goes alone), and each id once.
    ``frame``: bytes of a body that are not of its statements."""

    def __init__(self, options: BatchOptions, frame: int = 1) -> None:
        self._size = options.size
        self._bound = self._most_bytes = max(1, options.bytes - frame)
        self._accepted = 0  # since the bound was halved, or doubled again
        self._lately: deque[int] = deque(maxlen=_LATELY)  # bytes of what was accepted
        self._interval = options.interval
        self._queue: deque[BlockSlice] = deque()
        self._ages: deque[tuple[float, int]] = deque()  # since when they wait, and how many statements had come by then
        self._came = 0
        self._went = 0
        self.bytes = 0

    def __len__(self) -> int:
        return self._came - self._went

    def add(self, block: StoredBlock, since: float) -> None:
        """Put the statements of ``block``, which wait since that moment, at the end of the queue."""
        block_slice = block.waiting
        if block_slice.size:
            self._queue.append(block_slice)
            self.bytes += block_slice.size_in_bytes
            self._came += block_slice.size
            self._ages.append((since, self._came))

    def due_at(self) -> float | None:
        """When the next batch is to be sent: 0 for a full batch, else the moment at which the oldest statement is too old; None: no
        statement waits."""
        if not self._queue:
            return None
        if len(self) >= self._size or self.bytes >= self._most_bytes:
            return 0.0
        return self._ages[0][0] + self._interval

    def take(self) -> Batch:
        """The next batch, full or not; empty if no statement waits."""
        taken: list[BlockSlice] = []
        ids: set[bytes] = set()
        count = size = 0
        while self._queue and count < self._size:
            block_slice = self._queue.popleft()
            slice_ids = block_slice.id_list
            fitting = _fitting(block_slice, slice_ids, self._size - count, self._most_bytes - size, ids)
            if not fitting and not taken:
                fitting = 1
            fits = block_slice.slice(0, fitting)
            taken.append(fits)
            ids.update(slice_ids[:fitting])
            count += fitting
            size += fits.size_in_bytes
            if fitting < block_slice.size:
                self._queue.appendleft(block_slice.slice(fitting, block_slice.size))
                break
        self.bytes -= size
        self._went += count
        while self._ages and self._ages[0][1] <= self._went:
            self._ages.popleft()
        return Batch(taken)

    def after_413(self) -> tuple[int | None, int]:
        """For ``resume``: the most bytes of a batch, if fewer than in the configuration, and how many batches were accepted since."""
        return (self._most_bytes, self._accepted) if self._most_bytes < self._bound else (None, 0)

    def resume(self, most_bytes: int | None, accepted: int) -> None:
        """Go on from the numbers of another queue."""
        self._most_bytes, self._accepted = min(most_bytes or self._bound, self._bound), accepted

    def too_large(self, batch: Batch) -> None:
        """The LRS refused ``batch`` for its bytes: batches have half as many bytes from now on. But if the LRS accepted as many
        bytes lately, a single statement of ``batch`` is too large, and the bound stays."""
        size, taken = batch.size_in_bytes, max(self._lately, default=0)
        if taken < size:
            self._most_bytes = min(self._most_bytes, max(size // 2, taken, 1))
            self._accepted = 0

    def accepted(self, batch: Batch) -> None:
        """The LRS accepted ``batch``. After some accepted batches, the bound of bytes doubles again."""
        size = batch.size_in_bytes
        self._lately.append(size)
        self._accepted += 1
        most = self._most_bytes
        if self._accepted >= _LATELY:
            most, self._accepted = 2 * most, 0
        self._most_bytes = min(self._bound, max(most, size))


def _fitting(block_slice: BlockSlice, slice_ids: list[bytes], most: int, most_bytes: int, ids: set[bytes]) -> int:
    """How many statements, from the start of the slice, fit into a batch with ``ids`` and this much room."""
    fitting = min(most, block_slice.size)
    if block_slice.size_in_bytes > most_bytes:
        fitting = min(fitting, bisect_right(list(accumulate(len(body) + 1 for body in block_slice.bodies)), most_bytes))
    new_ids = slice_ids[:fitting]
    if len(set(new_ids)) == len(new_ids) and ids.isdisjoint(new_ids):
        return len(new_ids)
    seen = set(ids)
    for index, identifier in enumerate(new_ids):
        if identifier in seen:
            return index
        seen.add(identifier)
    return len(new_ids)
