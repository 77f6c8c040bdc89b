"""How fast statements are sent to one consumer: statements in a second, pauses that the consumer asked for, requests in flight.
Pure."""

from __future__ import annotations

import math

from edx2lrs.transforms.config_types import Rate

_START = 4  # requests in flight, where so many are allowed
_STEP = 8  # answers that a step up or down is made of
_SHORT_SECONDS = 0.1  # a round trip that takes no longer is short, whatever the others take
_SHORT = 1.5  # of the best: at most so much is short
_LONG = 2.0  # of the best: more is long


def steady_size(size: int, rate: Rate) -> int:
    """The number of statements in a batch, at most ``size``, with which whole batches fill a second of the rate best."""
    per_second = rate.statements_per_second
    if per_second is None:
        return size
    return min(size, max(1, math.floor(per_second / math.ceil(per_second / size))))


class Pace:
    """The pace of one consumer; not safe for threads by itself. Times are seconds of a monotonic clock.

    The rate allows no bursts: batches are sent at equal distances, and no second has more statements than the rate. Push-back
    halves the requests in flight, down to 1. While round trips are short, the number rises by one at a time, up to
    ``rate.concurrency``. When round trips become long, the LRS is at its limit, and the number falls by one. Short and long are
    compared with the best round trips of late, among batches of similar size."""

    def __init__(self, rate: Rate) -> None:
        self._per_second = rate.statements_per_second
        self._most = rate.concurrency
        self.in_flight_limit = min(_START, rate.concurrency)
        self.next_at = 0.0
        self._halved_until = 0.0
        self._round_trips: dict[int, list[float]] = {}  # since the last step, by bits of the batch's size
        self._best: dict[int, float] = {}
        self._was_full = False

    def sent(self, statements: int, now: float) -> None:
        """A request with this number of statements is sent at ``now``."""
        if self._per_second is not None:
            batches = self._per_second / statements  # in a second
            self.next_at = max(self.next_at, now) + 1 / (math.floor(batches) or batches)

    def accepted(self, statements: int, seconds: float, full: bool) -> None:
        """A batch of this number of statements was accepted after this number of seconds. ``full``: all allowed requests were in
        flight."""
        self._was_full |= full
        bits = statements.bit_length()
        round_trips = self._round_trips.setdefault(bits, [])
        round_trips.append(seconds)
        if len(round_trips) == _STEP:
            self._step(bits, sorted(round_trips)[_STEP // 2])

    def _step(self, bits: int, usual: float) -> None:
        # One request alone takes as long as it takes: an LRS that has become slower is measured anew there.
        best = usual if self.in_flight_limit == 1 else min(self._best.get(bits, usual), usual)
        self._best[bits] = best
        if usual > max(_LONG * best, _SHORT_SECONDS):
            self.in_flight_limit = max(1, self.in_flight_limit - 1)
        elif usual <= max(_SHORT * best, _SHORT_SECONDS) and self._was_full:
            self.in_flight_limit = min(self._most, self.in_flight_limit + 1)
        self._start_over()

    def pushed_back(self, pause: float, calm: float, now: float) -> None:
        """The LRS asked for less: no request for ``pause`` seconds, and half as many requests in flight. Answers to requests that
        were in flight already (for ``calm`` seconds) do not halve the number again."""
        self.next_at = max(self.next_at, now + pause)
        self._start_over()
        if now >= self._halved_until:
            self.in_flight_limit = max(1, self.in_flight_limit // 2)
            self._halved_until = now + calm

    def restart(self) -> None:
        """The consumer is back after an outage: one request at a time at first."""
        self.in_flight_limit = 1
        self._start_over()

    def _start_over(self) -> None:
        self._round_trips.clear()
        self._was_full = False
