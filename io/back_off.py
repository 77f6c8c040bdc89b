"""How long to wait before the next attempt. Pure, but for the random numbers that it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Random: TypeAlias = Callable[[], float]
"""A random number in [0, 1), from a uniform distribution."""
_MOST_DOUBLINGS = 60  # 2.0 ** 60 seconds is longer than every cap, and no overflow


def always_longest() -> float:
    """For ``back_off`` without jitter: each wait is as long as it may be."""
    return 1.0


def back_off(failures: int, first: float, cap: float, random: Random = always_longest, jitter: float = 1.0) -> float:
    """Seconds to wait after ``failures`` failures in a row: ``first`` after the first failure, twice as long after each further
    failure, at most ``cap``. ``jitter``: the share of the wait that ``random`` decides about (1: all of the wait)."""
    longest = min(cap, first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
    return longest * (1.0 - jitter + jitter * random())
