"""The last step on this machine: what a wave makes is gathered in this process, for its worker to keep in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache, partial

import apache_beam as beam

from edx2lrs.transforms.blocks import Block
from edx2lrs.transforms.failure import Failure


class Made:
    """What a wave made: blocks of statements, failures, and counts by consumer (or "") and key."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.failures: list[Failure] = []
        self.tally: Counter[tuple[str, str]] = Counter()


class Making:
    """The wave under way in ``folder``."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.made = Made()


@cache
def making(folder: str) -> Making:
    """That of ``folder``, the same for all steps in this process: FnApiRunner runs them here, and hands nothing back."""
    return Making(folder)


class Gather(beam.PTransform):
    """Puts blocks, failures and tallies where ``making(folder)`` has them."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def expand(self, parts: dict[str, beam.PCollection]) -> tuple[beam.PCollection, ...]:
        return (
            parts["blocks"] | "Gather blocks" >> beam.Map(partial(_take_block, self._folder)),
            parts["failures"] | "Gather failures" >> beam.Map(partial(_take_failure, self._folder)),
            parts["tallies"] | "Gather tallies" >> beam.Map(partial(_take_tally, self._folder)),
        )


def _take_block(folder: str, block: Block) -> None:
    making(folder).made.blocks.append(block)


def _take_failure(folder: str, failure: Failure) -> None:
    making(folder).made.failures.append(failure)


def _take_tally(folder: str, tally: Mapping[tuple[str, str], int]) -> None:
    making(folder).made.tally.update(tally)
