"""How long requests take: one histogram of all consumers, and quantiles that are estimated from its buckets."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Histogram, Metric

METRIC = "edx2lrs_consumer_request_seconds"
BUCKETS = tuple(float(f"{0.001 * 10 ** (step / 8):.2g}") for step in range(41))
"""Upper bounds in seconds: from 1 ms to 100 s, eight in a decade. One bound is at most 1.39 times the bound before."""


class RequestSeconds:
    """The histogram of one run. Safe for threads."""

    def __init__(self) -> None:
        self._histogram = Histogram(METRIC, "How long requests take.", ["consumer"], registry=None, buckets=BUCKETS)

    def observer(self, consumer: str) -> Callable[[float], None]:
        """What takes the seconds of one request to ``consumer``."""
        return self._histogram.labels(consumer).observe

    def metrics(self) -> Iterable[Metric]:
        for metric in self._histogram.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric

    def quantiles(self, *shares: float) -> dict[str, list[float]]:
        """For each consumer: the seconds that each of ``shares`` (0 to 1) of the requests did not exceed, 0 where there were none.

        An estimate is the geometric mean of its bucket's bounds: wrong by at most 18 %, between 1 ms and 100 s."""
        cumulative: dict[str, list[float]] = defaultdict(list)
        for metric in self._histogram.collect():
            for sample in metric.samples:
                if sample.name.endswith("_bucket"):
                    cumulative[sample.labels["consumer"]].append(sample.value)
        return {consumer: [_quantile(counts, share) for share in shares] for consumer, counts in cumulative.items()}


def _quantile(cumulative: Sequence[float], share: float) -> float:
    """``cumulative``: how many requests each bucket and those before it hold; the last bucket has no upper bound."""
    if not cumulative[-1]:
        return 0.0
    bucket = next(index for index, count in enumerate(cumulative) if count >= share * cumulative[-1])
    if bucket == len(BUCKETS):
        return BUCKETS[-1]
    return math.sqrt(BUCKETS[bucket] * BUCKETS[bucket - 1]) if bucket else BUCKETS[0]
