"""What a parent and its worker processes tell each other."""

from __future__ import annotations

from typing import NamedTuple

from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.transforms.matching.time_window import TimeWindow

WAVE_BYTES = 32 * 1024 * 1024
FAULT = 3
"""The exit code of a worker that has told its parent a ``WorkerFailed``."""


class WorkerPlan(NamedTuple):
    """All that a worker is told; it is pickled, and holds no secret."""

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


class UnreadableFile(NamedTuple):
    """Told to the parent: a file that could not be read, with the reason."""

    path: str
    message: str


class WorkerFailed(NamedTuple):
    """Told to the parent: why the worker cannot go on."""

    message: str


class KeptSomething(NamedTuple):
    """Told to the parent: there may be something to send."""


class SourceTrouble(NamedTuple):
    """Told to the parent: why a stream cannot be read just now; with "" it can again."""

    worker: str
    message: str
