"""Alerts on Flink and Dataflow: a worker process tells what it sees of a consumer by the shards that it serves."""

from __future__ import annotations

import json
import time

import pytest

from edx2lrs.io.delivery.circuit import Circuit
from edx2lrs.pipeline.engines import shard_alerts
from edx2lrs.pipeline.engines.shard_alerts import ShardAlerts
from edx2lrs.transforms.config_types import Alert, Rate
from edx2lrs.transforms.packing.shards import ShardKey
from testkit.configurations import config_of, consumer_of

CLOSED, DOWN = Circuit(), Circuit("open", "outage", "no connection 3 times in a row")
REFUSED = Circuit("open", "credentials", "answered 401: the credentials are not accepted")


@pytest.fixture
def alerts(monkeypatch):
    """Alerts of two consumers with four shards each that looks at the limits each time; the lines that it told."""
    monkeypatch.setattr("edx2lrs.pipeline.alerts._LOOK_EVERY", 0.0)
    consumers = [consumer_of(name, rate=Rate(concurrency=4)) for name in ("one", "two")]
    config = config_of(*consumers, alert=Alert(backlog=100, age=60.0))
    lines = []
    return ShardAlerts(config, lines.append), lines


def told(lines):
    found = [json.loads(line) for line in lines]
    lines.clear()
    return [(each["consumer"], each["alert"], each["state"], each["waiting"]) for each in found]


def test_a_circuit_is_told_once_for_all_shards(alerts):
    seen, lines = alerts
    for shard in range(4):
        seen.saw(ShardKey("one", shard), DOWN, 5, None)
        seen.saw(ShardKey("two", shard), CLOSED, 0, None)
    assert told(lines) == [("one", "circuit", "raised", 20)]
    for shard in range(3):
        seen.saw(ShardKey("one", shard), CLOSED, 0, None)
    assert told(lines) == []
    seen.saw(ShardKey("one", 3), Circuit("half_open", "outage", "no connection"), 5, None)
    assert told(lines) == []
    seen.saw(ShardKey("one", 3), CLOSED, 0, None)
    assert told(lines) == [("one", "circuit", "over", 0)]


def test_credentials_are_told_apart(alerts):
    seen, lines = alerts
    seen.saw(ShardKey("one", 0), REFUSED, 1, None)
    assert told(lines) == [("one", "credentials", "raised", 4), ("one", "circuit", "raised", 4)]
    seen.saw(ShardKey("one", 0), CLOSED, 0, None)
    assert told(lines) == [("one", "credentials", "over", 0), ("one", "circuit", "over", 0)]


def test_a_backlog_is_reckoned_from_the_shards_that_are_known(alerts):
    seen, lines = alerts
    seen.saw(ShardKey("one", 0), CLOSED, 20, None)
    seen.saw(ShardKey("two", 1), CLOSED, 26, None)
    assert told(lines) == [("two", "backlog", "raised", 104)]
    seen.saw(ShardKey("one", 1), CLOSED, 40, None)
    assert told(lines) == [("one", "backlog", "raised", 120)]
    seen.saw(ShardKey("two", 1), CLOSED, 0, None)
    assert told(lines) == [("two", "backlog", "over", 0)]


def test_the_oldest_of_all_shards_counts(alerts):
    seen, lines = alerts
    seen.saw(ShardKey("one", 0), CLOSED, 1, time.time() - 61)
    seen.saw(ShardKey("one", 1), CLOSED, 1, time.time())
    assert told(lines) == [("one", "age", "raised", 4)]


def test_a_shard_that_another_worker_serves_now_is_forgotten(alerts, monkeypatch):
    seen, lines = alerts
    seen.saw(ShardKey("one", 0), DOWN, 200, None)
    assert told(lines) == [("one", "circuit", "raised", 800), ("one", "backlog", "raised", 800)]
    monkeypatch.setattr(shard_alerts, "_FORGOTTEN_AFTER", 0.0)
    seen.saw(ShardKey("two", 0), CLOSED, 0, None)
    assert told(lines) == [("one", "circuit", "over", 0), ("one", "backlog", "over", 0)]
