"""The line that says how far something is, on a terminal and in a log."""

from __future__ import annotations

import logging
from io import StringIO

import pytest

from edx2lrs.pipeline.commands.status_line import StatusLine, steps_shown


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """In place of the standard error that pytest gives a test."""
    made = Terminal()
    monkeypatch.setattr("sys.stderr", made)
    return made


def shown(line: StatusLine, *seconds: float) -> None:
    for now in seconds:
        if line.is_due(now):
            line.show(now, f"at {now:g}")
    line.end()


def test_on_a_terminal_one_line_is_written_over_at_once_and_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    shown(StatusLine(), 100, 100.2, 100.5, 100.9, 101)
    assert terminal.getvalue() == "\rat 100\x1b[K\rat 100.5\x1b[K\rat 101\x1b[K\n"


def test_in_a_log_there_is_a_line_every_five_seconds(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "edx2lrs.progress"):
        shown(StatusLine(), 100, 104, 105, 109, 110)
    assert caplog.messages == ["at 105", "at 110"]


def test_what_ends_soon_leaves_the_terminal_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    with steps_shown("table"):
        pass
    assert terminal.getvalue() == ""


def test_steps_are_shown_with_what_they_belong_to(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    with steps_shown("table") as step:
        step("5 rows")
    assert terminal.getvalue() == "\rtable: 5 rows\x1b[K\n"
