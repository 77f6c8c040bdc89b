"""How far a run is: one line that is written over on a terminal, a plain log line every few seconds elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from edx2lrs.io.state.pieces import Progressed
from edx2lrs.io.state.state import State

_LOG = logging.getLogger("edx2lrs.progress")
_ON_A_TERMINAL, _IN_A_LOG = 0.5, 5.0  # seconds between two


class Progress:
    """Shows on standard error."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = 0.0
        self._shown = False

    def is_due(self, now: float) -> bool:
        """Whether it is time for another line; ``now`` as of ``time.monotonic``."""
        if not self._next:
            self._next = now + (0 if self._terminal else _IN_A_LOG)
        return now >= self._next

    def show(self, now: float, seconds: float, totals: Mapping[tuple[str, str], int], state: State) -> None:
        """``seconds`` since the run started, ``totals`` of its ledger."""
        self._next = now + (_ON_A_TERMINAL if self._terminal else _IN_A_LOG)
        text = line(seconds, totals, state.pieces.progress(), sum(state.outbox.waiting_counts().values()))
        if self._terminal:
            self._shown = True
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
        else:
            _LOG.info("%s", text)

    def end(self) -> None:
        """Leaves the terminal's line as it is."""
        if self._shown:
            print(file=sys.stderr)
            self._shown = False


def line(seconds: float, totals: Mapping[tuple[str, str], int], files: Progressed, waiting: int) -> str:
    """The line: files, bytes, events a second, statements that wait, dead letters."""
    read = totals.get(("", "read"), 0)
    dead = sum(number for (_, key), number in totals.items() if key.startswith(("dead/", "dead_records/", "dead_statements/")))
    return (
        f"{files.done} of {files.listed} files, {totals.get(('', 'bytes'), 0) / 1e6:,.1f} MB, {read:,} events"
        f" ({read / max(seconds, 0.001):,.0f}/s), {waiting:,} statements wait, {dead:,} dead"
    )
