"""A service over each stream: at rest, and when it is told to end in the midst of work."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from testkit.tracking_records import played
from testkit.waiting import until

pytestmark = pytest.mark.engine
STREAMS = ("log", "pubsub", "kafka", "redis")
REST = 60.0  # seconds
SHARE = 0.02  # of a core


def record(number: int) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(played(number))
    return made


def processor_seconds(pid: int) -> float:
    """Of a process and all that it started."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
        own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return own + sum(map(processor_seconds, children))
    return 0.0


def test_a_service_at_rest_takes_next_to_no_processor_time(roads: Any, lrs: Any, job: Any, config: Any) -> None:
    server = lrs()
    config(server.address)
    running = {}
    for number, name in enumerate(STREAMS, 1):
        road = roads(name)
        road.send([record(100 * number + place) for place in range(10)])
        running[name] = job.start("run", "--config", "c.yaml", "--state", f"state-{name}", "--input", road.input)
    until(lambda: all(server.stored(consumer) == 10 * len(STREAMS) for consumer in ("campus", "warehouse")), 90)
    time.sleep(5)  # what comes after the work
    before = {name: processor_seconds(process.pid) for name, process in running.items()}
    time.sleep(REST)
    shares = {name: (processor_seconds(process.pid) - before[name]) / REST for name, process in running.items()}
    print({name: round(share, 4) for name, share in shares.items()})
    for process in running.values():
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert all(0 < share < SHARE for share in shares.values()), shares


@pytest.mark.parametrize("name", STREAMS)
def test_a_service_ends_in_time_under_load_and_with_an_lrs_that_hangs(
    name: str, roads: Any, lrs: Any, job: Any, config: Any, assert_adds_up: Any, tmp_path: Path
) -> None:
    server, road = lrs(), roads(name)
    config(server.address)
    answering = (tmp_path / "c.yaml").read_text()
    sent = 0
    ending = threading.Event()

    def write() -> None:
        nonlocal sent
        while not ending.is_set():
            road.send([record(sent + place) for place in range(20)])
            sent += 20
            ending.wait(0.1)

    writing = threading.Thread(target=write)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as hanging:  # takes requests, and says nothing
        address = f"127.0.0.1:{hanging.getsockname()[1]}"
        (tmp_path / "c.yaml").write_text(answering.replace(f"{server.address}/warehouse", f"{address}/warehouse"))
        command = ("run", "--config", "c.yaml", "--state", "state", "--report", "report.json", "--input", road.input)
        running = job.start(*command)
        writing.start()
        until(lambda: server.stored("campus") > 200, 60)
        running.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert running.wait(30) == 0
        print(f"{name}: ended after {(time.monotonic() - asked) / 30:.2f} of its time")
    ending.set()
    writing.join()
    report = job.report()
    assert_adds_up(report)
    assert report["consumers"]["warehouse"]["waiting"] == report["consumers"]["warehouse"]["statements"] > 0
    (tmp_path / "c.yaml").write_text(answering)
    again = job.start(*command)
    until(lambda: all(server.stored(consumer) == sent for consumer in ("campus", "warehouse")), 60)
    again.send_signal(signal.SIGTERM)
    assert again.wait(30) == 0
    everything = job.report()["all_runs"]
    assert_adds_up(everything)
    assert everything["records"]["read"] == sent
    assert "Traceback" not in job.log


@pytest.mark.parametrize("name", STREAMS)
def test_reading_pauses_while_a_consumer_has_its_fill_and_nothing_comes_twice(
    name: str, roads: Any, lrs: Any, job: Any, config: Any, assert_adds_up: Any
) -> None:
    """For longer than a lease of Pub/Sub."""
    server, road = lrs(0, "slow:1:1"), roads(name)
    slow = {"batch": {"interval": "0.2s", "size": 25}, "rate": {"concurrency": 1}}
    config(server.address, campus=slow, outbox={"statements": 100})
    running = job.start("run", "--config", "c.yaml", "--state", "state", "--report", "report.json", "--input", road.input)
    most, begun = 0, time.monotonic()
    for first in range(0, 600, 50):
        road.send([record(first + place) for place in range(50)])
        until(lambda: server.stored("campus") > 0, 60)  # what is there at the start is one wave
        time.sleep(0.5)
    while server.stored("campus") < 600:
        assert time.monotonic() < begun + 180, job.log[-3_000:]
        with contextlib.suppress(FileNotFoundError, KeyError):
            most = max(most, job.report()["consumers"]["campus"]["waiting"])
        time.sleep(0.2)
    assert time.monotonic() - begun > 15.0
    until(lambda: server.stored("warehouse") == 600, 30)
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    report = job.report()
    assert_adds_up(report)
    assert (report["records"]["read"], report["records"]["redelivered"]) == (600, 0)
    assert 100 <= most < 450
