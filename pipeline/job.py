"""A job from the side of the program that starts it: the request, how the job is stopped and watched, the result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.state.pieces import Progressed


@dataclass(frozen=True)
class RunRequest:
    """The request for `run`. ``since`` and ``until``: canonical times. ``http``: ``[HOST:]PORT``. ``event_column``: of tables,
    the column that holds the events. ``beam``: Beam's own options. ``send_held``: what waits under other terms than today's is sent,
    too."""

    config: str
    inputs: tuple[str, ...]
    state: str | None = None
    workers: int | None = None
    since: str | None = None
    until: str | None = None
    report: str | None = None
    http: str | None = None
    pubsub_id_label: str | None = None
    dry_run: bool = False
    event_column: str | None = None
    beam: tuple[str, ...] = ()
    send_held: bool = False


@dataclass(frozen=True)
class HowFar:
    """How far a job on this machine is: ``seconds`` since it started, events, bytes of text, dead letters of records and statements,
    statements that wait; its ``files`` (None: a stream), and the seconds that are ``left`` (None: not known)."""

    seconds: float
    read: int
    text_bytes: int
    dead: int
    waiting: int
    files: Progressed | None
    left: float | None


@dataclass(frozen=True)
class Control:
    """How a job is stopped and watched. Callbacks are called in the thread that runs the job.

    ``stop`` may be set by any thread: a job that has begun (``began`` is called) then ends in order. ``on_table``: of external ids."""

    stop: threading.Event = field(default_factory=threading.Event)
    began: Callable[[], None] = silent
    on_progress: Callable[[HowFar], None] = silent
    on_table: OnProgress = silent


@dataclass(frozen=True)
class JobResult:
    """``report``: of ``pipeline.report``; None if an engine keeps the counts. ``unreadable``: why a file could not be read, or gave
    nothing. ``stopped``: before its end. ``engine_job``: the job's id on Dataflow. ``writes_stdout``: a consumer's statements are
    there. ``why_nothing``: why no record was read, where none was."""

    report: Mapping[str, Any] | None = None
    unreadable: tuple[str, ...] = ()
    stopped: bool = False
    is_stream: bool = False
    engine_job: str | None = None
    writes_stdout: bool = False
    why_nothing: str = ""


class JobFailed(Exception):
    """Why a job cannot go on."""
