"""The job as its users run it: a process of its own, over files of the test, into a sandbox LRS."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from testkit.waiting import free_port

PEERS = os.environ.get("EDX2LRS_PEERS")
SAMPLE = Path(__file__).parents[2] / "templates" / "sample"
SECRETS = {
    "SANDBOX_USER": "sandbox",
    "SANDBOX_PASSWORD": "sandbox",
    "SANDBOX_TOKEN": "sandbox",
    "EDX2LRS_ID_KEY": "a key of the tests",
}


class Sandbox:
    """A sandbox LRS in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def start(self) -> None:
        port = self.address.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "edx2lrs.pipeline", "sandbox", "--port", port, "--db", str(self._folder / "lrs.db")]
        self._process = subprocess.Popen([*command, *self._options], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        self.address = line.strip().rstrip("/").rpartition("/")[2]
        assert self.address, "the sandbox did not start"

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def counts(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://{self.address}/counts", timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def stored(self, consumer: str) -> int:
        found = self.counts().get(consumer)
        return found["stored"] if found else 0


@pytest.fixture
def sandbox(tmp_path):
    """A sandbox that behaves; ``sandbox_with`` makes one that does not."""
    lrs = Sandbox(tmp_path)
    lrs.start()
    yield lrs
    lrs.stop()


@pytest.fixture
def sandbox_with(tmp_path):
    """A sandbox LRS with options, started at once."""
    started = []

    def start(*options: str) -> Sandbox:
        lrs = Sandbox(tmp_path, *options)
        lrs.start()
        started.append(lrs)
        return lrs

    yield start
    for lrs in started:
        lrs.stop()


@pytest.fixture
def config(tmp_path):
    """Writes a configuration: the sample's with the sandbox's address in it, or ``text`` with ``ADDRESS`` replaced."""

    def write(address: str, text: str | None = None) -> Path:
        for table in SAMPLE.glob("*.csv"):
            (tmp_path / table.name).write_bytes(table.read_bytes())
        content = (SAMPLE / "edx2lrs.yaml").read_text(encoding="utf-8") if text is None else text
        path = tmp_path / "edx2lrs.yaml"
        path.write_text(content.replace("127.0.0.1:18080", address).replace("ADDRESS", address), encoding="utf-8")
        return path

    return write


class Result:
    """What a command ended with."""

    def __init__(self, code: int, out: str, err: str, report: dict[str, Any]) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.report = report

    @property
    def text(self) -> str:
        return self.out + self.err


@pytest.fixture
def edx2lrs(tmp_path):
    """Runs a command to its end, or until ``kill_after`` seconds, when all of its processes are killed with -9."""

    def run(
        *arguments: object,
        kill_after: float | None = None,
        kill_when: Callable[[], bool] | None = None,
        env: dict[str, str] | None = None,
    ) -> Result:
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        reporting = ["--report", str(report)] if arguments[0] in ("run", "deliver", "replay") else []
        process = subprocess.Popen(
            [sys.executable, "-m", "edx2lrs.pipeline", str(arguments[0]), *reporting, *map(str, arguments[1:])],
            cwd=tmp_path,
            env={**os.environ, **SECRETS, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            while kill_when is not None and process.poll() is None and not kill_when():
                time.sleep(0.01)
            if kill_when is not None and process.poll() is None:
                kill_after = 0.001
            out, err = process.communicate(timeout=kill_after or 600)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate(timeout=20)
        assert "Traceback" not in err, err
        content = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return Result(process.returncode, out, err, content)

    return run


@pytest.fixture(scope="session")
def sample_logs():
    return SAMPLE / "logs"


class ObjectStore:
    """An object store's server, with objects put in by plain requests. Requests of objects that are told to fail are answered
    with 403, or with 404 as if they had just vanished; all others reach the server."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.port = free_port()
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

    def objects(self, folder: str) -> dict[str, bytes]:
        """What lies below ``folder``, by name."""
        listing = f"/logs?prefix={folder}" if self.kind == "s3" else f"/storage/v1/b/logs/o?prefix={folder}"
        listed = self._get(listing).decode()
        names = re.findall(r"<Key>([^<]+)</Key>" if self.kind == "s3" else r'"name": ?"([^"]+)"', listed)
        address = "/logs/{}" if self.kind == "s3" else "/storage/v1/b/logs/o/{}?alt=media"
        return {name: self._get(address.format(quote(name, safe=""))) for name in names}

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        return answer.read()

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
    store = ObjectStore(request.param, tmp_path)
    store.listen()
    yield store
    store.end()
