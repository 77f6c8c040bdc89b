"""Alerts (``pipeline.alerts``) on Flink and Dataflow: what a worker process sees of consumers by the shards that it serves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from edx2lrs.io.delivery.circuit import Circuit
from edx2lrs.io.delivery.notices import Notice, NoticeKind
from edx2lrs.pipeline.alerts import Alerts, log_line
from edx2lrs.pipeline.compiled_config import CurrentConfig
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.packing.shards import ShardKey, shards

_FORGOTTEN_AFTER = 900.0  # seconds without a turn: another worker serves that shard


class _Seen(NamedTuple):
    at: float
    circuit: Circuit
    waiting: int
    since: float | None


class ShardAlerts:
    """One line for a consumer, however many of its shards are in trouble, from each worker process that serves one of them.

    How many statements wait for a consumer is reckoned from the shards that are known here: ids are spread evenly over all.
    """

    def __init__(self, config: Config, tell: Callable[[str], None] = log_line) -> None:
        self._lock = threading.Lock()
        self._alerts = Alerts(config, otherwise=lambda _: None, tell=tell)
        self._seen: dict[str, dict[int, _Seen]] = {}
        self._told: dict[str, set[NoticeKind]] = {}
        self._config: Config | None = None
        self.follow(config)

    def follow(self, config: Config) -> None:
        """Take limits and shards from ``config``."""
        with self._lock:
            if config is not self._config:
                self._config = config
                self._shards = {consumer.name: shards(consumer) for consumer in config.consumers}
                self._alerts.follow(config)

    def saw(self, key: ShardKey, circuit: Circuit, waiting: int, since: float | None) -> None:
        """How a shard stands after it was served: ``waiting`` statements, the oldest ``since`` (wall time)."""
        now = time.monotonic()
        with self._lock:
            there = self._seen.setdefault(key.consumer, {})
            before = there.get(key.shard)
            there[key.shard] = _Seen(now, circuit, waiting, since)
            if before is None or before.circuit.state != circuit.state:
                self._tell_circuit(key.consumer, there.values())
            if self._alerts.is_due(now):
                self._forget(now)
                for name, shards_there in self._seen.items():
                    self._tell_circuit(name, shards_there.values())
                self._alerts.look(now, {name: self._waiting(name) for name in self._seen}, self._oldest())

    def _tell_circuit(self, consumer: str, there: Iterable[_Seen]) -> None:
        broken = [each.circuit for each in there if each.circuit.state != "closed"]
        reasons = [circuit.reason for circuit in broken]
        refused = [circuit.reason for circuit in broken if circuit.kind == "credentials"]
        told = self._told.setdefault(consumer, set())
        news: list[tuple[list[str], NoticeKind, NoticeKind]] = [
            (refused, "credentials_refused", "credentials_taken"),
            (reasons, "circuit_opened", "circuit_closed"),
        ]
        for why, begun, over in news:
            if bool(why) != (begun in told):
                told.symmetric_difference_update({begun})
                self._alerts.notice(Notice(begun if why else over, consumer, why[0] if why else "", self._waiting(consumer)))

    def _waiting(self, consumer: str) -> int:
        known = self._seen[consumer].values()
        return sum(each.waiting for each in known) * self._shards.get(consumer, len(known)) // max(1, len(known))

    def _oldest(self) -> dict[str, float]:
        moments = {name: [each.since for each in there.values() if each.since] for name, there in self._seen.items()}
        return {name: min(found) for name, found in moments.items() if found}

    def _forget(self, now: float) -> None:
        for there in self._seen.values():
            for shard in [shard for shard, each in there.items() if now - each.at > _FORGOTTEN_AFTER]:
                del there[shard]


@cache
def shard_alerts(current: CurrentConfig) -> ShardAlerts:
    """The alerts of this process for the job."""
    return ShardAlerts(current.config)
