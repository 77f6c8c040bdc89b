"""How a command watches its job: one line on standard error says how far it is, SIGTERM and Ctrl-C end it in order."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from edx2lrs.pipeline.commands.status_line import StatusLine, steps_shown
from edx2lrs.pipeline.job import Control, HowFar
from edx2lrs.transforms.formats.number_words import counted

_STOPPING = (
    "edx2lrs: stopping; what is under way is finished: waves are kept, and requests are answered. Once more (Ctrl-C, SIGTERM) breaks"
    " them off"
)
_BROKEN_OFF = (
    "edx2lrs: broken off; waves under way were not kept and are read again, and statements of requests under way are sent again,"
    " with the same ids. The same command with the same --state goes on"
)
_OF_A_STREAM = 60.0  # seconds between two lines in a log


@contextmanager
def watched() -> Iterator[Control]:
    """Watches one job, in the main thread of a process that runs no other job."""
    of_job, stop = StatusLine(), threading.Event()
    with ExitStack() as stack, ExitStack() as before:
        stack.callback(of_job.end)
        on_table = before.enter_context(steps_shown("lms.external_ids"))

        def began() -> None:
            before.close()
            gc.freeze()  # what is loaded by now is no garbage, and senders make many objects
            stack.enter_context(stopped_by_signals(stop))

        def on_progress(how_far: HowFar) -> None:
            now = time.monotonic()
            if of_job.is_due(now) and how_far.files is None:
                of_job.show(now, stream_line(how_far), _OF_A_STREAM)
            elif of_job.is_due(now):
                of_job.show(now, line(how_far))

        yield Control(stop, began, on_progress, on_table)


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """The first SIGTERM or Ctrl-C sets ``stop``, and answers at once; a second one says what it breaks off, and ends the process."""

    def set_stop(number: int, _frame: Any) -> None:
        if not stop.is_set():
            stop.set()
            _answer(_STOPPING)
            return
        _answer(_BROKEN_OFF)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    before = {number: signal.signal(number, set_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answer(text: str) -> None:
    """At once, and whatever the process was printing: a handler of signals may interrupt another print."""
    with contextlib.suppress(OSError):
        os.write(2, f"\r{text}\n".encode())


def line(how_far: HowFar) -> str:
    """Of a job over files: files, bytes as stored, bytes of text, events a second, time left, waiting, dead letters."""
    files = how_far.files
    assert files is not None
    if not how_far.read and files.done < files.listed:
        return f"{files.done} of {counted(files.listed, 'file')}; the workers start, and read their first records"
    speed = how_far.read / max(how_far.seconds, 0.001)
    return (
        f"{files.done} of {counted(files.listed, 'file')}, {files.read / 1e6:,.1f} of {files.size / 1e6:,.1f} MB"
        f" ({how_far.text_bytes / 1e6:,.1f} MB of text), {counted(how_far.read, 'event')} ({speed:,.0f}/s),"
        f"{_in_words(how_far.left)} {_waits(how_far.waiting)}, {how_far.dead:,} dead"
    )


def stream_line(how_far: HowFar) -> str:
    """Of a stream, which has no end."""
    return f"{counted(how_far.read, 'event')} read, {_waits(how_far.waiting)}, {how_far.dead:,} dead"


def _waits(statements: int) -> str:
    return f"{counted(statements, 'statement')} {'waits' if statements == 1 else 'wait'}"


def _in_words(left: float | None) -> str:
    if left is None:
        return ""
    minutes, seconds = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f" {hours} h {minutes} min left,"
    return f" {minutes} min {seconds} s left," if minutes else f" {seconds} s left,"
