"""The body of a worker process. Logging is set up before Beam is imported, since Beam warns during its import."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from edx2lrs.io.sources.address import SourceUrlError
from edx2lrs.io.sources.source import SourceError
from edx2lrs.pipeline.local.worker_messages import FAULT, STOP, WorkerFailed, WorkerPlan
from edx2lrs.pipeline.log_lines import set_up_logging


def main(plan: WorkerPlan, parent: Connection) -> None:
    """The body of the process. Exits with 0 when no piece is left or the parent says ``STOP``, with 3 after a ``WorkerFailed``."""
    for number in (signal.SIGINT, signal.SIGTERM):  # both signals may reach the whole group; the parent says when to stop
        signal.signal(number, signal.SIG_IGN)
    stopping = threading.Event()
    threading.Thread(target=_follow, args=(parent, stopping), name="parent", daemon=True).start()
    set_up_logging()
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # an error of a wave is reported once, in one line
    from edx2lrs.io.sources.files import use_options
    from edx2lrs.io.state.errors import StateError
    from edx2lrs.io.state.state import join_state
    use_options(plan.beam_arguments)
    try:
        state = join_state(Path(plan.state_directory))
        with contextlib.closing(state):
            if plan.stream is None:
                from edx2lrs.pipeline.local.worker import Worker

                Worker(plan, state, parent, stopping).work()
            else:
                from edx2lrs.pipeline.local.stream_worker import StreamWorker

                StreamWorker(plan, plan.stream, state, parent, stopping).work()
    except Exception as error:
        is_told = isinstance(error, (StateError, SourceError, SourceUrlError, OSError))  # in words for a person
        parent.send(WorkerFailed(str(error) if is_told else innermost(error)))
        raise SystemExit(FAULT) from None


def _follow(parent: Connection, stopping: threading.Event) -> None:
    """Sets ``stopping`` when the parent says ``STOP``. Ends the worker when its parent ends: without the parent, nobody sends the
    statements, and the next run would meet the worker. An event of multiprocessing would wait by the wall clock, which can be set."""
    with contextlib.suppress(EOFError, OSError):
        while parent.recv() == STOP:
            stopping.set()
    os._exit(1)


def innermost(error: BaseException) -> str:
    """The last line of the text that Beam wraps around an error of a step."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}".splitlines()[0][:500]
