"""How far a run is, in one line."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from edx2lrs.io.state.pieces import Progressed
from edx2lrs.io.state.state import State
from edx2lrs.pipeline.status_line import StatusLine


class Progress:
    """Shows on standard error."""

    def __init__(self) -> None:
        self._line = StatusLine(logging.getLogger("edx2lrs.progress"))
        self.is_due, self.end = self._line.is_due, self._line.end

    def show(self, now: float, seconds: float, totals: Mapping[tuple[str, str], int], state: State) -> None:
        """``seconds`` since the run started, ``totals`` of its ledger."""
        self._line.show(now, line(seconds, totals, state.pieces.progress(), sum(state.outbox.waiting_counts().values())))


def line(seconds: float, totals: Mapping[tuple[str, str], int], files: Progressed, waiting: int) -> str:
    """The line: files, bytes, events a second, statements that wait, dead letters."""
    read = totals.get(("", "read"), 0)
    dead = sum(number for (_, key), number in totals.items() if key.startswith(("dead/", "dead_records/", "dead_statements/")))
    return (
        f"{files.done} of {files.listed} files, {totals.get(('', 'bytes'), 0) / 1e6:,.1f} MB, {read:,} events"
        f" ({read / max(seconds, 0.001):,.0f}/s), {waiting:,} statements wait, {dead:,} dead"
    )
