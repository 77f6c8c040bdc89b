"""Archives as a job reads them: a window of time, packed files, parts; and out of real S3 and GCS servers."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import zstandard

PEERS = os.environ.get("EDX2LRS_PEERS")
CONFIG = """\
lms: {root_url: https://lms.example.com, id_key: "env:EDX2LRS_ID_KEY"}
consumers:
  - name: campus
    protocol: xapi
    url: http://ADDRESS/campus/xAPI
    auth: {scheme: basic, username: env:SANDBOX_USER, password: env:SANDBOX_PASSWORD}
    access: all
"""


def line(number: int, day: str = "2024-03-11") -> bytes:
    """A line of a tracking log, with a time and a statement of its own."""
    payload = {"id": "a0effb954cca4759994f1ac9e9434bf4", "currentTime": number, "code": "html5", "duration": 600}
    course = "course-v1:DemoX+DM+2024"
    event = {
        "name": "play_video",
        "event_type": "play_video",
        "event_source": "browser",
        "event": json.dumps(payload),
        "time": f"{day}T{number % 24:02}:{number // 24 % 60:02}:{number // 1440 % 60:02}.{number:06}+00:00",
        "username": "ann",
        "session": "b6c2",
        "context": {"course_id": course, "org_id": "DemoX", "user_id": 5, "path": "/event"},
    }
    return json.dumps(event).encode() + b"\n"


def packed(number: int, text: bytes) -> tuple[str, bytes]:
    """``text`` as an archive holds it, and how such a file's name ends."""
    if number % 3 == 0:
        return ".log", text
    return (".log.gz", gzip.compress(text)) if number % 3 == 1 else (".log.zst", zstandard.compress(text))


def test_a_window_of_time_leaves_out_files_by_their_dates_and_events_by_their_time(
    edx2lrs, sandbox, config, tmp_path, assert_adds_up
):
    logs = tmp_path / "logs"
    logs.mkdir()
    for day in range(1, 31):  # each file has the end of the day before, too
        yesterday = f"2024-03-{day - 1:02}" if day > 1 else "2024-02-29"
        text = b"".join([*(line(n, yesterday) for n in range(20, 24)), *(line(n, f"2024-03-{day:02}") for n in range(16))])
        (logs / f"tracking.log-202403{day:02}").write_bytes(text)
    run = ("run", "--config", config(sandbox.address, CONFIG), "--input", logs, "--state", "state")
    first = edx2lrs(*run, "--since", "2024-03-11", "--until", "2024-03-12T08:00:00+00:00")
    assert first.code == 0, first.text
    assert_adds_up(first.report)
    assert first.report["records"]["matched"] == 16 + 4 + 8  # the 11th, its end in the next file, the 12th until 8
    assert first.report["records"]["read"] == 5 * 20
    assert first.report["records"]["filtered"] == {"outside_time": 5 * 20 - 28}

    rest = edx2lrs(*run)
    assert rest.report["records"]["read"] == 25 * 20
    assert "--since 2024-03-11T00:00:00+00:00 --until 2024-03-12T08:00:00+00:00" in rest.err
    assert "another --state" in rest.err


def test_an_archive_in_which_no_file_can_hold_the_time_is_said_to_be_one(edx2lrs, sandbox, config, tmp_path):
    (tmp_path / "tracking.log-20240311").write_bytes(line(1))
    command = ("run", "--config", config(sandbox.address, CONFIG), "--input", tmp_path / "tracking*")
    none = edx2lrs(*command, "--since", "2025-01-01")
    assert (none.code, none.report) == (2, {})
    assert "none of the 1 files can hold events of the time" in none.err
    assert edx2lrs(*command, "--since", "2025-01-01", "--until", "2024-01-01").code == 2
    assert edx2lrs(*command, "--since", "last week").code == 2


class Store:
    """An object store's server, with objects put in by plain requests. Requests of objects that are told to fail are answered
    with 403, or with 404 as if they had just vanished; all others reach the server."""

    def __init__(self, kind: str, folder: Path) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.port = unused.getsockname()[1]
        script = Path(str(PEERS)) / f"{kind}_up.sh"
        said = subprocess.run(["bash", script, str(self.port)], capture_output=True, text=True, check=True, timeout=400).stdout
        self.pid = int(said.partition("pid=")[2].split()[0])
        self.kind = kind
        exported = said.splitlines()[0].removeprefix("export ").split()
        self.environment = dict(word.split("=", 1) for word in exported)
        self.options: list[str] = []
        self.url = f"{'s3' if kind == 's3' else 'gs'}://logs"
        self.folder = folder

    def put(self, name: str, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if self.kind == "s3":
            connection.request("PUT", f"/logs/{name}", body)
        else:
            connection.request("POST", f"/upload/storage/v1/b/logs/o?uploadType=media&name={name}", body)
        assert connection.getresponse().status == 200

    def listen(self) -> None:
        """Puts a door before the server, which jobs are to use."""
        server_port = self.port

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer, headers = 0, b"", []
                for word, code in (("forbidden", 403), ("vanished", 404)):
                    if f"{word}.log" in self.path:
                        status = code
                if not status:
                    connection = http.client.HTTPConnection("127.0.0.1", server_port, timeout=30)
                    connection.request(self.command, self.path, body, dict(self.headers))
                    got = connection.getresponse()
                    status, answer, headers = got.status, got.read(), got.getheaders()
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = {name.lower(): value for name, value in headers}.get("content-length", "0")
                self.send_header("Content-Length", length if self.command == "HEAD" else str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_HEAD = do_POST = do_PUT = _pass  # noqa: N815

            def log_message(self, *_arguments: object) -> None:
                pass

        self.door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self.door.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self.door.server_port}"
        if self.kind == "s3":
            access = ["--s3_region_name=us-east-1", "--s3_access_key_id=test", "--s3_secret_access_key=test"]
            self.options = [f"--s3_endpoint_url={address}", *access]
        else:
            self.environment["STORAGE_EMULATOR_HOST"] = address

    def end(self) -> None:
        self.door.shutdown()
        os.kill(self.pid, signal.SIGKILL)


@pytest.fixture(params=["s3", "gcs"])
def store(request, tmp_path):
    if not PEERS:
        pytest.skip("EDX2LRS_PEERS does not name a folder with s3_up.sh and gcs_up.sh")
    pytest.importorskip("boto3" if request.param == "s3" else "google.cloud.storage", reason="needs edx2lrs[aws,gcp]")
    store = Store(request.param, tmp_path)
    store.listen()
    yield store
    store.end()


@pytest.mark.engine
@pytest.mark.soak
def test_a_thousand_objects_are_read_once_and_those_that_cannot_be_cost_no_other(store, edx2lrs, sandbox, config, assert_adds_up):
    for number in range(1_000):
        ending, body = packed(number, b"".join(line(5 * number + n) for n in range(5)))
        store.put(f"archive/2024/03/{1 + number % 28:02}/{number}{ending}", body)
    for word in ("forbidden", "vanished"):
        store.put(f"archive/2024/03/11/{word}.log", line(0))
    path = config(sandbox.address, CONFIG)
    run = ("run", "--config", path, "--input", f"{store.url}/archive/", "--state", "state", *store.options)
    first = edx2lrs(*run, env=store.environment, kill_after=400)
    assert first.code == 1, first.text
    assert_adds_up(first.report)
    assert first.report["records"]["read"] == 5_002
    assert first.report["records"]["dead"] == {"unreadable": 2}
    assert sandbox.stored("campus") == 5_000
    assert first.err.count("cannot be read") == 2

    again = edx2lrs(*run, env=store.environment)
    assert again.code == 1
    assert again.report["records"]["read"] == 2

    globs = f"{store.url}/archive/2024/03/01/*.gz,{store.url}/archive/2024/03/02/*.zst"
    some = edx2lrs("run", "--config", path, "--input", globs, "--state", "other", *store.options, env=store.environment)
    assert some.code == 0, some.text
    wanted = [n for n in range(1_000) if (n % 28, n % 3) in ((0, 1), (1, 2))]
    assert some.report["records"]["read"] == 5 * len(wanted)


@pytest.mark.engine
def test_a_bucket_that_is_not_there_is_named(store, edx2lrs, sandbox, config):
    path = config(sandbox.address, CONFIG)
    missing = store.url.replace("logs", "no-such-bucket") + "/*.gz"
    wrong = edx2lrs("run", "--config", path, "--input", missing, *store.options, env=store.environment)
    assert wrong.code == 2
    assert missing in wrong.err
