"""A worker of a stream, in this process, over a source of the test: what comes again, what kills, and what fails for a while."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections import deque

import pytest

from edx2lrs.io.sources.opening import parse
from edx2lrs.io.sources.position import Position
from edx2lrs.io.sources.source import Message, Polled, SourceError
from edx2lrs.io.state.errors import StateFault
from edx2lrs.io.state.state import join_state, open_state
from edx2lrs.pipeline.local import stream_worker
from edx2lrs.pipeline.local.stream_worker import StreamWorker
from edx2lrs.pipeline.local.worker_messages import KeptSomething, SourceStanding, SourceTrouble, WaveAt, WorkerPlan
from edx2lrs.transforms.failure import Failure
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played

URL = parse("pubsub://my-project/events")
CONFIG = yaml_of(consumer(url="http://127.0.0.1:1/xAPI", batch={"interval": "0.2s"}))


def message(number):
    return Message(f"m{number}", Position(f"m{number}"), played(number), {"number": str(number)})


class Source:
    """Gives what it is told, poll by poll; an exception is raised. After the last one the worker is told to stop."""

    def __init__(self, polls, stopping):
        self.polls = deque(polls)
        self.stopping = stopping
        self.committed = []
        self.opened = 0

    def poll(self, max_records, max_wait):  # noqa: ARG002
        if not max_wait:
            return Polled([], [], "end")
        if not self.polls:
            self.stopping.set()
            return Polled([], [], "end")
        given = self.polls.popleft()
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, Polled) else Polled(given, [], "cursor")

    def commit(self, cursor):
        self.committed.append(cursor)

    def close(self):
        pass


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")
    monkeypatch.setattr(stream_worker, "_FIRST_WAVE_PAUSE", 0.01)
    (tmp_path / "c.yaml").write_text(CONFIG)
    with open_state(tmp_path / "state", ids=1_000, statements=1_000) as opened:
        opened.ledger.begin_run("test", ["campus"], "job")
        yield opened


@pytest.fixture
def run(tmp_path, state, monkeypatch):
    """Runs a worker over polls; gives its source and what it told its parent."""

    def over(*polls, before=lambda _: None):
        stopping = threading.Event()
        source = Source(polls, stopping)

        def opened(*_):
            source.opened += 1
            return source

        monkeypatch.setattr(stream_worker, "open_source", opened)
        ours, theirs = multiprocessing.Pipe()
        plan = WorkerPlan("worker-1", str(tmp_path / "c.yaml"), str(state.folder), (), ("campus",), 1_000, stream=URL)
        with join_state(state.folder) as joined:
            worker = StreamWorker(plan, URL, joined, theirs, stopping)
            before(worker)
            worker.work()
        told = []
        while ours.poll():
            told.append(ours.recv())
        return source, [each for each in told if not isinstance(each, WaveAt)]

    return over


def counts(state):
    return {each.text: number for each, number in state.ledger.totals().items() if not each.consumer and each.key != "bytes"}


def test_messages_are_kept_then_committed_and_known_when_they_come_again(run, state):
    source, told = run([message(1), message(2)], [message(2), message(3), message(3)], [message(1)])
    assert counts(state) == {"read": 3, "matched": 3, "redelivered": 3}
    assert state.outbox.waiting("campus") == 3
    assert source.committed == ["end"] * 3
    assert told == [KeptSomething()] * 3


@pytest.mark.parametrize("days", [-4_630, -2, 2])
def test_messages_are_kept_while_the_clock_is_set(run, state, monkeypatch, days):
    """Each look at the clock finds it set by some days since the look before."""
    wall, looks = time.time, itertools.count()
    monkeypatch.setattr(time, "time", lambda: wall() + 86_400 * days * (next(looks) % 3))
    began = time.monotonic()
    run([message(1)], [message(2)], [message(1)])
    assert counts(state) == {"read": 2, "matched": 2, "redelivered": 1}
    assert time.monotonic() - began < 60


def test_the_parent_hears_how_a_source_stands_and_of_its_trouble(run, monkeypatch, caplog):
    monkeypatch.setattr(stream_worker, "_TELL_EVERY", 0.0)
    troubles = iter(["", "the log has not existed for 61 s", "the log has not existed for 62 s", "", ""])
    monkeypatch.setattr(Source, "trouble", lambda _: next(troubles), raising=False)
    monkeypatch.setattr(Source, "behind", lambda _: 7.0, raising=False)
    monkeypatch.setattr(stream_worker, "_SETTLED", 0.0)
    nothing = Polled([], [], "end")
    _, told = run([message(1)], nothing, nothing, nothing, nothing)
    assert [each.message for each in told if isinstance(each, SourceTrouble)] == [
        "the log has not existed for 61 s",
        "the log has not existed for 62 s",
        "",
    ]
    standings = [each for each in told if isinstance(each, SourceStanding)]
    assert {(each.worker, each.source, each.unit, each.behind) for each in standings} == {("worker-1", URL.name, "seconds", 7.0)}
    assert [each.quiet for each in standings] == sorted(each.quiet for each in standings)
    assert len([record for record in caplog.records if "not existed" in record.message]) == 1


def test_a_source_is_attended_and_not_polled_while_the_outbox_is_full(run, monkeypatch):
    monkeypatch.setattr(stream_worker, "_LOOK_AGAIN", 0.0)
    seen = []
    monkeypatch.setattr(Source, "attend", lambda source: seen.append(len(source.polls)), raising=False)

    def full_twice(worker):
        counts = iter([{"campus": 1_000}, {"campus": 1_000}])
        monkeypatch.setattr(worker._state.outbox, "waiting_counts", lambda: next(counts, {}))

    source, _ = run([message(1)], [message(2)], before=full_twice)
    assert seen == [2, 2]
    assert source.committed == ["end"] * 2


def test_what_is_no_record_is_a_dead_letter_once_with_its_attributes(run, state):
    poison = Message("p", Position("p"), b"{no", {"tenant": "north"})
    broken = Failure("read", "bad_avro", "no record", "topic[0]@7", b"\0", attributes={"ce_type": "x"})
    run([poison, message(1)], Polled([poison], [broken], "cursor"), Polled([], [broken], "cursor"))
    assert counts(state) == {"read": 3, "matched": 1, "dead/not_json": 1, "dead/bad_avro": 1, "redelivered": 2}
    letters = {letter.cause: (letter.position, letter.attributes) for letter in state.dead_letters.read()}
    assert letters == {"not_json": ("p", {"tenant": "north"}), "bad_avro": ("topic[0]@7", {"ce_type": "x"})}


def test_a_message_over_which_processes_die_is_set_apart_and_becomes_a_dead_letter(run, state):
    """What a wave leaves behind when its process dies is what ``begin`` has noted."""
    batch = [message(number) for number in range(4)]
    ids = [each.id for each in batch]
    killer = ids[2]
    sizes = []

    class Died(BaseException):
        pass

    def dies_over_it(worker):
        def run_wave(wave, again):
            sizes.append(len(wave.messages))
            if killer in [each.id for each in wave.messages]:
                raise Died
            return keep(wave, again)

        keep, worker._waves.run = worker._waves.run, run_wave

    for _ in range(12):
        try:
            run(batch, before=dies_over_it)
        except Died:
            continue
        break
    assert sizes[0] == 4
    assert sizes.count(1) >= 3
    assert counts(state)["read"] == 4
    assert counts(state)["dead/crash"] == 1
    assert [(letter.position, letter.attributes) for letter in state.dead_letters.read()] == [(killer, {"number": "2"})]
    assert state.outbox.waiting("campus") == 3


def test_a_source_that_fails_for_a_while_is_opened_again(run, state, caplog):
    caplog.set_level("INFO", "edx2lrs.stream")
    down = SourceError("pubsub://my-project/events: ServiceUnavailable: try later")
    source, told = run(down, down, [message(1)])
    assert source.opened == 3
    assert counts(state) == {"read": 1, "matched": 1}
    assert told == [SourceTrouble("worker-1", str(down)), KeptSomething(), SourceTrouble("worker-1", "")]
    assert caplog.text.count("try later") == 1
    assert "is read again" in caplog.text


def test_a_source_that_is_not_there_ends_the_worker(run):
    with pytest.raises(SourceError, match="make the subscription"):
        run(SourceError("NotFound; make the subscription", fatal=True))


def test_a_source_that_goes_away_after_it_was_read_is_waited_for(run, state):
    run([message(1)], SourceError("NotFound", fatal=True), [message(2)])
    assert counts(state)["read"] == 2


def test_a_fault_of_the_state_commits_nothing_and_counts_against_no_message(run, state):
    def full_disk_once(worker):
        keep, faults = worker._waves.run, [StateFault("the disk is full")]

        def run_wave(wave, again):
            if faults:
                raise faults.pop()
            return keep(wave, again)

        worker._waves.run = run_wave

    source, told = run([message(1)], [message(1)], before=full_disk_once)
    assert source.committed == ["end"]
    assert counts(state) == {"read": 1, "matched": 1}
    assert told[0] == SourceTrouble("worker-1", f"{URL.name}: the disk is full")
