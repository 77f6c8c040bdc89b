"""The source of Redis streams against a real Redis. EDX2LRS_PEERS names a folder with a script that starts one:
``redis_up.sh PORT FOLDER``, which prints ``pid=... url=...``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.sources.opening import open_source, parse
from edx2lrs.io.sources.redis_streams import RedisSource
from edx2lrs.io.sources.source import Polled, SourceError
from testkit.waiting import free_port, until

PEERS = os.environ.get("EDX2LRS_PEERS")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PEERS, reason="EDX2LRS_PEERS does not name a folder with redis_up.sh"),
]
redis = pytest.importorskip("redis", reason="needs the extra redis")
WORKER = Path(__file__).with_name("source_worker.py")
PATIENCE = 30.0
VALUE = b'{"name": "n", "data": {}}'


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    found = free_port()
    script = Path(str(PEERS)) / "redis_up.sh"
    folder = tmp_path_factory.mktemp("redis")
    output = subprocess.run([script, str(found), folder], capture_output=True, text=True, check=True, timeout=400).stdout
    said = dict(word.split("=", 1) for word in output.split() if "=" in word)
    yield found
    os.kill(int(said["pid"]), signal.SIGTERM)


class Stream:
    """A stream of its own, and a client that fills it as edx-event-bus-redis does."""

    def __init__(self, port: int) -> None:
        self.port, self.name, self.ids = port, f"tracking-{uuid.uuid4().hex[:8]}", []
        self.client: Any = redis.Redis(port=port, protocol=2)

    def send(self, count: int, value: bytes = VALUE, maxlen: int | None = None) -> None:
        for number in range(count):
            fields = {b"event_data": value, b"id": b"%d" % number}
            self.ids.append(self.client.xadd(self.name, fields, maxlen=maxlen, approximate=False).decode())

    def url(self, **options: str) -> str:
        options = {"group": "lrs", **options}
        return f"redis://127.0.0.1:{self.port}/{self.name}?" + "&".join(f"{key}={value}" for key, value in options.items())

    def source(self, worker: str = "", **options: str) -> RedisSource:
        source = open_source(parse(self.url(**options)), worker)
        assert isinstance(source, RedisSource)
        return source

    def message_ids(self, *numbers: int) -> list[str]:
        return [f"{self.name}/{self.ids[number]}" for number in numbers]

    @property
    def pending(self) -> int:
        return int(self.client.xpending(self.name, "lrs")["pending"])


@pytest.fixture
def stream(port: int) -> Stream:
    return Stream(port)


def wait_for(done: Callable[[], bool], what: str) -> None:
    until(done, PATIENCE, f"{what}: not within {PATIENCE} s", pause=0.0)


def ids(*polls: Polled) -> list[str]:
    return [message.id for poll in polls for message in poll.messages]


def test_entries_have_an_id_a_position_and_their_fields(stream: Stream) -> None:
    stream.send(2)
    source = stream.source()
    polled = source.poll(10, 1.0)
    assert ids(polled) == stream.message_ids(0, 1)
    assert str(polled.messages[1].position) == f"{stream.name}@{stream.ids[1]}"
    assert polled.messages[1].body == VALUE
    assert polled.messages[1].attributes == {"id": "1"}
    source.close()


def test_a_commit_acknowledges_what_was_polled_up_to_it_and_no_more(stream: Stream) -> None:
    stream.send(10)
    source = stream.source()
    polls = [source.poll(2, 1.0) for _ in range(5)]
    source.commit(polls[2].cursor)
    source.commit(polls[2].cursor)  # may be repeated
    source.commit(polls[0].cursor)
    assert stream.pending == 4
    source.commit(polls[4].cursor)
    assert stream.pending == 0
    source.close()


def test_an_idle_poll_waits_and_wakes_at_once(stream: Stream) -> None:
    source = stream.source()
    begun = time.monotonic()
    assert source.poll(10, 0.3).messages == []
    assert 0.25 < time.monotonic() - begun < 2
    late = subprocess.Popen(["sh", "-c", f"sleep 0.5; redis-cli -p {stream.port} XADD {stream.name} 1-1 event_data x >/dev/null"])
    begun = time.monotonic()
    assert len(source.poll(10, 20.0).failures) == 1
    assert time.monotonic() - begun < 5
    late.wait()
    source.close()


def test_what_is_not_committed_goes_to_another_worker_at_a_clean_end(stream: Stream) -> None:
    stream.send(5)
    one = stream.source()
    assert len(ids(one.poll(10, 1.0))) == 5
    one.close()
    other = stream.source()
    assert ids(other.poll(10, 5.0)) == stream.message_ids(*range(5))
    other.close()


def test_a_worker_with_a_name_gets_its_own_entries_again_at_once(stream: Stream) -> None:
    stream.send(5)
    killed = stream.source("host-1")
    assert len(ids(killed.poll(10, 1.0))) == 5  # and no more is heard of it
    stream.send(2)
    again = stream.source("host-1")
    polls = [again.poll(3, 1.0) for _ in range(3)]
    assert ids(*polls) == stream.message_ids(*range(7))
    again.commit(polls[-1].cursor)
    assert stream.pending == 0
    again.close()


def test_a_dead_workers_entries_are_taken_over_when_they_were_idle_for_long(stream: Stream) -> None:
    stream.send(5)
    dead = stream.source(claim="300ms")
    assert len(ids(dead.poll(10, 1.0))) == 5
    other = stream.source(claim="300ms")
    came: list[Polled] = []
    wait_for(lambda: came.append(other.poll(2, 0.1)) or len(ids(*came)) == 5, "the dead worker's entries")
    assert sorted(ids(*came)) == sorted(stream.message_ids(*range(5)))
    other.commit(came[-1].cursor)
    assert stream.pending == 0
    other.close()


def test_its_own_entries_under_way_are_not_given_twice(stream: Stream) -> None:
    stream.send(5)
    source = stream.source("host-1", claim="50ms")
    polls = [source.poll(10, 0.1) for _ in range(6)]
    assert ids(*polls) == stream.message_ids(*range(5))
    source.close()


def test_entries_that_were_trimmed_unread_are_told_once_with_their_number(stream: Stream, caplog: pytest.LogCaptureFixture) -> None:
    stream.send(10)
    sources = [stream.source(), stream.source()]
    assert len(ids(sources[0].poll(3, 1.0))) == 3
    stream.send(20, maxlen=4)
    polls = [source.poll(2, 0.5) for source in sources for _ in range(3)]
    (failure,) = [failure for poll in polls for failure in poll.failures]
    assert (failure.stage, failure.cause) == ("read", "lost_at_source")
    assert failure.message.startswith("23 entries after")
    assert failure.position == f"{stream.name}@{stream.ids[2]}"
    assert "EVENT_BUS_REDIS_STREAM_MAX_LEN" in caplog.text
    assert ids(*polls) == stream.message_ids(26, 27, 28, 29)
    stream.send(9, maxlen=0)  # all of these
    stream.send(1)
    later = [source.poll(2, 0.5) for source in sources for _ in range(2)]
    (failure,) = [failure for poll in later for failure in poll.failures]
    assert failure.message.startswith("9 entries after")
    for source in sources:
        source.close()


def test_what_was_trimmed_before_the_group_or_after_it_was_read_is_no_loss(stream: Stream) -> None:
    stream.send(10, maxlen=4)
    source = stream.source()
    polls = [source.poll(100, 0.5)]
    stream.send(5, maxlen=2)
    assert len(ids(*polls)) == 4
    source.commit(polls[0].cursor)
    stream.client.xtrim(stream.name, maxlen=2, approximate=False)
    polls += [source.poll(100, 0.2) for _ in range(3)]
    assert [failure.message.split()[0] for poll in polls for failure in poll.failures] == ["3"]  # of the second five
    source.commit(polls[-1].cursor)
    stream.client.xtrim(stream.name, maxlen=0, approximate=False)
    assert source.poll(100, 0.2).failures == []
    source.close()


def test_entries_that_were_trimmed_while_a_dead_worker_had_them_are_told_by_name(stream: Stream) -> None:
    stream.send(6)
    dead = stream.source(claim="200ms")
    assert len(ids(dead.poll(4, 1.0))) == 4
    stream.client.xtrim(stream.name, maxlen=4, approximate=False)
    other = stream.source(claim="200ms")
    came: list[Polled] = []
    wait_for(lambda: came.append(other.poll(10, 0.1)) or len(ids(*came)) == 4, "what is left")
    assert [failure.position for poll in came for failure in poll.failures] == [f"{stream.name}@{id_}" for id_ in stream.ids[:2]]
    assert {failure.cause for poll in came for failure in poll.failures} == {"lost_at_source"}
    other.close()


def test_a_worker_that_comes_back_is_told_what_was_trimmed_of_its_own(stream: Stream) -> None:
    stream.send(6)
    stream.source("host-1").poll(10, 1.0)
    stream.client.xtrim(stream.name, maxlen=4, approximate=False)
    again = stream.source("host-1")
    polled = again.poll(10, 1.0)
    assert [failure.position for failure in polled.failures] == [f"{stream.name}@{id_}" for id_ in stream.ids[:2]]
    assert len(polled.messages) == 4
    again.commit(polled.cursor)
    assert stream.pending == 0
    again.close()


def test_what_is_trimmed_while_a_wave_runs_is_no_loss(stream: Stream) -> None:
    stream.send(6)
    source = stream.source(claim="50ms")
    polls = [source.poll(10, 1.0)]
    stream.client.xtrim(stream.name, maxlen=0, approximate=False)
    polls += [source.poll(10, 0.1) for _ in range(4)]
    assert [failure for poll in polls for failure in poll.failures] == []
    source.commit(polls[-1].cursor)
    assert stream.pending == 0
    source.close()


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


def test_two_processes_share_a_group_and_one_is_killed(stream: Stream, tmp_path: Path) -> None:
    processes = [Process(stream.url(claim="1s"), tmp_path / name) for name in ("one", "other")]
    try:
        wait_for(lambda: stream.send(20) or all(process.kept for process in processes), "both at work")
        for _ in range(20):
            stream.send(100)
        processes[0].kill()
        for _ in range(20):
            stream.send(100)
        expected = set(stream.message_ids(*range(len(stream.ids))))
        wait_for(lambda: expected <= {id_ for process in processes for id_ in process.kept}, "everything")
        repeated = [id_ for id_, count in Counter(processes[0].kept + processes[1].kept).items() if count > 1]
        assert len(repeated) <= 200  # at most the wave that was under way
    finally:
        for process in processes:
            process.kill()


@pytest.mark.parametrize(("start", "expected"), [("earliest", 8), ("latest", 3)])
def test_a_new_group_begins_where_the_address_says(stream: Stream, start: str, expected: int) -> None:
    stream.send(5)
    source = stream.source(start=start)
    first = source.poll(100, 0.2)
    stream.send(3)
    assert len(ids(first, source.poll(100, 1.0))) == expected
    source.close()


def test_a_new_group_begins_at_a_time(stream: Stream) -> None:
    for second in (10, 20, 30):
        stream.client.xadd(stream.name, {b"event_data": VALUE}, id=f"{1767225600000 + second * 1000}-0")
    source = stream.source(start="2026-01-01T00:00:20Z")
    assert ids(source.poll(100, 0.5)) == [f"{stream.name}/{1767225600000 + second * 1000}-0" for second in (20, 30)]
    source.close()


def test_a_group_that_was_deleted_is_made_anew(stream: Stream) -> None:
    stream.send(3)
    source = stream.source()
    source.poll(10, 1.0)
    stream.client.delete(stream.name)
    stream.send(2)
    with pytest.raises(SourceError, match="made anew") as raised:
        source.poll(10, 0.1)
    assert not raised.value.fatal
    assert ids(source.poll(10, 1.0)) == stream.message_ids(3, 4)
    source.close()


def test_an_entry_without_event_data_is_a_failure(stream: Stream) -> None:
    stream.client.xadd(stream.name, {b"other": b"x"})
    stream.send(1, b"\x06ab")
    source = stream.source()
    polled = source.poll(10, 1.0)
    assert [failure.cause for failure in polled.failures] == ["not_an_event", "bad_avro"]
    source.commit(polled.cursor)
    assert stream.pending == 0
    source.close()


def test_a_key_that_is_no_stream_is_fatal_with_advice(stream: Stream) -> None:
    stream.client.set(stream.name, "x")
    with pytest.raises(SourceError, match="the key is no stream") as raised:
        stream.source().poll(10, 0.1)
    assert raised.value.fatal


def test_wrong_credentials_are_fatal_and_not_shown(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_SECRET", "hunter2")
    with pytest.raises(SourceError, match="password=env:NAME") as raised:
        stream.source(username="env:REDIS_SECRET", password="env:REDIS_SECRET").poll(10, 0.1)
    assert raised.value.fatal
    assert "hunter2" not in str(raised.value)


def test_a_redis_that_is_away_is_to_be_tried_again() -> None:
    with pytest.raises(SourceError) as raised:
        open_source(parse("redis://127.0.0.1:9/tracking?group=g"), "").poll(10, 0.1)
    assert not raised.value.fatal
