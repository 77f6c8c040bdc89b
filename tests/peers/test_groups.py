"""Jobs on machines of their own share a stream; and what Redis loses under a job that is down."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.dead_letters.letters import read
from testkit.tracking_records import played
from testkit.waiting import until

pytestmark = pytest.mark.engine
GIVEN_UP = {"pubsub": "", "kafka": "&session=6s", "redis": "&claim=4s"}
SECONDS = 30.0


def record(number: int) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(played(number))
    return made


@pytest.mark.parametrize("name", GIVEN_UP)
def test_two_jobs_share_a_stream_and_one_is_killed_for_good(
    name: str, roads: Any, lrs: Any, job: Any, config: Any, assert_adds_up: Any
) -> None:
    server, road = lrs(), roads(name)
    config(server.address)
    sent = 0

    def write() -> None:
        nonlocal sent
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            road.send([record(sent + place) for place in range(20)])
            sent += 20
            time.sleep(0.1)

    def start(state: str) -> Any:
        options = ("--state", state, "--report", f"{state}.json", "--input", road.input + GIVEN_UP[name])
        return job.start("run", "--config", "c.yaml", *options)

    road.send([record(999_999)])
    one, other = start("one"), start("other")
    writing = threading.Thread(target=write)
    writing.start()
    until(lambda: all(took(job, state) > 50 for state in ("one", "other")), 60)
    job.kill(one)
    killed = time.time()
    writing.join()
    total = sent + 1
    # what the killed one had kept waits in its state directory
    last = job.start("deliver", "--config", "c.yaml", "--state", "one", "--report", "one.json")
    assert last.wait(60) == 0
    until(lambda: all(server.stored(consumer) == total for consumer in ("campus", "warehouse")), 120)
    other.send_signal(signal.SIGTERM)
    assert other.wait(30) == 0

    records = [record(999_999), *map(record, range(sent))]
    for consumer, protocol in (("campus", "xapi"), ("warehouse", "caliper")):
        expected = {id_.removeprefix("urn:uuid:") for id_ in job.translated(protocol, records)}
        assert Counter(id_.removeprefix("urn:uuid:") for id_ in server.ids(consumer)) == Counter(expected)
    seen: dict[tuple[str, str], float] = {}
    for request in sorted(server.kept, key=lambda request: request.time):
        for id_ in request.bodies:
            first = seen.setdefault((request.consumer, id_), request.time)
            assert first == request.time or abs(first - killed) < 5.0, "it came again though nothing was lost near it"
    for state in ("one", "other"):
        assert_adds_up(job.report(f"{state}.json")["all_runs"])
    assert "Traceback" not in job.log


def test_what_redis_trims_unread_is_told_with_its_number_and_the_rest_arrives(
    roads: Any, lrs: Any, job: Any, config: Any, assert_adds_up: Any, tmp_path: Path
) -> None:
    server, road = lrs(), roads("redis")
    config(server.address)
    command = ("run", "--config", "c.yaml", "--state", "state", "--report", "report.json", "--input", road.input)
    road.send([record(number) for number in range(50)])
    running = job.start(*command)
    until(lambda: server.stored("campus") == 50, 60)
    time.sleep(1.0)  # until it is acknowledged
    job.kill(running)
    road.max_len = 30
    road.send([record(number) for number in range(50, 150)])
    running = job.start(*command)
    until(lambda: server.stored("campus") == 80, 60)
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    assert "70 entries after" in job.log
    assert "Raise EVENT_BUS_REDIS_STREAM_MAX_LEN" in job.log
    everything = job.report()["all_runs"]
    assert_adds_up(everything)
    assert everything["records"]["dead"] == {"lost_at_source": 1}
    (letter,) = read(str(tmp_path / "state" / "dead-letters"), pytest.fail)
    assert (letter.cause, letter.message.split(" after")[0]) == ("lost_at_source", "70 entries")


def took(job: Any, state: str) -> int:
    """How many statements a job has delivered, by its report, which it writes every ten seconds."""
    try:
        return int(job.report(f"{state}.json")["consumers"]["campus"]["delivered"])
    except FileNotFoundError:
        return 0
