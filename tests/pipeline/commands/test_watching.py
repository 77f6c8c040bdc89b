"""The line that says how far a run over files is."""

from __future__ import annotations

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
