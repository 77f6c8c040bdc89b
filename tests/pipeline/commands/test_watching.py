"""The line that says how far a run over files is."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from edx2lrs.io.state.pieces import Progressed
from edx2lrs.pipeline.commands.watching import line
from edx2lrs.pipeline.job import HowFar


def after(read: int, done: int) -> str:
    return line(HowFar(2.0, read, 3_000_000, 1, 5, Progressed(4, done, 4_000_000, 1_000_000), None))


def test_before_the_first_record_the_line_says_that_workers_start() -> None:
    assert after(0, 0) == "0 of 4 files; the workers start, and read their first records"


def test_a_run_shows_files_bytes_events_and_what_waits() -> None:
    assert after(200, 1) == "1 of 4 files, 1.0 of 4.0 MB (3.0 MB of text), 200 events (100/s), 5 statements wait, 1 dead"


def test_a_run_that_finds_nothing_new_shows_that_all_files_are_read() -> None:
    assert after(0, 4).startswith("4 of 4 files, ")


STOPS_AND_WAITS = """
import threading
from edx2lrs.pipeline.commands.watching import stopped_by_signals
stop = threading.Event()
with stopped_by_signals(stop):
    print("ready", flush=True)
    stop.wait()
    print("stopping", flush=True)
    threading.Event().wait()
"""


@pytest.mark.parametrize(("first", "second"), [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_ctrl_c_answers_at_once_and_a_second_one_says_what_it_breaks_off(first: signal.Signals, second: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", STOPS_AND_WAITS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(first)
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(second)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -second
    stopping, broken_off = filter(None, said.splitlines())
    assert stopping.startswith("edx2lrs: stopping; ")
    assert broken_off.startswith("edx2lrs: broken off; waves under way were not kept")
