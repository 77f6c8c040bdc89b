"""The source of Kafka against a real broker. EDX2LRS_PEERS names a folder with a script that starts one: ``kafka_up.sh PORT
FOLDER``, which prints ``pid=... bootstrap=...``."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edx2lrs.io.sources.kafka import KafkaSource
from edx2lrs.io.sources.opening import open_source, parse
from edx2lrs.io.sources.source import Polled, SourceError
from testkit.waiting import free_port, until

PEERS = os.environ.get("EDX2LRS_PEERS")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PEERS, reason="EDX2LRS_PEERS does not name a folder with kafka_up.sh"),
]
kafka = pytest.importorskip("confluent_kafka", reason="needs the extra kafka")
WORKER = Path(__file__).with_name("source_worker.py")
PATIENCE = 60.0


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    script = Path(str(PEERS)) / "kafka_up.sh"
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / "kafka-peer"
    output = subprocess.run([script, str(free_port()), folder], capture_output=True, text=True, check=True, timeout=300).stdout
    said = dict(word.split("=", 1) for word in output.split() if "=" in word)
    yield said["bootstrap"]
    os.kill(int(said["pid"]), signal.SIGTERM)


class Topic:
    """A new topic of four partitions."""

    def __init__(self, broker: str) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        self.broker, self.name, self.sent = broker, f"tracking-{uuid.uuid4().hex[:8]}", 0
        self.admin = AdminClient({"bootstrap.servers": broker})
        for made in self.admin.create_topics([NewTopic(self.name, 4, 1)]).values():
            made.result()
        self._producer = kafka.Producer({"bootstrap.servers": broker, "linger.ms": 1})

    def send(self, count: int, value: bytes = b'{"name": "n", "data": {}}') -> None:
        for _ in range(count):
            self._producer.produce(self.name, value, partition=self.sent % 4, headers=[("ce_id", b"%d" % self.sent)])
            self.sent += 1
        self._producer.flush()

    def all_ids(self) -> list[str]:
        return [f"{self.name}/{number % 4}/{number // 4}" for number in range(self.sent)]

    def url(self, **options: str) -> str:
        options = {"group": self.name, "session": "6s", **options}
        return f"kafka://{self.broker}/{self.name}?" + "&".join(f"{key}={value}" for key, value in options.items())

    def source(self, worker: str = "", **options: str) -> KafkaSource:
        source = open_source(parse(self.url(**options)), worker)
        assert isinstance(source, KafkaSource)
        return source


@pytest.fixture
def topic(broker: str) -> Topic:
    return Topic(broker)


def wait_for(done: Callable[[], bool], what: str) -> None:
    until(done, PATIENCE, f"{what}: not within {PATIENCE} s", pause=0.0)


def read(source: KafkaSource, count: int) -> list[Polled]:
    """Polls until ``count`` messages and failures have come."""
    polls: list[Polled] = []

    def done() -> bool:
        polls.append(source.poll(1000, 0.2))
        return sum(len(poll.messages) + len(poll.failures) for poll in polls) >= count

    wait_for(done, f"{count} messages")
    return polls


def ids(polls: list[Polled]) -> list[str]:
    return [message.id for poll in polls for message in poll.messages]


def test_messages_have_an_id_a_position_and_their_headers(topic: Topic) -> None:
    topic.send(8)
    source = topic.source()
    messages = [message for poll in read(source, 8) for message in poll.messages]
    assert sorted(message.id for message in messages) == sorted(topic.all_ids())
    first = next(message for message in messages if message.id.endswith("/1/0"))
    assert str(first.position) == f"{topic.name}[1]@0"
    assert first.body == b'{"name": "n", "data": {}}'
    assert first.attributes == {"ce_id": "1"}
    source.close()


def test_a_poll_gives_no_more_than_it_was_asked_for_and_ends_when_nothing_comes(topic: Topic) -> None:
    topic.send(50)
    source = topic.source()
    sizes: list[int] = []
    wait_for(lambda: sizes.append(len(source.poll(7, 0.5).messages)) or sum(sizes) == 50, "fifty messages")
    assert max(sizes) == 7
    begun = time.monotonic()
    assert source.poll(7, 0.3).messages == []
    assert 0.25 < time.monotonic() - begun < 2
    source.close()


def test_what_was_not_committed_comes_again_with_the_same_ids(topic: Topic) -> None:
    topic.send(20)
    source = topic.source()
    first = read(source, 20)
    source.commit(first[-1].cursor)
    source.commit(first[-1].cursor)  # may be repeated
    topic.send(12)
    second = read(source, 12)
    source.close()
    again = topic.source()
    assert sorted(ids(read(again, 12))) == sorted(ids(second))
    again.close()


def test_a_cursor_settles_what_was_polled_up_to_it_and_no_more(topic: Topic) -> None:
    topic.send(40)
    source = topic.source()
    polls: list[Polled] = []
    wait_for(lambda: polls.append(source.poll(4, 5.0)) or len(ids(polls)) == 40, "forty messages")
    source.commit(polls[4].cursor)
    source.close()
    again = topic.source()
    left = sorted(ids(polls[5:]))
    assert sorted(ids(read(again, len(left)))) == left
    again.close()


def test_a_partition_is_let_go_only_after_what_was_polled_of_it_is_committed(topic: Topic) -> None:
    topic.send(40)
    one, other = topic.source(), topic.source()
    polled = read(one, 40)
    topic.send(40)
    end = time.monotonic() + 8  # rebalances are heard of within two seconds
    early: list[str] = []
    while time.monotonic() < end:
        early += ids([other.poll(1000, 0.1)])
        more = one.poll(1000, 0.1)
        polled.append(more)
    assert early == []
    assert one._releasing
    one.commit(polled[-1].cursor)
    rest: list[Polled] = []

    def done() -> bool:
        for source in (one, other):
            poll = source.poll(1000, 0.1)
            source.commit(poll.cursor)
            rest.append(poll)
        return len(ids(polled)) + len(ids(rest)) >= 80 and len(other._held) == 2

    wait_for(done, "the other's half")
    assert Counter(ids(polled) + ids(rest)) == Counter(topic.all_ids())
    one.close()
    other.close()


class Reader(threading.Thread):
    """Polls and commits until it is told to stop; ``kept`` is what it would have kept."""

    def __init__(self, source: KafkaSource) -> None:
        super().__init__()
        self.source, self.kept, self.ending = source, [], False
        self.fault: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            while not self.ending:
                waves = [self.source.poll(200, 0.1), self.source.poll(200, 0.05)]
                self.kept += ids(waves)
                self.source.commit(waves[-1].cursor)
            self.source.close()
        except Exception as error:
            self.fault = error

    def end(self) -> None:
        self.ending = True
        self.join()
        assert self.fault is None, self.fault


def test_processes_that_come_and_go_read_everything_once(topic: Topic) -> None:
    """None is killed, so each partition is handed over with its position."""
    ended: list[Reader] = []
    working = [Reader(topic.source()) for _ in range(2)]
    for round_ in range(6):
        for _ in range(10):
            topic.send(40)
            time.sleep(0.2)
        if round_ % 2 == 0:
            working.append(Reader(topic.source()))
        else:
            ended.append(working.pop(0))
            ended[-1].end()
    wait_for(lambda: sum(len(reader.kept) for reader in [*ended, *working]) >= topic.sent, "the end")
    for reader in working:
        reader.end()
    came = Counter(id_ for reader in [*ended, *working] for id_ in reader.kept)
    assert len(came) == topic.sent
    assert max(came.values()) == 1


@pytest.mark.parametrize("worker", ["", "worker"])
def test_who_does_not_poll_for_too_long_loses_its_partitions_and_comes_back_without_a_loss(
    topic: Topic, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edx2lrs.io.sources.kafka._LONGEST_WAVE", 7.0)
    topic.send(40)
    slow = topic.source(worker)
    polled = read(slow, 40)
    other = Reader(topic.source())
    topic.send(40)
    wait_for(lambda: len(other.kept) == 80, "what the other one took over")  # 40 of them again
    slow.commit(polled[-1].cursor)  # too late, and no fault
    came: list[Polled] = []
    faults: list[SourceError] = []

    def both_read() -> bool:
        topic.send(4)
        try:
            came.append(slow.poll(100, 0.2))
        except SourceError as error:
            faults.append(error)
        else:
            slow.commit(came[-1].cursor)
        return len(ids(came)) >= 20

    wait_for(both_read, "the slow one's return")
    assert [(error.fatal, "joins anew" in str(error)) for error in faults] == [(False, True)]
    slow.close()
    wait_for(lambda: len(set(other.kept) | set(ids(came))) == topic.sent, "everything")
    other.end()


@pytest.mark.parametrize("worker", ["", "worker"])
def test_who_attends_keeps_its_partitions_and_takes_nothing(
    topic: Topic, worker: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edx2lrs.io.sources.kafka._LONGEST_WAVE", 7.0)
    topic.send(40)
    paused = topic.source(worker)
    paused.commit(read(paused, 40)[-1].cursor)
    topic.send(40)
    end = time.monotonic() + 16
    other: Reader | None = None
    while time.monotonic() < end:
        paused.attend()
        time.sleep(0.2)
        if other is None and time.monotonic() > end - 8:
            other = Reader(topic.source())
    assert other is not None
    wait_for(lambda: paused.attend() or len(other.kept) == 20, "the half of the one that came meanwhile")
    assert len(paused._held) == 2
    assert "lost partitions" not in caplog.text
    polled = read(paused, 20)
    paused.commit(polled[-1].cursor)
    assert Counter(ids(polled) + other.kept) == Counter(topic.all_ids()[40:])
    paused.close()
    other.end()


class Process:
    """A process that reads and commits; its lines are what it kept, before it was committed."""

    def __init__(self, url: str, log: Path, worker: str = "") -> None:
        self._log = log
        self.process = subprocess.Popen([sys.executable, WORKER, url, worker, log])

    @property
    def kept(self) -> list[str]:
        return self._log.read_text().split("\n")[:-1] if self._log.exists() else []

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    yield started
    for process in started:
        process.kill()


def test_two_processes_share_a_group_and_one_is_killed(topic: Topic, tmp_path: Path, processes: list[Process]) -> None:
    topic.send(400)
    for name in ("one", "other"):
        processes.append(Process(topic.url(), tmp_path / name))
        wait_for(lambda: bool(processes[-1].kept) or topic.send(4) is not None, "a first message")
    end = time.monotonic() + 5
    while time.monotonic() < end:
        topic.send(40)
        time.sleep(0.1)
    processes[0].kill()
    for _ in range(20):
        topic.send(40)
        time.sleep(0.1)
    expected = set(topic.all_ids())
    wait_for(lambda: expected <= {id_ for process in processes for id_ in process.kept}, "everything")
    repeated = [id_ for id_, count in Counter(processes[0].kept + processes[1].kept).items() if count > 1]
    assert len(repeated) <= 200  # at most the wave that was under way


def test_a_killed_process_with_a_name_goes_on_at_once(topic: Topic, tmp_path: Path, processes: list[Process]) -> None:
    """Without one the group waits for the dead process until its session has ended."""
    topic.send(100)
    processes.append(Process(topic.url(session="45s"), tmp_path / "one", "worker"))
    wait_for(lambda: len(processes[0].kept) == 100, "the first hundred")
    processes[0].kill()
    topic.send(100)
    begun = time.monotonic()
    processes.append(Process(topic.url(session="45s"), tmp_path / "two", "worker"))
    wait_for(lambda: len({*processes[0].kept, *processes[1].kept}) == 200, "the second hundred")
    assert time.monotonic() - begun < 20


def test_a_second_process_of_the_same_name_ends_the_first(topic: Topic) -> None:
    topic.send(4)
    one, other = topic.source("worker"), topic.source("worker")
    read(one, 4)
    read(other, 4)

    def goes_on() -> bool:
        one.poll(10, 0.2)
        return False

    with pytest.raises(SourceError, match="member=NAME") as raised:
        wait_for(goes_on, "the first one's end")
    assert raised.value.fatal
    one.close()
    other.close()


def test_a_named_process_that_is_given_another_topic_reads_that(topic: Topic, broker: str) -> None:
    """The group still knows what the name was given before."""
    topic.send(4)
    one = topic.source("worker")
    one.commit(read(one, 4)[-1].cursor)
    one.close()
    second = Topic(broker)
    second.send(12)
    other = second.source("worker", group=topic.name)
    assert {id_.partition("/")[0] for id_ in ids(read(other, 12))} == {second.name}
    other.close()


def test_a_new_group_begins_where_the_address_says(topic: Topic) -> None:
    topic.send(20)
    between = int(time.time() * 1000) + 200
    while time.time() * 1000 < between + 200:
        time.sleep(0.05)
    topic.send(8)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(between // 1000)) + f".{between % 1000:03}Z"
    late = topic.source(group="late", start="latest")
    assert late.poll(100, 2.0).messages == []
    late.close()  # without a commit; where it began is remembered
    topic.send(4)
    for group, start, count in (("early", "earliest", 32), ("timed", text, 12), ("late", "latest", 4)):
        source = topic.source(group=group, start=start)
        assert len(ids(read(source, count))) == count, group
        assert source.poll(100, 0.3).messages == []
        source.close()


def test_a_committed_position_wins_over_the_start(topic: Topic) -> None:
    topic.send(20)
    source = topic.source()
    source.commit(read(source, 20)[-1].cursor)
    source.close()
    again = topic.source(start="earliest")
    topic.send(1)
    assert len(ids(read(again, 1))) == 1
    again.close()


def test_messages_that_retention_deleted_unread_are_told_with_their_number(topic: Topic) -> None:
    topic.send(40)
    source = topic.source()
    source.commit(read(source, 40)[-1].cursor)
    source.close()
    topic.send(40)
    for deleted in topic.admin.delete_records([kafka.TopicPartition(topic.name, 2, 17)]).values():
        deleted.result()
    for is_kept in (False, True):  # until it is settled, it is told again
        source = topic.source()
        polls = read(source, 34)
        (failure,) = [failure for poll in polls for failure in poll.failures]
        assert (failure.stage, failure.cause, failure.position) == ("read", "lost_at_source", f"{topic.name}[2]@10")
        assert failure.message.startswith("7 messages, up to offset 16, were deleted")
        assert len(ids(polls)) == 33
        if is_kept:
            source.commit(polls[-1].cursor)
        source.close()
    last = topic.source()
    topic.send(1)
    assert [len(poll.failures) for poll in read(last, 1)][-1] == 0
    last.close()


def test_what_is_deleted_while_it_is_read_is_told_after_a_new_beginning(topic: Topic) -> None:
    topic.send(4)
    source = topic.source()
    source.commit(read(source, 4)[-1].cursor)
    consumer = source._consumer
    consumer.pause(consumer.assignment())  # as slow as can be
    topic.send(40)
    for deleted in topic.admin.delete_records([kafka.TopicPartition(topic.name, 1, 6)]).values():
        deleted.result()
    consumer.resume(consumer.assignment())
    came: list[Polled] = []

    def done() -> bool:
        with contextlib.suppress(SourceError):  # "a position is not in the topic any more"
            came.append(source.poll(100, 0.2))
            source.commit(came[-1].cursor)
        return any(poll.failures for poll in came) and len(set(ids(came))) >= 35

    wait_for(done, "the loss")
    (failure,) = [failure for poll in came for failure in poll.failures]
    assert failure.position == f"{topic.name}[1]@1"
    source.close()


def test_a_value_that_is_no_event_is_a_failure_and_the_next_ones_go_on(topic: Topic) -> None:
    topic.send(1, b"\x00\x00\x00\x00\x01broken")
    topic.send(3)
    source = topic.source()
    polls = read(source, 4)
    (failure,) = [failure for poll in polls for failure in poll.failures]
    assert (failure.cause, failure.payload) == ("bad_avro", b"\x00\x00\x00\x00\x01broken")
    source.commit(polls[-1].cursor)
    source.close()


def test_an_unknown_topic_is_fatal_with_advice(topic: Topic) -> None:
    source = open_source(parse(topic.url().replace(topic.name, "no-such-topic")), "")
    with pytest.raises(SourceError, match="make the topic") as raised:
        source.poll(10, 0.1)
    assert raised.value.fatal
    source.close()


def test_a_broker_that_is_away_is_to_be_tried_again() -> None:
    source = open_source(parse(f"kafka://127.0.0.1:{free_port()}/tracking?group=g"), "")
    with pytest.raises(SourceError) as raised:
        source.poll(10, 0.1)
    assert not raised.value.fatal
    source.close()
