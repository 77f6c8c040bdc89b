"""The first and the last step on this machine. A wave's records go in; the results are gathered in this process, and the worker
keeps them in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import apache_beam as beam

from edx2lrs.pipeline.local.wave import MessageWave, Wave, records
from edx2lrs.pipeline.steps import ReadStep
from edx2lrs.transforms.counters import Counted

_NO_WAVE = Wave(())


def _ignore(_: int) -> None:
    """Nobody wants to know it."""


class UnderWay:
    """The wave that goes through the graph of ``runner``, and what it has made so far: ``blocks``, ``failures`` and ``tallies``.
    ``on_records`` is told how many of its records have gone through."""

    def __init__(self, runner: str) -> None:
        self.runner = runner
        self.clear()

    def clear(self) -> None:
        """No wave is in the graph."""
        self.wave: Wave | MessageWave = _NO_WAVE
        self.made: dict[str, list[Any]] = defaultdict(list)
        self.on_records: Callable[[int], None] = _ignore


@cache
def under_way(runner: str) -> UnderWay:
    """The ``UnderWay`` of a runner in this process, the same for all of its steps. FnApiRunner runs the steps in this process, but
    passes only encoded elements between the steps."""
    return UnderWay(runner)


class ReadWave(ReadStep):
    """The records of the runner's wave, whatever comes in. Parts of files that could not be read are failures."""

    def __init__(self, runner: str) -> None:
        super().__init__()
        self._runner = runner

    def process(self, _: Any) -> Iterator[Any]:
        wave = under_way(self._runner).wave
        on_records, read = under_way(self._runner).on_records, 0
        for chunk in self.chunks(records(wave)):
            yield chunk
            read += len(chunk)  # and through all steps, which are one to Beam
            on_records(read)
        yield from self.failed(wave.failures)
        self.tally[Counted("", "bytes")] += wave.size


class Gather(beam.PTransform):
    """Adds blocks, failures and tallies to what ``under_way(runner)`` has made."""

    def __init__(self, runner: str) -> None:
        super().__init__()
        self._runner = runner

    def expand(self, parts: dict[str, beam.PCollection]) -> tuple[beam.PCollection, ...]:
        return tuple(part | f"Gather {kind}" >> beam.Map(partial(_take, self._runner, kind)) for kind, part in parts.items())


def _take(runner: str, kind: str, element: Any) -> None:
    under_way(runner).made[kind].append(element)
