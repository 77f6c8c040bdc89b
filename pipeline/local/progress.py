"""How far a run is, in one line."""

from __future__ import annotations

import logging

from edx2lrs.io.state.pieces import Progressed
from edx2lrs.io.state.state import State
from edx2lrs.pipeline.status_line import StatusLine
from edx2lrs.transforms.counters import DEAD, Counted, Tally

_OF_A_STREAM = 60.0  # seconds between two lines in a log


class Progress:
    """Shows on standard error."""

    def __init__(self) -> None:
        self._line = StatusLine(logging.getLogger("edx2lrs.progress"))
        self.is_due, self.end = self._line.is_due, self._line.end
        self._first: tuple[float, int] | None = None

    def show(self, now: float, seconds: float, totals: Tally, state: State) -> None:
        """``seconds`` since the run started, ``totals`` of its ledger."""
        files = state.pieces.progress()
        waiting = sum(state.outbox.waiting_counts().values())
        if not files.listed:
            self._line.show(now, stream_line(totals, waiting), _OF_A_STREAM)
            return
        began, at_first = self._first = self._first or (now, files.read)
        left = seconds_left(now - began, at_first, files)
        self._line.show(now, line(seconds, totals, files, waiting, left))


def seconds_left(seconds: float, at_first: int, files: Progressed) -> float | None:
    """How long it will take to read the rest, when reading went from ``at_first`` bytes (as stored) to where it is in
    ``seconds``; None as long as nobody can know."""
    gone = files.read - at_first
    return (files.size - files.read) * seconds / gone if gone > 0 and seconds > 0 else None


def line(
    seconds: float, totals: Tally, files: Progressed, waiting: int, left: float | None = None
) -> str:
    """The line: files (or parts of files), bytes as stored, bytes of text, events a second, time ``left``, statements that wait,
    dead letters."""
    read = totals.get(Counted("", "read"), 0)
    return (
        f"{files.done} of {files.listed} files, {files.read / 1e6:,.1f} of {files.size / 1e6:,.1f} MB"
        f" ({totals.get(Counted('', 'bytes'), 0) / 1e6:,.1f} MB of text), {read:,} events ({read / max(seconds, 0.001):,.0f}/s),"
        f"{_in_words(left)} {waiting:,} statements wait, {_dead(totals):,} dead"
    )


def stream_line(totals: Tally, waiting: int) -> str:
    """The line of a stream, which has no end."""
    return f"{totals.get(Counted('', 'read'), 0):,} events read, {waiting:,} statements wait, {_dead(totals):,} dead"


def _dead(totals: Tally) -> int:
    return sum(number for each, number in totals.items() if each.key in DEAD)


def _in_words(left: float | None) -> str:
    if left is None:
        return ""
    minutes, seconds = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f" {hours} h {minutes} min left,"
    return f" {minutes} min {seconds} s left," if minutes else f" {seconds} s left,"
