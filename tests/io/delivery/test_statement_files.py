"""Consumers without an LRS, and statement logs: what lies where afterwards."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.delivery import statement_files
from edx2lrs.io.delivery.clients import Clients
from edx2lrs.io.delivery.decision import Answer
from edx2lrs.io.delivery.senders import Senders
from edx2lrs.io.delivery.statement_files import Naming, StandardOutput, StatementFiles, naming
from edx2lrs.io.delivery.statement_log import Rotation, StatementLog
from edx2lrs.transforms.config_types import BatchOptions, Consumer, Rate, Retry
from testkit.configurations import config_of

LINES = b'{"id":1}\n{"id":2}'


def lines_in(folder: Path) -> list[Any]:
    """All lines of all files, in the order of their names."""
    found = []
    for path in sorted(folder.rglob("*.jsonl*")):
        content = path.read_bytes()
        found += (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()
    return [json.loads(line) for line in found]


def send_all(around: Any, folder: Path) -> None:
    """Send what waits by clients as a run makes them."""
    clients = Clients(config_of(*around.consumers), folder)
    around.senders = Senders(around.state.outbox, around.consumers, clients, around.notices.append, lambda: 0.0)
    around.send_all()
    assert around.senders.stop(10)


# Files in place of an LRS


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("file:///out/all.jsonl.gz", Naming("/out", "all", ".jsonl.gz")),
        ("file:///out/all.json", Naming("/out", "all", ".json")),
        ("file:///out/v1.2.jsonl", Naming("/out", "v1.2", ".jsonl")),
        ("file:///my%20out/campus", Naming("/my out/campus", "c", ".jsonl")),
        ("file:///out/", Naming("/out", "c", ".jsonl")),
        ("gs://bucket", Naming("gs://bucket", "c", ".jsonl")),
        ("s3://bucket/a/all.jsonl.gz", Naming("s3://bucket/a", "all", ".jsonl.gz")),
    ],
)
def test_the_url_says_where_files_lie_and_how_they_are_called(url: str, name: Naming) -> None:
    assert naming(url, "c") == name


@pytest.mark.parametrize(("name", "protocol"), [("all.jsonl.gz", "xapi"), ("all.jsonl", "caliper")])
def test_a_run_leaves_every_statement_in_whole_files(
    outside: Any, consumer: Any, tmp_path: Path, name: str, protocol: str
) -> None:
    campus = consumer(f"file://{tmp_path}/out/{name}", protocol=protocol, batch=BatchOptions(size=100))
    around = outside(campus)
    ids = around.keep(campus, 1050)
    send_all(around, tmp_path)
    files = list((tmp_path / "out").iterdir())
    assert len(files) == 11
    assert all(path.name.startswith("all-") and path.name.endswith(name.removeprefix("all")) for path in files)
    assert sorted(each["id"] for each in lines_in(tmp_path / "out")) == sorted(ids)
    assert around.counts(campus)["delivered"] == 1050


def test_a_folder_that_cannot_be_written_holds_the_consumer_and_loses_nothing(
    outside: Any, consumer: Any, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file, where a folder is wanted")
    campus = consumer(f"file://{tmp_path}/out/", retry=Retry(max_attempts=2, base_delay=0.01, max_delay=0.1))
    around = outside(campus)
    around.keep(campus, 50)
    send_all(around, tmp_path)
    assert around.state.outbox.waiting("campus") == 50
    assert "cannot be written (File exists)" in around.senders.status()["campus"].reason


def test_a_file_that_breaks_off_is_not_there(consumer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    client = StatementFiles(consumer(f"file://{tmp_path}/out/"))
    monkeypatch.setattr(os, "fsync", full)
    answer = client.post(LINES)
    assert (answer.error, answer.detail) == ("unwritable", "No space left on device")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_object_store_gets_whole_objects(consumer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[str, bytes] = {}
    monkeypatch.setattr(statement_files, "write_bytes", written.__setitem__)
    assert StatementFiles(consumer("gs://bucket/out/all.jsonl.gz")).post(LINES).status == 200
    ((path, content),) = written.items()
    assert path.startswith("gs://bucket/out/all-")
    assert gzip.decompress(content) == b'{"id":1}\n{"id":2}\n'


def test_standard_output_gets_lines() -> None:
    stream = io.BytesIO()
    assert StandardOutput(stream).post(LINES).status == 200
    assert stream.getvalue() == b'{"id":1}\n{"id":2}\n'


def test_batches_of_several_threads_do_not_mix_on_an_unbuffered_standard_output():
    """As it is with PYTHONUNBUFFERED; a pipe holds 64 KiB."""
    ours, theirs = os.pipe()
    batches = [b"\n".join([b'"%s"' % (letter * 1_000)] * 200) for letter in (b"a", b"b", b"c")]
    with open(theirs, "wb", buffering=0) as stream, open(ours, "rb") as pipe:
        threads = [threading.Thread(target=StandardOutput(stream).post, args=(batch,)) for batch in batches]
        for thread in threads:
            thread.start()
        came = b""
        while came.count(b"\n") < 600:
            came += os.read(pipe.fileno(), 4_096)
        for thread in threads:
            thread.join(10)
    assert sorted(came.splitlines()) == sorted(line for batch in batches for line in batch.splitlines())


def test_a_reader_of_standard_output_that_has_gone_is_an_outage() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError), open(writing, "wb") as stream:
        assert StandardOutput(stream).post(LINES).error == "unwritable"


# Statement logs


@pytest.mark.parametrize(("protocol", "name"), [("xapi", "xapi_tracking"), ("caliper", "caliper_tracking")])
def test_what_was_accepted_is_logged(
    lrs: Any, outside: Any, consumer: Any, replies: Any, tmp_path: Path, protocol: str, name: str
) -> None:
    campus = consumer(lrs.url, protocol=protocol, log=True, batch=BatchOptions(size=10))
    around = outside(campus)
    ids = around.keep(campus, 100)
    lrs.behave = lambda sent: replies(400) if ids[7] in sent else replies()
    send_all(around, tmp_path / "logs")
    assert [path.name for path in (tmp_path / "logs" / "campus").iterdir()] == [f"{name}.jsonl"]
    assert sorted(each["id"] for each in lines_in(tmp_path / "logs")) == sorted(set(ids) - {ids[7]})


def test_nothing_is_logged_for_who_does_not_ask_for_it(
    lrs: Any, outside: Any, consumer: Any, tmp_path: Path
) -> None:
    campus = consumer(lrs.url)
    around = outside(campus)
    around.keep(campus, 10)
    send_all(around, tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


def test_a_web_page_is_not_logged_as_delivered(
    lrs: Any, outside: Any, consumer: Any, replies: Any, tmp_path: Path
) -> None:
    lrs.behave = lambda _: replies(200, b"<html>", stores=False)
    campus = consumer(lrs.url, log=str(tmp_path / "logs"), rate=Rate(concurrency=1))
    around = outside(campus)
    around.keep(campus, 10)
    send_all(around, tmp_path)
    assert lines_in(tmp_path) == []


def log_of(consumer: Consumer, folder: Path, **rotation: Any) -> StatementLog:
    return StatementLog(consumer, folder, Rotation(**rotation)).use()


def test_full_files_get_the_time_into_their_names(consumer: Any, tmp_path: Path) -> None:
    log = log_of(consumer("http://x", log=str(tmp_path / "own")), tmp_path / "state", bytes=48)
    for number in range(10):
        log.write(b'{"n":%d}' % number)
    log.close()
    names = sorted(path.name for path in (tmp_path / "own" / "campus").iterdir())
    assert len(names) == 2
    assert names[0].startswith("xapi_tracking-2")
    assert names[1] == "xapi_tracking.jsonl"
    assert [each["n"] for each in lines_in(tmp_path)] == list(range(10))
    assert not (tmp_path / "state").exists()


def test_a_line_that_a_kill_has_cut_spoils_no_other(consumer: Any, tmp_path: Path) -> None:
    path = tmp_path / "campus" / "xapi_tracking.jsonl"
    path.parent.mkdir()
    path.write_bytes(b'{"id":0}\n{"id":')
    log = log_of(consumer("http://x", log=True), tmp_path)
    log.write(LINES)
    log.close()
    assert path.read_bytes() == b'{"id":0}\n{"id":\n{"id":1}\n{"id":2}\n'


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """An object store that takes whole objects."""
    objects: dict[str, bytes] = {}

    def put(path: str, content: bytes, private: bool) -> None:
        assert private
        objects[path] = content

    monkeypatch.setattr("edx2lrs.io.delivery.statement_log.write_bytes", put)
    return objects


def lines_of(store: dict[str, bytes]) -> list[Any]:
    return [json.loads(line) for path in sorted(store) for line in gzip.decompress(store[path]).splitlines()]


def test_a_log_in_an_object_store_is_shipped_whole_and_leaves_nothing_behind(
    consumer: Any, tmp_path: Path, store: dict[str, bytes]
) -> None:
    log = log_of(consumer("http://x", log="s3://bucket/logs/"), tmp_path, shipped_bytes=40)
    for number in range(10):
        log.write(b'{"n":%d}' % number)
    assert len(store) == 2
    log.close()
    assert all(path.startswith("s3://bucket/logs/campus/xapi_tracking-") and path.endswith(".jsonl.gz") for path in store)
    assert [each["n"] for each in lines_of(store)] == list(range(10))
    assert list((tmp_path / "campus").iterdir()) == []


def test_a_file_is_shipped_when_it_is_old(consumer: Any, tmp_path: Path, store: dict[str, bytes]) -> None:
    log = log_of(consumer("http://x", log="gs://b"), tmp_path, shipped_after=0.0)
    log.write(LINES)
    assert [each["id"] for each in lines_of(store)] == [1, 2]


def test_what_a_kill_has_left_is_shipped_with_the_next(consumer: Any, tmp_path: Path, store: dict[str, bytes]) -> None:
    its = consumer("http://x", log="gs://b")
    log_of(its, tmp_path).write(b'{"id":0}')  # never closed
    log = log_of(its, tmp_path)
    log.write(LINES)
    log.close()
    assert [each["id"] for each in lines_of(store)] == [0, 1, 2]


def test_a_store_that_is_down_delays_nothing_and_is_told_once(
    consumer: Any, tmp_path: Path, store: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_: object, **__: object) -> None:
        raise OSError(0, "503 Service Unavailable")

    log = log_of(consumer("http://x", log="gs://b"), tmp_path, shipped_after=0.0)
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        patch.setattr("edx2lrs.io.delivery.statement_log.write_bytes", down)
        log.write(LINES)
        log.write(LINES)
    assert [record.message for record in caplog.records] == [
        "consumer campus: its statement log cannot be written: 503 Service Unavailable"
    ]
    log.write(LINES)
    assert len(lines_of(store)) == 6


def test_threads_share_one_log(consumer: Any, tmp_path: Path) -> None:
    log = StatementLog(consumer("http://x", log=True), tmp_path, Rotation(bytes=500))

    def write(first: int) -> None:
        log.use()
        for number in range(first, first + 50):
            log.write(b'{"n":%d}' % number)
        log.close()

    threads = [threading.Thread(target=write, args=(100 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(each["n"] for each in lines_in(tmp_path)) == sorted(100 * k + n for k in range(4) for n in range(50))


def test_the_client_answers_as_the_lrs_does(lrs: Any, consumer: Any, replies: Any, tmp_path: Path) -> None:
    lrs.behave = lambda _: replies(422, b"no")
    campus = consumer(lrs.url, log=True)
    client = Clients(config_of(campus), tmp_path)(campus)
    answer = client.post(b'{"id":"1"}')
    client.close()
    assert isinstance(answer, Answer)
    assert (answer.status, answer.excerpt) == (422, "no")
