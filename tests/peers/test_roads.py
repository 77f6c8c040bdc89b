"""The same events by all five roads into one LRS: it holds each statement once."""

from __future__ import annotations

import copy
import random
import signal
import time
from collections import defaultdict
from typing import Any

import pytest

from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from testkit.varied_records import record
from testkit.waiting import until

pytestmark = pytest.mark.engine
ROADS = ("archive", "log", "pubsub", "kafka", "redis")


def in_the_log(record: dict[str, Any], number: int) -> dict[str, Any]:
    """``record`` in the form of the log, at a time of its own."""
    found = {key: value for key, value in record.items() if key not in ("timestamp", "data")}
    found["event"] = record["event"] if "event" in record else record["data"]
    return {**found, "time": f"2026-03-01T10:00:{number // 1_000:02d}.{number % 1_000:06d}+00:00"}


def made_records(count: int) -> list[dict[str, Any]]:
    """Of every event that is mapped, in the shapes that it has in a log: its payload as an object or as JSON text."""
    random_, found = random.Random(1), []
    names = list(SOURCE_EVENTS)
    while len(found) < count:
        made = record(names[len(found) % len(names)], random_)
        if isinstance(made["context"], dict):  # the bus makes its own of it
            found.append(in_the_log(copy.deepcopy(made), len(found)))
    return found


def test_an_event_that_comes_by_five_roads_is_one_statement(roads: Any, lrs: Any, job: Any, config: Any, assert_adds_up: Any) -> None:
    records = made_records(4 * len(SOURCE_EVENTS))
    server = lrs()
    config(server.address)
    expected = {
        consumer: {id_.removeprefix("urn:uuid:") for id_ in job.translated(protocol, records)}
        for consumer, protocol in (("campus", "xapi"), ("warehouse", "caliper"))
    }
    assert len(expected["campus"]) > 0.9 * len(records)  # some lack what a statement needs
    brought: dict[tuple[str, str], dict[str, bytes]] = defaultdict(dict)
    for name in ROADS:
        del server.kept[:]
        road = roads(name)
        for at in range(0, len(records), 20):
            road.send(records[at : at + 20])
        command = ("run", "--config", "c.yaml", "--state", f"state-{name}", "--report", f"{name}.json", "--input", road.input)
        running = job.start(*command)
        if name != "archive":
            until(lambda: all(ids <= came(server, consumer).keys() for consumer, ids in expected.items()), 60)
            time.sleep(1.0)  # what should not come
            running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0, job.log[-3_000:]
        for consumer in expected:
            brought[name, consumer] = came(server, consumer)

    for consumer, ids in expected.items():
        assert sorted(id_.removeprefix("urn:uuid:") for id_ in server.ids(consumer)) == sorted(ids)
        for name in ROADS:
            assert brought[name, consumer] == brought["archive", consumer], name
    for number, name in enumerate(ROADS):
        report = job.report(f"{name}.json")
        assert_adds_up(report)
        campus = report["consumers"]["campus"]
        assert report["records"]["dead"] == {}
        assert campus["dead"] == job.report("archive.json")["consumers"]["campus"]["dead"]
        assert (campus["delivered"], campus["already_stored"], campus["conflicts"]) == (
            (0, len(expected["campus"]), 0) if number else (len(expected["campus"]), 0, 0)
        )


def came(server: Any, consumer: str) -> dict[str, bytes]:
    """What was brought to a consumer, by id, with what tells bodies apart."""
    return {
        id_.removeprefix("urn:uuid:"): digest
        for request in list(server.kept)
        if request.consumer == consumer
        for id_, digest in request.bodies.items()
    }
