"""The id memory of one shard: which statement ids it was given, with 16 bytes of checks each, so that nothing is sent twice.

For engines that keep it in keyed state, as chunks of bytes; ``io.state.id_memory`` is the one of this machine. By arrival:
no time of an event counts. Bounded: two generations, of which the older one is forgotten when the younger one is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NEW, DUPLICATE, COLLISION = 0, 1, 2
_ID = _CHECKS = 16
_HASH = 8
_FORGOTTEN = bytes(_CHECKS)
_CHUNK_IDS = 2048

Array = npt.NDArray[Any]


class _Run(NamedTuple):
    """Ids in order, as ``S16``, each once, and their checks."""

    ids: Array
    checks: Array


class _Generation:
    """Ids in sorted runs, each at least twice as long as the one after it. What came later stands."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        parts = [_as_arrays(chunk) for chunk in chunks]
        self._runs = [_merged(parts)] if parts else []

    def __len__(self) -> int:
        return sum(len(run.ids) for run in self._runs)

    def add(self, chunk: bytes) -> None:
        self._runs.append(_merged([_as_arrays(chunk)]))
        while len(self._runs) > 1 and len(self._runs[-2].ids) < 2 * len(self._runs[-1].ids):
            self._runs[-2:] = [_merged(self._runs[-2:])]

    def find(self, wanted: Array) -> Iterator[tuple[bytes, bytes]]:
        """Id and checks of those that are known; of an id that came several times, the last is given last."""
        for run in self._runs:
            places = np.minimum(np.searchsorted(run.ids, wanted), len(run.ids) - 1)
            for hit in np.flatnonzero(run.ids[places] == wanted).tolist():
                yield wanted[hit : hit + 1].tobytes(), run.checks[places[hit]].tobytes()

    def chunks(self) -> list[bytes]:
        """All of it, for the state."""
        if not self._runs:
            return []
        whole = _merged(self._runs)
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

    def judge(self, ids: bytes, checks: bytes) -> list[int]:
        """NEW, DUPLICATE (known, with the same event or the same body) or COLLISION (known, both differ) for each id of a block
        (16 bytes of id, 16 of checks). Of equal ids in the block the first counts for the others."""
        wanted = np.frombuffer(ids, dtype="S16")
        known = dict(self._older.find(wanted))
        known.update(self._younger.find(wanted))
        verdicts = []
        for start in range(0, len(ids), _ID):
            one, check = ids[start : start + _ID], checks[start : start + _CHECKS]
            before = known.get(one, _FORGOTTEN)
            if before == _FORGOTTEN:
                known[one] = check
                verdicts.append(NEW)
            else:
                same = before[:_HASH] == check[:_HASH] or before[_HASH:] == check[_HASH:]
                verdicts.append(DUPLICATE if same else COLLISION)
        return verdicts

    def remember(self, ids: bytes, checks: bytes) -> bytes:
        """Remembers them; gives the chunk that the state's younger generation is to get."""
        chunk = ids + checks
        self._younger.add(chunk)
        return chunk

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


def _as_arrays(chunk: bytes) -> _Run:
    half = len(chunk) // 2
    return _Run(np.frombuffer(chunk[:half], dtype="S16"), np.frombuffer(chunk[half:], dtype="<i8").reshape(-1, 2))


def _merged(runs: list[_Run]) -> _Run:
    """One run of them; of an id that is in several, the last stands."""
    ids = np.concatenate([run.ids for run in runs])
    checks = np.concatenate([run.checks for run in runs])
    order = np.argsort(ids, kind="stable")
    ids, checks = ids[order], checks[order]
    last = np.ones(len(ids), dtype=np.bool_)
    last[:-1] = ids[1:] != ids[:-1]
    return _Run(ids[last], checks[last])
