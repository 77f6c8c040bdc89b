"""How fast one consumer is fed: statements per second, pauses that it asked for, requests in flight. Pure."""

from __future__ import annotations

from edx2lrs.transforms.config_types import Rate

# Answers in a row that let one request more be in flight.
_STEP_UP = 8


class Pace:
    """The pace of one consumer; not safe for threads by itself. Times are seconds of a monotonic clock.

    The rate knows no bursts: after n statements the next batch may go n / rate seconds later. Push-back halves the
    requests in flight, down to 1; answers that go well raise them by one at a time, up to ``rate.concurrency``.
    """

    def __init__(self, rate: Rate) -> None:
        self._seconds_each = 1.0 / rate.statements_per_second if rate.statements_per_second else 0.0
        self._most = rate.concurrency
        self.in_flight_limit = rate.concurrency
        self.next_at = 0.0
        self._halved_until = 0.0
        self._successes = 0

    def sent(self, statements: int, now: float) -> None:
        """A request with so many statements goes out at ``now``."""
        if self._seconds_each:
            self.next_at = max(self.next_at, now) + statements * self._seconds_each

    def accepted(self) -> None:
        """An answer went well."""
        self._successes += 1
        if self._successes >= _STEP_UP and self.in_flight_limit < self._most:
            self.in_flight_limit += 1
            self._successes = 0

    def pushed_back(self, pause: float, calm: float, now: float) -> None:
        """The LRS asked for less: nothing for ``pause`` seconds, and half as many in flight. Answers to requests that
        were under way (for ``calm`` seconds) do not halve it again."""
        self.next_at = max(self.next_at, now + pause)
        self._successes = 0
        if now >= self._halved_until:
            self.in_flight_limit = max(1, self.in_flight_limit // 2)
            self._halved_until = now + calm

    def restart(self) -> None:
        """The consumer is back after an outage: one request at a time at first."""
        self.in_flight_limit = 1
        self._successes = 0
