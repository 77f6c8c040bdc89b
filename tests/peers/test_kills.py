"""The job killed with -9 every ten seconds or so, over each road, into an LRS with faults: everything arrives, once.

Another length and other kills: ``pytest -m engine tests/peers/test_kills.py --seconds 600 --seed 7``."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter
from typing import Any

import pytest

from edx2lrs.io.dead_letters.letters import read
from testkit.tracking_records import played
from testkit.waiting import until

pytestmark = pytest.mark.engine
EVERY = (5.0, 15.0)  # seconds between two kills
AT_ONCE, PAUSE = 10, 0.1  # events, and seconds between them
FAULTS = ("429:0.03", "503:0.05", "reset:0.05")
LEASE = 12.0  # seconds until what a killed process pulled from Pub/Sub has come again
UNDER_WAY = 3.0  # seconds in which the answer to a request is settled, on a busy machine


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    seconds = metafunc.config.getoption("--seconds", None)
    given = [pytest.param(seconds, metafunc.config.getoption("--seed"))]
    soak = [pytest.param(120.0, seed, marks=pytest.mark.soak) for seed in (1, 2)]
    metafunc.parametrize(("seconds", "seed"), given if seconds else [pytest.param(25.0, 0), *soak])
    metafunc.parametrize("name", ["archive", "log", "pubsub", "kafka", "redis"])


def record(number: int) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(played(number))
    return made


class Writer(threading.Thread):
    """Writes for as long as it is told. ``records`` is what it wrote, ``junk`` how often it wrote something else."""

    def __init__(self, road: Any, seconds: float, chance: random.Random) -> None:
        super().__init__()
        self._road, self._seconds, self._chance = road, seconds, chance
        self.records: list[dict[str, Any]] = []
        self.junk = 0
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            end = time.monotonic() + self._seconds
            while time.monotonic() < end:
                self.write()
                time.sleep(PAUSE)
        except BaseException as error:
            self.fault = error

    def write(self) -> None:
        some = [record(len(self.records) + place) for place in range(AT_ONCE)]
        self._road.send(some)
        self.records += some
        if self._chance.random() < 0.02:
            self._road.send_junk()
            self.junk += 1
        self._road.disturb(self._chance)


def test_everything_arrives_once(
    name: str, seconds: float, seed: int, roads: Any, lrs: Any, job: Any, config: Any, assert_adds_up: Any, tmp_path: Any
) -> None:
    chance = random.Random(f"{name} {seed}")
    server, road = lrs(seed, *FAULTS), roads(name)
    config(server.address)
    command = ["run", "--config", "c.yaml", "--state", "state", "--report", "report.json", "--input", road.input]
    if road.takes_workers:
        command += ["--workers", 1 + seed % 2]
    kills: list[float] = []
    writer = Writer(road, seconds, random.Random(seed))
    writer.write()
    first = job.start(*command)
    until(lambda: server.stored("campus") == AT_ONCE, 60)  # what is rotated before the first start is none of its business
    kill(job, first, kills)
    writer.start()
    while writer.is_alive():
        process = job.start(*command)
        end = time.monotonic() + chance.uniform(*EVERY)
        while time.monotonic() < end and process.poll() is None and writer.is_alive():
            time.sleep(0.05)
        assert process.poll() in (None, 0, 1), job.log[-3_000:]
        kill(job, process, kills)
    assert writer.fault is None, writer.fault
    total = len(writer.records)
    last = job.start(*command)
    if name == "archive":
        assert last.wait(300) in (0, 1), job.log[-3_000:]
        while any(part["waiting"] for part in job.report()["consumers"].values()):
            assert job.start("deliver", "--config", "c.yaml", "--state", "state", "--report", "report.json").wait(300) in (0, 1)
    else:
        until(lambda: min(server.stored(consumer) for consumer in ("campus", "warehouse")) >= total, 120)
        time.sleep(LEASE if name == "pubsub" else 2.0)
        last.send_signal(signal.SIGTERM)
        assert last.wait(30) == 0
    assert "Traceback" not in job.log

    for consumer, protocol in (("campus", "xapi"), ("warehouse", "caliper")):
        expected = {id_.removeprefix("urn:uuid:") for id_ in job.translated(protocol, writer.records)}
        assert len(expected) == total
        assert Counter(id_.removeprefix("urn:uuid:") for id_ in server.ids(consumer)) == Counter(expected)
        assert unexplained(server.kept, consumer, kills) == []
    everything = job.report()["all_runs"]
    assert_adds_up(everything)
    assert everything["records"]["read"] == total + writer.junk
    assert everything["records"]["matched"] == total
    for part in everything["consumers"].values():
        assert (part["statements"], part["duplicates"], part["waiting"]) == (total, 0, 0)
        assert part["dead"] == {"records": {}, "statements": {}}
    letters = Counter(letter.cause for letter in read(str(tmp_path / "state" / "dead-letters"), pytest.fail))
    assert sum(letters.values()) == writer.junk
    assert set(letters) <= {"not_json", "bad_avro"}
    faults = Counter({kind: n for each in server.store.counts().values() for kind, n in each["faults"].items()})
    repeats = {consumer: each["repeats"] for consumer, each in server.store.counts().items()}
    again = everything["records"].get("redelivered", 0)
    print(f"{name}, seed {seed}: {total} events, {len(kills)} kills, {dict(faults)}, repeats {repeats}, redelivered {again}")


def kill(job: Any, process: Any, kills: list[float]) -> None:
    running = process.poll() is None
    job.kill(process)
    if running:
        kills.append(time.time())


def unexplained(kept: list[Any], consumer: str, kills: list[float]) -> list[tuple[str, float]]:
    """What came again though its answer was not lost: neither cut nor on its way when the job was killed."""
    before: dict[str, Any] = {}
    found = []
    for request in sorted(kept, key=lambda request: request.time):
        if request.consumer != consumer:
            continue
        for id_ in request.bodies:
            first = before.get(id_)
            if first is not None and not first.cut and not any(0 <= moment - first.time < UNDER_WAY for moment in kills):
                found.append((id_, first.time))
            before[id_] = request
    return found
