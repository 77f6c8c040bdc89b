"""Sorting in bounded memory: records that do not fit wait in scratch files. Each scratch file is sorted, and all files are merged."""

from __future__ import annotations

import heapq
import marshal
from collections.abc import Callable, Iterator
from typing import BinaryIO

_MEMORY = 64_000_000
_OBJECT = 60  # bytes that Python takes for one record beside its content
_BLOCK = 500  # records


class SortedRuns:
    """Takes records (bytes), and gives the same records sorted. ``scratch`` makes an empty file for each run."""

    def __init__(self, scratch: Callable[[], BinaryIO], memory: int = _MEMORY) -> None:
        self._scratch = scratch
        self._memory = memory
        self._room = memory
        self._waiting: list[bytes] = []
        self._runs: list[BinaryIO] = []

    def add(self, record: bytes) -> None:
        """Raises OSError when a scratch file cannot be written."""
        self._waiting.append(record)
        self._room -= len(record) + _OBJECT
        if self._room < 0:
            self._write_run()

    def merged(self) -> Iterator[bytes]:
        """All records in the order of their bytes. To be called once, after the last ``add``."""
        if not self._runs:
            self._waiting.sort()
            return iter(self._waiting)
        self._write_run()
        return heapq.merge(*map(_records, self._runs))

    def _write_run(self) -> None:
        self._waiting.sort()
        run = self._scratch()
        for start in range(0, len(self._waiting), _BLOCK):
            run.write(marshal.dumps(self._waiting[start : start + _BLOCK]))
        self._runs.append(run)
        self._waiting = []
        self._room = self._memory


def _records(run: BinaryIO) -> Iterator[bytes]:
    run.seek(0)
    while True:
        try:
            yield from marshal.load(run)  # noqa: S302 - what this process has written to a file without a name
        except EOFError:
            run.close()
            return
