"""The first and the last step on this machine. A wave's records go in; the results are gathered in this process, and the worker
keeps them in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import apache_beam as beam

from edx2lrs.pipeline.local.wave import MessageWave, Wave, records
from edx2lrs.pipeline.steps import ReadStep
from edx2lrs.transforms.counters import Counted, Tally
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.packing.blocks import Block

_NO_WAVE = Wave(())


class Made:
    """What a wave made: blocks of statements, failures, and counts by consumer (or "") and key."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.failures: list[Failure] = []
        self.tally: Counter[Counted] = Counter()


class UnderWay:
    """The wave that goes through the graph of ``runner``, and what it has made so far."""

    def __init__(self, runner: str) -> None:
        self.runner = runner
        self.clear()

    def clear(self) -> None:
        """No wave is in the graph."""
        self.wave: Wave | MessageWave = _NO_WAVE
        self.made = Made()


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
        yield from self.chunks(records(wave))
        yield from self.failed(wave.failures)
        self.tally[Counted("", "bytes")] += wave.size


class Gather(beam.PTransform):
    """Adds blocks, failures and tallies to ``under_way(runner)``."""

    def __init__(self, runner: str) -> None:
        super().__init__()
        self._runner = runner

    def expand(self, parts: dict[str, beam.PCollection]) -> tuple[beam.PCollection, ...]:
        return (
            parts["blocks"] | "Gather blocks" >> beam.Map(partial(_take_block, self._runner)),
            parts["failures"] | "Gather failures" >> beam.Map(partial(_take_failure, self._runner)),
            parts["tallies"] | "Gather tallies" >> beam.Map(partial(_take_tally, self._runner)),
        )


def _take_block(runner: str, block: Block) -> None:
    under_way(runner).made.blocks.append(block)


def _take_failure(runner: str, failure: Failure) -> None:
    under_way(runner).made.failures.append(failure)


def _take_tally(runner: str, tally: Tally) -> None:
    under_way(runner).made.tally.update(tally)
