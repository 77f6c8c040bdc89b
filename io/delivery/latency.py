"""Durations in bounded memory: counts per class of a logarithmic scale."""

from __future__ import annotations

import math

_SHORTEST = 0.0001
_GROWTH = 1.05  # a quantile is right within 5 percent
_CLASSES = 320  # up to 10 minutes


class Durations:
    """Counts durations in seconds and gives quantiles; not safe for threads by itself."""

    def __init__(self) -> None:
        self._counts = [0] * _CLASSES
        self.count = 0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        place = math.ceil(math.log(max(seconds, _SHORTEST) / _SHORTEST, _GROWTH))
        self._counts[min(place, _CLASSES - 1)] += 1
        self.count += 1

    def quantile(self, share: float) -> float:
        """Seconds that ``share`` (0 to 1) of the durations did not exceed; 0 when there are none."""
        left = math.ceil(share * self.count)
        for place, count in enumerate(self._counts):
            left -= count
            if left <= 0:
                return _SHORTEST * _GROWTH**place if self.count else 0.0
        return 0.0
