"""Alerts: one JSON object on a line of standard error when something is wrong with a consumer, and one when the trouble is over.

Keys: ``time``, ``severity`` (WARNING, INFO), ``alert`` (circuit, credentials, backlog, age, dead_letters), ``state`` (raised, over),
``consumer`` ("" for records that no consumer was found for), ``waiting`` (statements), ``oldest_age`` and ``limit`` (seconds or
statements) for backlog and age, ``dead_letters`` and ``limit`` (of ten minutes) for dead letters, ``reason``.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from edx2lrs.io.delivery.notices import Notice, NoticeKind
from edx2lrs.transforms.config_types import Alert, Config

LOGGER = "edx2lrs.alert"
"""What the lines are logged under, bare (``pipeline.log_lines``)."""

AlertKind = Literal["circuit", "credentials", "backlog", "age", "dead_letters"]
AlertState = Literal["raised", "over"]
_NOTICES: Mapping[NoticeKind, tuple[AlertKind, AlertState]] = {
    "circuit_opened": ("circuit", "raised"),
    "circuit_closed": ("circuit", "over"),
    "credentials_refused": ("credentials", "raised"),
    "credentials_taken": ("credentials", "over"),
}
_OVER = 0.5  # of the limit: what is above and below it in turns is one alert
_LOOK_EVERY = 1.0  # seconds
_DEAD_SECONDS, _DEAD_EVERY = 600, 60  # in which dead letters count, and between two numbers that are remembered


class AlertNews(msgspec.Struct, frozen=True, omit_defaults=True, rename={"kind": "alert"}):
    """The content of an alert. Alerts about circuits and credentials have a ``reason``. Alerts about backlogs and ages have
    ``oldest_age`` (seconds) and ``limit`` (statements or seconds). Alerts about dead letters have their number, and ``limit``."""

    kind: AlertKind
    state: AlertState
    consumer: str
    waiting: int
    reason: str | UnsetType = UNSET
    oldest_age: float | UnsetType = UNSET
    dead_letters: int | UnsetType = UNSET
    limit: float | UnsetType | None = UNSET

    def line(self, time_text: str) -> str:
        """The alert as one line of JSON."""
        severity = "WARNING" if self.state == "raised" else "INFO"
        return json.dumps({"time": time_text, "severity": severity, **msgspec.to_builtins(self)})


class OverLimits:
    """Which consumers are over a limit. Not safe for threads by itself."""

    def __init__(self, config: Config) -> None:
        self._raised: set[tuple[str, AlertKind]] = set()
        self._dead_before: deque[Mapping[str, int]] = deque([{}], maxlen=_DEAD_SECONDS // _DEAD_EVERY)
        self._remember_at = float("-inf")
        self.follow(config)

    def follow(self, config: Config) -> None:
        """Take the limits from ``config``; each consumer's own come before those of the file."""
        common = config.alert
        self._limits = {
            consumer.name: Alert(
                backlog=consumer.alert.backlog or common.backlog,
                age=consumer.alert.age or common.age,
                dead_letters=consumer.alert.dead_letters or common.dead_letters,
            )
            for consumer in config.consumers
        }
        self._limits[""] = Alert(dead_letters=common.dead_letters)

    @property
    def has_dead_letters(self) -> bool:
        """Whether there is a limit of dead letters."""
        return any(limits.dead_letters for limits in self._limits.values())

    def news(self, waiting: Mapping[str, int], ages: Mapping[str, float]) -> list[AlertNews]:
        """Alerts that are raised or over, from the ``waiting`` statements of each consumer, and the age of the oldest in seconds."""
        found = []
        kinds: tuple[tuple[AlertKind, float, float | None], ...]
        for consumer, limits in self._limits.items():
            number, age = waiting.get(consumer, 0), ages.get(consumer, 0.0)
            kinds = (("backlog", number, limits.backlog), ("age", age, limits.age))
            for kind, value, limit in kinds:
                state = self._turn((consumer, kind), value, limit)
                if state is not None:
                    found.append(AlertNews(kind, state, consumer, number, oldest_age=round(age, 1), limit=limit))
        return found

    def news_of_dead(self, dead: Mapping[str, int], waiting: Mapping[str, int], now: float) -> list[AlertNews]:
        """Alerts about the dead letters of each consumer since the run began, at ``now`` (of ``time.monotonic``)."""
        found = []
        before = self._dead_before[0]
        for consumer, limits in self._limits.items():
            number = dead.get(consumer, 0) - before.get(consumer, 0)
            state = self._turn((consumer, "dead_letters"), number, limits.dead_letters)
            if state is not None:
                waits = waiting.get(consumer, 0)
                found.append(AlertNews("dead_letters", state, consumer, waits, dead_letters=number, limit=limits.dead_letters))
        if now >= self._remember_at:
            self._dead_before.append(dict(dead))
            self._remember_at = now + _DEAD_EVERY
        return found

    def _turn(self, key: tuple[str, AlertKind], value: float, limit: float | None) -> AlertState | None:
        if key in self._raised:
            if limit is None or value <= _OVER * limit:
                self._raised.discard(key)
                return "over"
        elif limit is not None and value > limit:
            self._raised.add(key)
            return "raised"
        return None


def log_line(line: str) -> None:
    """Log an alert, bare."""
    logging.getLogger(LOGGER).warning("%s", line)


class Alerts:
    """Writes the alerts of a run. ``tell`` gets each alert as a line; ``otherwise`` gets every notice that is no alert."""

    def __init__(self, config: Config, otherwise: Callable[[Notice], None], tell: Callable[[str], None] = log_line) -> None:
        self._limits = OverLimits(config)
        self._otherwise = otherwise
        self._tell = tell
        self._next = 0.0
        self.follow = self._limits.follow

    @property
    def has_dead_letters(self) -> bool:
        """Whether ``look`` needs to know of dead letters."""
        return self._limits.has_dead_letters

    def notice(self, notice: Notice) -> None:
        """Takes a notice of a sender, from any thread."""
        if notice.kind in _NOTICES:
            self._say([AlertNews(*_NOTICES[notice.kind], notice.consumer, notice.waiting, reason=notice.reason)])
        else:
            self._otherwise(notice)

    def is_due(self, now: float) -> bool:
        """Whether the next look at waiting statements is due; ``now`` as of ``time.monotonic``."""
        return now >= self._next

    def look(self, now: float, waiting: Mapping[str, int], oldest: Mapping[str, float], dead: Mapping[str, int] | None = None) -> None:
        """``waiting`` statements by consumer, and the time since which the oldest waits (wall time). ``dead``: letters of the run, by
        consumer ("": of records that no consumer was found for)."""
        self._next = now + _LOOK_EVERY
        wall_now = time.time()
        self._say(self._limits.news(waiting, {name: max(0.0, wall_now - since) for name, since in oldest.items()}))
        if dead is not None:
            self._say(self._limits.news_of_dead(dead, waiting, now))

    def _say(self, alerts: Sequence[AlertNews]) -> None:
        for alert in alerts:
            when = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._tell(alert.line(when))
