"""What a parent and its worker processes tell each other."""

from __future__ import annotations

from typing import NamedTuple

from edx2lrs.io.paths import absolute
from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.spec import Unit
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.matching.time_window import TimeWindow

STOP = "stop"
"""Told to a worker: finish the wave, and end."""
WAVE_BYTES = 32 * 1024 * 1024
FAULT = 3
"""The exit code of a worker that has told its parent a ``WorkerFailed``."""


class WorkerPlan(NamedTuple):
    """Everything that a worker is told. The plan is pickled, and holds no secret."""

    name: str
    config_path: str
    state_directory: str
    beam_arguments: tuple[str, ...]
    consumers: tuple[str, ...]
    outbox_bound: int
    workers: int = 1  # among whom the pieces are shared
    wave_bytes: int = WAVE_BYTES
    stream: SourceUrl | None = None  # None: files
    window: TimeWindow = TimeWindow()
    event_column: str | None = None


def plan_of(config_path: str, config: Config, state_directory: str, beam_arguments: tuple[str, ...]) -> WorkerPlan:
    """The plan that all workers of a job share. A name and the input of each worker are added later."""
    names = tuple(consumer.name for consumer in config.consumers)
    return WorkerPlan("", absolute(config_path), state_directory, beam_arguments, names, config.outbox.statements)


def for_workers(plan: WorkerPlan, number: int) -> list[WorkerPlan]:
    """The plans of this number of workers, who share the input."""
    return [plan._replace(name=f"worker-{each}", workers=number) for each in range(1, number + 1)]


class UnreadableFile(NamedTuple):
    """Told to the parent: a file that could not be read, or gave nothing usable, with the reason."""

    path: str
    message: str


class WorkerFailed(NamedTuple):
    """Told to the parent: why the worker cannot go on."""

    message: str


class WaveAt(NamedTuple):
    """Told to the parent: how many records of its wave the worker has read; None: the worker has no wave under way. ``again``: a
    process has ended in a wave with these records."""

    records: int | None
    again: bool = False


class KeptSomething(NamedTuple):
    """Told to the parent: new statements may be ready to be sent."""


class SourceStanding(NamedTuple):
    """Told to the parent: how a stream stands. ``at``: the moment of this, by the monotonic clock of the machine; ``quiet``: seconds
    since its last message came, or since the worker began. ``behind``: what is not read yet, in ``unit``; None: not known."""

    worker: str
    source: str
    unit: Unit
    at: float
    quiet: float
    behind: float | None


class SourceTrouble(NamedTuple):
    """Told to the parent: why a stream cannot be read at this moment; "" means that the stream can be read again."""

    worker: str
    message: str
