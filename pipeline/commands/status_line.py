"""How far something is: one line that is written over on a terminal, a plain log line every few seconds elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edx2lrs.pipeline.commands.guarded_output import plain
from edx2lrs.transforms.formats.printable import printable

_ON_A_TERMINAL, _IN_A_LOG = 0.5, 5.0  # seconds between two


class StatusLine:
    """Shows on standard error; in a log as ``edx2lrs.progress``."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("edx2lrs.progress")
        self._terminal = sys.stderr.isatty()
        self._next = 0.0
        self._shown = False

    def is_due(self, now: float) -> bool:
        """Whether it is time for another line; ``now`` as of ``time.monotonic``."""
        if not self._next:
            self._next = now + (0 if self._terminal else _IN_A_LOG)
        return now >= self._next

    def show(self, now: float, text: str, in_a_log: float = _IN_A_LOG) -> None:
        """Shows ``text`` as the line of ``now``; ``in_a_log``: seconds until the next, where it is a log line."""
        self._next = now + (_ON_A_TERMINAL if self._terminal else in_a_log)
        if self._terminal:
            self._shown = True
            print(f"\r{printable(text)}\x1b[K", end="", file=plain(sys.stderr), flush=True)
        else:
            self._logger.info("%s", text)

    def end(self) -> None:
        """Leaves the terminal's line as it is."""
        if self._shown:
            print(file=sys.stderr)
            self._shown = False


@contextmanager
def steps_shown(what: str) -> Iterator[Callable[[str], None]]:
    """Gives a function that shows texts on how far ``what`` is, as often as a reader can follow."""
    line = StatusLine()

    def step(text: str) -> None:
        now = time.monotonic()
        if line.is_due(now):
            line.show(now, f"{what}: {text}")

    try:
        yield step
    finally:
        line.end()
