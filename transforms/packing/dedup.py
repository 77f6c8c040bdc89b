"""The id memory of one shard: which statement ids it was given, with 16 bytes of checks each, so that nothing is sent twice.

For engines that keep it in keyed state, as chunks of bytes; ``io.state.id_memory`` is the one of this machine. By arrival:
no time of an event counts. Bounded: two generations, of which the older one is forgotten when the younger one is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edx2lrs.transforms.packing.blocks import ID_BYTES
from edx2lrs.transforms.packing.verdict import Verdict, verdict_on_known

_HASH = 8
_FORGOTTEN = bytes(ID_BYTES)
_CHUNK_IDS = 2048
_TIMES = 4  # few segments are looked through fast, and are not merged too often

Array = npt.NDArray[Any]


class _Segment(NamedTuple):
    """Ids in order, as ``S16``, each once, and their checks."""

    ids: Array
    checks: Array


class _Generation:
    """Ids in sorted segments, each several times as long as the next, and the newest by themselves. What came later stands."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        parts = [_as_arrays(chunk) for chunk in chunks]
        self._segments = [_merged(parts)] if parts else []
        self._newest: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return sum(len(segment.ids) for segment in self._segments) + len(self._newest)

    def add(self, ids: bytes, checks: bytes) -> None:
        self._newest.update((one, checks[start : start + ID_BYTES]) for start, one in _each(ids))
        if len(self._newest) >= _CHUNK_IDS:
            self._sort()

    def _sort(self) -> None:
        self._segments.append(_merged([_as_arrays(b"".join(self._newest) + b"".join(self._newest.values()))]))
        self._newest = {}
        while len(self._segments) > 1 and len(self._segments[-2].ids) < _TIMES * len(self._segments[-1].ids):
            self._segments[-2:] = [_merged(self._segments[-2:])]

    def find(self, ids: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Id and checks of those that are known; of an id that came several times, the last is given last."""
        wanted = np.frombuffer(ids, dtype="S16")
        for segment in self._segments:
            indexes = np.minimum(segment.ids.searchsorted(wanted), len(segment.ids) - 1)
            for hit in (segment.ids[indexes] == wanted).nonzero()[0].tolist():
                yield wanted[hit : hit + 1].tobytes(), segment.checks[indexes[hit]].tobytes()
        for _, one in _each(ids):
            if one in self._newest:
                yield one, self._newest[one]

    def chunks(self) -> list[bytes]:
        """All of it, for the state."""
        if self._newest:
            self._sort()
        if not self._segments:
            return []
        whole = _merged(self._segments)
        starts = range(0, len(whole.ids), _CHUNK_IDS)
        return [whole.ids[s : s + _CHUNK_IDS].tobytes() + whole.checks[s : s + _CHUNK_IDS].tobytes() for s in starts]


class IdMemory:
    """Ids of one shard, at most ``bound`` and at least half of them, the newest."""

    def __init__(self, bound: int, older: Iterable[bytes] = (), younger: Iterable[bytes] = ()) -> None:
        """``older`` and ``younger``: the chunks of both generations, in the order in which they were remembered."""
        self._half = max(1, bound // 2)
        self._older = _Generation(older)
        self._younger = _Generation(younger)

    def __len__(self) -> int:
        return len(self._older) + len(self._younger)

    def judge(self, ids: bytes, checks: bytes) -> list[Verdict]:
        """What each id of a block is, by 16 bytes of id and 16 of checks; never ``OVERFLOW``. Of equal ids the first stands."""
        known = dict(self._older.find(ids))
        known.update(self._younger.find(ids))
        verdicts = []
        for start, one in _each(ids):
            check = checks[start : start + ID_BYTES]
            before = known.get(one, _FORGOTTEN)
            if before == _FORGOTTEN:
                known[one] = check
                verdicts.append(Verdict.NEW)
            else:
                verdicts.append(verdict_on_known(before[:_HASH] == check[:_HASH], before[_HASH:] == check[_HASH:]))
        return verdicts

    def remember(self, ids: bytes, checks: bytes) -> bytes:
        """Remembers them; gives the chunk that the state's younger generation is to get."""
        self._younger.add(ids, checks)
        return ids + checks

    def forget(self, ids: Iterable[bytes]) -> bytes:
        """Takes ``ids`` for new from now on; gives the chunk for the younger generation."""
        joined = b"".join(ids)
        return self.remember(joined, bytes(len(joined)))

    @property
    def is_full(self) -> bool:
        """Whether the younger generation is to become the older one."""
        return len(self._younger) >= self._half

    def turn(self) -> list[bytes]:
        """The younger generation becomes the older one, which is forgotten; gives its chunks."""
        self._older, self._younger = self._younger, _Generation(())
        return self._older.chunks()


def _each(ids: bytes) -> Iterator[tuple[int, bytes]]:
    """Each id, with the index where it and its checks begin."""
    return ((start, ids[start : start + ID_BYTES]) for start in range(0, len(ids), ID_BYTES))


def _as_arrays(chunk: bytes) -> _Segment:
    half = len(chunk) // 2
    return _Segment(np.frombuffer(chunk[:half], dtype="S16"), np.frombuffer(chunk[half:], dtype="<i8").reshape(-1, 2))


def _merged(segments: list[_Segment]) -> _Segment:
    """One run of them; of an id that is in several, the last stands."""
    ids = np.concatenate([segment.ids for segment in segments])
    checks = np.concatenate([segment.checks for segment in segments])
    order = np.argsort(ids, kind="stable")
    ids, checks = ids[order], checks[order]
    last = np.ones(len(ids), dtype=np.bool_)
    last[:-1] = ids[1:] != ids[:-1]
    return _Segment(ids[last], checks[last])
