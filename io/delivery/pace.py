"""How fast one consumer is fed: statements per second, pauses that it asked for, requests in flight. Pure."""

from __future__ import annotations

import math

from edx2lrs.transforms.config_types import Rate

_START = 4  # requests in flight, where so many are allowed
_STEP = 8  # answers that a step up or down is made of
_SHORT_SECONDS = 0.1  # a round trip that takes no longer is short, whatever the others take
_SHORT = 1.5  # of the best: at most so much is short
_LONG = 2.0  # of the best: more is long


def steady_size(size: int, rate: Rate) -> int:
    """Statements in a batch, at most ``size``, so that whole ones fill a second of the rate as well as they can."""
    per_second = rate.statements_per_second
    if per_second is None:
        return size
    return min(size, max(1, math.floor(per_second / math.ceil(per_second / size))))


class Pace:
    """The pace of one consumer; not safe for threads by itself. Times are seconds of a monotonic clock.

    The rate knows no bursts: batches go out evenly, and no second has more of them than the rate says. Push-back halves the
    requests in flight, down to 1. While round trips stay short they rise by one at a time, up to ``rate.concurrency``; when
    round trips get long, the LRS has no more to give, and they fall by one. Short and long are by the best of late, among
    batches of like size.
    """

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
        """A request with so many statements goes out at ``now``."""
        if self._per_second is not None:
            batches = self._per_second / statements  # in a second
            self.next_at = max(self.next_at, now) + 1 / (math.floor(batches) or batches)

    def accepted(self, statements: int, seconds: float, full: bool) -> None:
        """A batch of so many statements was accepted after so many seconds; ``full``: no more requests could be in flight."""
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
        """The LRS asked for less: nothing for ``pause`` seconds, and half as many in flight. Answers to requests that
        were under way (for ``calm`` seconds) do not halve it again."""
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
