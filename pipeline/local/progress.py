"""How far a run is, reported twice a second."""

from __future__ import annotations

from collections.abc import Callable

from edx2lrs.io.state.pieces import Progressed
from edx2lrs.io.state.state import State
from edx2lrs.pipeline.job import HowFar
from edx2lrs.transforms.counters import DEAD, Counted, Tally

_EVERY = 0.5  # seconds


class Progress:
    """Tells it to ``on_progress``, twice a second."""

    def __init__(self, on_progress: Callable[[HowFar], None]) -> None:
        self._on_progress = on_progress
        self._next = 0.0
        self._first: tuple[float, int] | None = None
        self._read = 0

    def is_due(self, now: float) -> bool:
        """Whether the next report is due; ``now`` as of ``time.monotonic``."""
        return now >= self._next

    def tell(self, now: float, seconds: float, totals: Tally, state: State, in_waves: int) -> None:
        """``seconds`` since the run started, ``totals`` of its ledger; ``in_waves``: records that are read and not kept yet."""
        self._next = now + _EVERY
        files = state.pieces.progress()
        left = None
        if files.listed:
            began, at_first = self._first = self._first or (now, files.read)
            left = seconds_left(now - began, at_first, files)
        self._read = max(self._read, totals.get(Counted("", "read"), 0) + in_waves)  # of a wave that is being kept, neither has all
        text_bytes = totals.get(Counted("", "bytes"), 0)
        waiting = sum(state.outbox.waiting_counts().values())
        dead = sum(number for each, number in totals.items() if each.key in DEAD)
        self._on_progress(HowFar(seconds, self._read, text_bytes, dead, waiting, files if files.listed else None, left))


def seconds_left(seconds: float, at_first: int, files: Progressed) -> float | None:
    """The seconds until the rest is read, if reading went from ``at_first`` bytes (as stored) to the present number in ``seconds``.
    None while the speed is not known."""
    gone = files.read - at_first
    return (files.size - files.read) * seconds / gone if gone > 0 and seconds > 0 else None
