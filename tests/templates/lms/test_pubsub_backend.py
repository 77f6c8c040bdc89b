"""The tracking backend that a site puts into its LMS, with a Pub/Sub of the test in place of Google's client."""

from __future__ import annotations

import datetime
import fcntl
import json
import logging
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.records.parse import parse
from testkit.loading import module_at
from testkit.waiting import until

FILE = Path(__file__).parents[3] / "templates" / "lms" / "edx2lrs_pubsub_backend.py"
TIME = datetime.datetime(2026, 3, 11, 8, 0, 0, 123456, tzinfo=datetime.timezone.utc)


@pytest.fixture
def module():
    loaded = module_at(FILE)
    loaded.FIRST_PAUSE = 0.01
    return loaded


class PubSub:
    """Takes messages while it is up; refuses those with ``refuse`` in them."""

    def __init__(self, module):
        self.messages = []
        self.up = True
        self.module = module

    def publish(self, batch):
        if not self.up:
            raise ConnectionError("away")
        if any(b"refuse" in body for body in batch):
            raise self.module.Refused("too large")
        self.messages += batch

    def numbers(self):
        return sorted(json.loads(body)["data"]["number"] for body in self.messages)


@pytest.fixture
def pubsub(module):
    server = PubSub(module)
    module.Topic = lambda _path: server
    return server


@pytest.fixture
def backend(module, pubsub, tmp_path):  # noqa: ARG001 - pubsub is in its place before
    made = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), linger=0.001)
    yield made
    if made._publisher is not None:
        made._publisher.end(5)


def event(number, name="play_video", **data):
    context = {"user_id": 5, "course_id": "course-v1:A+B+C", "session": "s", "host": "lms.example.com"}
    return {"name": name, "timestamp": TIME, "data": {"number": number, **data}, "context": context}


def spooled(tmp_path):
    return [path for path in (tmp_path / "spool").glob("[0-9]*.jsonl") if path.stat().st_size]


def test_the_names_are_those_that_are_mapped(module):
    missing, unknown = sorted(SOURCE_EVENTS.keys() - module.NAMES), sorted(module.NAMES - SOURCE_EVENTS.keys())
    assert (missing, unknown) == ([], []), f"put the names into NAMES of {FILE.name}"


def test_what_is_published_is_an_event_as_the_job_reads_it(backend, pubsub):
    backend.send(event(1, id="abc", code="html5", currentTime=1.5))
    assert backend.flush(10)
    parsed = parse(pubsub.messages[0])
    assert isinstance(parsed, Event)
    assert (parsed.name, parsed.time, parsed.user_id) == ("play_video", "2026-03-11T08:00:00.123456+00:00", 5)


def test_names_that_nobody_maps_stay_at_home(module, backend, pubsub, tmp_path):
    for name in ("/courses/x", "edx.bi.something", "play_video", None):
        backend.send(event(1, name=name))
    assert backend.flush(10)
    assert len(pubsub.messages) == 1

    own = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), more_names=["acme.turned"])
    own.send(event(2, name="acme.turned"))
    assert own.flush(10)
    assert pubsub.numbers() == [1, 2]


def test_ten_thousand_events_in_batches_and_each_call_is_short(module, backend, pubsub):
    batches = []
    publish = pubsub.publish
    pubsub.publish = lambda batch: (batches.append(len(batch)), publish(batch))
    times = []
    for number in range(10_000):
        began = time.perf_counter()
        backend.send(event(number))
        times.append(time.perf_counter() - began)
    assert backend.flush(60)
    assert pubsub.numbers() == list(range(10_000))
    assert len(batches) < 1_000
    assert max(batches) <= module.BATCH_MESSAGES
    assert sorted(times)[len(times) // 2] < 0.000_1


def test_what_cannot_be_published_waits_in_the_spool_and_is_drained(backend, pubsub, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    pubsub.up = False
    for number in range(1_000):
        backend.send(event(number))
    assert backend.flush(20)
    assert pubsub.messages == []
    assert sum(path.read_bytes().count(b"\n") for path in spooled(tmp_path)) == 1_000
    pubsub.up = True
    until(lambda: len(pubsub.messages) >= 1_000 and not spooled(tmp_path))
    assert pubsub.numbers() == list(range(1_000))
    assert [record.message.split(" (")[0].split(";")[0] for record in caplog.records] == [
        "edx2lrs: Pub/Sub is away",
        "edx2lrs: Pub/Sub is back",
    ]
    assert backend.counts == {"accepted": 1_000, "spooled": 1_000, "drained": 1_000}


def test_one_event_that_is_refused_costs_no_other_and_is_kept(backend, pubsub, tmp_path, caplog):
    for number in range(100):
        backend.send(event(number, text="refuse" if number == 42 else "take"))
    assert backend.flush(20)
    assert pubsub.numbers() == [number for number in range(100) if number != 42]
    assert json.loads((tmp_path / "spool" / "refused.jsonl").read_text())["data"]["number"] == 42
    assert "refuses an event" in caplog.text


@pytest.mark.parametrize("bound", ["queue_bytes", "spool_bytes"])
def test_what_is_above_a_bound_is_lost_loudly(module, pubsub, tmp_path, caplog, bound):
    pubsub.up = False
    backend = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), linger=0.5, **{bound: 10_000})
    for number in range(500):
        backend.send(event(number))
    assert backend.flush(20)
    backend._publisher.end(5)
    counts = backend.counts
    assert 0 < counts["spooled"] < 500
    assert counts["spooled"] + counts["lost"] == 500
    assert "lost so far" in caplog.text


def test_nothing_is_raised_into_the_lms(module, pubsub, tmp_path, caplog):
    (tmp_path / "spool").write_text("a file where the folder should be")
    pubsub.up = False
    backend = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), linger=0.001)
    itself = event(1)
    itself["data"]["itself"] = itself
    for thing in (itself, None, event(2)):
        backend.send(thing)
    until(lambda: backend.counts.get("lost") == 1)
    assert caplog.text.count("could not be taken and is lost") == 2
    assert "the spool cannot be written" in caplog.text


def test_another_process_publishes_what_a_dead_one_has_left_and_nothing_of_a_living_one(backend, pubsub, tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    line = json.dumps(event(1), default=str) + "\n"
    (folder / "1-host-7.jsonl").write_text(line + '{"cut of')
    (folder / "2-host-8.jsonl").write_text(line.replace('"number": 1', '"number": 2'))
    with (folder / "2-host-8.jsonl").open("rb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        backend.send(event(3))
        until(lambda: len(pubsub.messages) == 2)
        assert pubsub.numbers() == [1, 3]
        assert [path.name for path in spooled(tmp_path)] == ["2-host-8.jsonl"]


def test_whatever_the_client_raises_nothing_is_lost(backend, pubsub):
    publish, faults = pubsub.publish, [MemoryError()]

    def once_broken(batch):
        if faults:
            raise faults.pop()
        publish(batch)

    pubsub.publish = once_broken
    for number in range(10):
        backend.send(event(number))
    until(lambda: len(pubsub.messages) == 10)


def test_children_of_a_fork_send_their_own_and_nothing_of_the_parents(module, tmp_path):
    """Messages go into one file for all processes; the parent has events in its queue, and some in its spool, when it forks."""
    published = tmp_path / "published"

    class Topic:
        def __init__(self, _path):
            self.path = published

        def publish(self, batch):
            if (tmp_path / "away").exists():
                raise ConnectionError
            with self.path.open("ab", buffering=0) as file:
                file.write(b"".join(body + b"\n" for body in batch))

    module.Topic = Topic
    backend = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), linger=0.02)
    (tmp_path / "away").touch()
    backend.send(event(1))
    assert backend.flush(10)
    backend.send(event(2))  # in the queue when the children come
    children = []
    for child in range(3):
        pid = os.fork()
        if not pid:
            code = 1
            try:
                for number in range(100):
                    backend.send(event(1_000 * (child + 1) + number))
                (tmp_path / "away").unlink(missing_ok=True)
                backend._publisher.end(10)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
    until(lambda: not spooled(tmp_path))
    assert backend.flush(10)
    backend._publisher.end(10)
    numbers = sorted(json.loads(line)["data"]["number"] for line in published.read_bytes().splitlines())
    assert numbers == [1, 2, *(1_000 * child + number for child in (1, 2, 3) for number in range(100))]


def test_a_process_that_ends_publishes_what_it_has(module, tmp_path):
    published = tmp_path / "published"
    pid = os.fork()
    if not pid:
        module.Topic = lambda _path: type(
            "Topic", (), {"publish": lambda _self, batch: published.write_bytes(b"\n".join(batch))}
        )()
        backend = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), linger=30)
        for number in range(10):
            backend.send(event(number))
        module._end(backend._publisher, os.getpid(), 5)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert len(published.read_bytes().splitlines()) == 10


def test_threads_lose_nothing(backend, pubsub):
    def send(first):
        for number in range(first, first + 500):
            backend.send(event(number))

    threads = [threading.Thread(target=send, args=(500 * each,)) for each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert backend.flush(30)
    assert pubsub.numbers() == list(range(4_000))
    assert backend.counts["accepted"] == 4_000


def test_of_a_killed_process_the_spool_is_whole(module, tmp_path):
    pid = os.fork()
    if not pid:

        class Away:
            def publish(self, _batch):
                raise ConnectionError

        module.Topic = lambda _path: Away()
        backend = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), linger=0.001)
        for number in range(1_000):
            backend.send(event(number))
        backend.flush(20)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    server = PubSub(module)
    module.Topic = lambda _path: server
    heir = module.PubSubBackend("project", "topic", str(tmp_path / "spool"), linger=0.001)
    heir.send(event(1_000))
    until(lambda: len(server.messages) == 1_001)
    assert server.numbers() == list(range(1_001))
    heir._publisher.end(5)
