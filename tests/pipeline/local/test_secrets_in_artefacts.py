"""Secrets used in a run, against an LRS that repeats all that it is sent, are in nothing that the run leaves behind."""

from __future__ import annotations

import base64
import bz2
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import apache_beam as beam
import fastavro
import pytest
import zstandard
from apache_beam.options.pipeline_options import PipelineOptions

from edx2lrs.io.sources.opening import parse
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.engines.count_tallies import ReportPlace
from edx2lrs.pipeline.engines.graph import Plan, build
from edx2lrs.pipeline.local.wave_runner import WaveRunner
from testkit.configurations import consumer, yaml_of
from testkit.waiting import free_port

SECRETS = {
    "ID_KEY": "planted-id-key-6f1d",
    "LRS_USER": "planted-user-77aa",
    "LRS_PASSWORD": 'planted-"pass\\word/9c',
    "LRS_TOKEN": "planted-token-51be",
    "LRS_HEADER": "planted-header-08d2",
}
CONFIG = yaml_of(
    consumer(
        "echo",
        url="http://ADDRESS/xAPI",
        auth={"scheme": "basic", "username": "env:LRS_USER", "password": "env:LRS_PASSWORD"},
        headers={"X-Api-Key": "env:LRS_HEADER"},
        log=True,
    ),
    consumer(
        "refused",
        "caliper",
        url="http://ADDRESS/refused",
        auth={"scheme": "bearer", "token": "file:token"},
        batch={"interval": "0.2s"},
    ),
    lms={"id_key": "env:ID_KEY"},
)


class Echo(BaseHTTPRequestHandler):
    """Takes every other statement; refuses the others with the words of the request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.dumps({"you sent": dict(self.headers), "decoded": base64.b64decode(self._pair() or b"").decode()})
        status = 401 if self.path == "/refused" else 400
        sent = json.loads(body)
        if status == 400 and len(sent) == 1 and int(sent[0]["id"][-1], 16) % 2:
            status, said = 200, json.dumps([sent[0]["id"]])
        self.send_response(status, said[:80].replace("\n", " ") if status != 200 else "OK")
        self.send_header("Content-Length", str(len(said.encode())))
        self.end_headers()
        self.wfile.write(said.encode())

    def _pair(self) -> str:
        return self.headers["Authorization"].removeprefix("Basic ") if "Basic" in self.headers["Authorization"] else ""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def planted(data: bytes) -> list[str]:
    """The secrets that ``data`` holds, in any of the forms that texts have them in."""
    user, password = SECRETS["LRS_USER"], SECRETS["LRS_PASSWORD"]
    texts = [*SECRETS.values(), json.dumps(password)[1:-1], base64.b64encode(f"{user}:{password}".encode()).decode()]
    return [text for text in texts if text.encode() in data]


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, and what is packed in it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield str(path), data
            if data.startswith(b"SQLite format 3"):
                yield from ((f"{path}, {table}", cell) for table, cell in cells(path))
            if path.suffix == ".avro":
                with path.open("rb") as file:
                    yield from ((f"{path}, a letter", repr(letter).encode()) for letter in fastavro.reader(file))


def cells(path: Path) -> Iterator[tuple[str, bytes]]:
    with sqlite3.connect(path) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    data = cell if isinstance(cell, bytes) else str(cell).encode()
                    yield table, data
                    if data.startswith(zstandard.FRAME_HEADER):
                        yield f"{table}, unpacked", zstandard.ZstdDecompressor().decompressobj().decompress(data)


def unpacked(proto: bytes) -> bytes:
    """A pipeline's proto, with what Beam packed into it: pickled, compressed, in base64."""
    parts = [proto]
    for packed in re.findall(rb"[A-Za-z0-9+/=]{40,}", proto):
        for start in range(4):  # a length before it may look like a part of it
            try:
                decoded = base64.b64decode(packed[start:] + b"=" * (-len(packed[start:]) % 4))
            except ValueError:
                continue
            for unpack in (zlib.decompress, bz2.decompress):
                try:
                    parts.append(unpack(decoded))
                except (zlib.error, OSError, ValueError):
                    continue
    return b"\n".join(parts)


ENVIRONMENT = {name: value for name, value in SECRETS.items() if name != "LRS_TOKEN"}


@pytest.fixture
def configured(echo: str, config: Any, sample_logs: Path, tmp_path: Path) -> Path:
    """The configuration, with a log to read beside it."""
    lines = (sample_logs / "tracking.log-20240312").read_bytes().splitlines(keepends=True)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "tracking.log").write_bytes(b"".join(lines[:200]))
    (tmp_path / "token").write_text(SECRETS["LRS_TOKEN"])
    path: Path = config(echo, CONFIG)
    return path


def test_no_artefact_of_a_run_holds_a_secret(edx2lrs: Any, configured: Path, tmp_path: Path) -> None:
    result = edx2lrs("run", "--config", configured, "--input", "logs", "--state", "state", env=ENVIRONMENT)
    assert result.code == 1, result.text
    letters = result.report["consumers"]["echo"]["dead"]["statements"]
    assert sum(letters.values()) > 3
    assert result.report["consumers"]["refused"]["waiting"] > 3
    assert '"alert": "circuit", "state": "raised", "consumer": "refused"' in result.err

    (tmp_path / "token").unlink()
    found = dict(contents(tmp_path))
    letters_read = [data for name, data in found.items() if "letter" in name]
    assert any(b"you sent" in data for data in letters_read), "the LRS's words are not in the dead letters"
    assert any(b"***" in data for data in letters_read)
    assert any("unpacked" in name for name in found), "no block was looked into"
    assert any("statement-logs" in name for name in found), "no statement was logged"
    assert {name: planted(data) for name, data in found.items() if planted(data)} == {}
    assert planted(result.text.encode()) == []
    assert planted(json.dumps(result.report).encode()) == []


def test_nothing_that_a_service_says_holds_a_secret(configured: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", str(configured), "--state", "state"]
    command += ["--input", "tail:logs/grown.log", "--http", str(port), "--report", "report.json"]
    with (tmp_path / "said").open("wb") as said:
        environment = {**os.environ, **ENVIRONMENT}
        job = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=said, stderr=said, start_new_session=True)
    end = time.monotonic() + 60
    metrics, grown = b"", tmp_path / "logs" / "grown.log"
    while b'edx2lrs_consumer_circuit_open{consumer="refused"} 1.0' not in metrics:
        assert time.monotonic() < end, (tmp_path / "said").read_text()
        assert job.poll() is None, (tmp_path / "said").read_text()
        time.sleep(0.1)
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            metrics = answer.read()
            if not grown.exists():
                grown.write_bytes((tmp_path / "logs" / "tracking.log").read_bytes())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        health = answer.read()
    job.send_signal(signal.SIGTERM)
    job.wait(40)
    (tmp_path / "token").unlink()
    assert planted(metrics + health) == []
    assert b'"alert": "credentials"' in (tmp_path / "said").read_bytes()
    assert {name: planted(data) for name, data in contents(tmp_path) if planted(data)} == {}


def test_no_graph_holds_a_secret(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that of a wave on this machine nor that which Flink and Dataflow are given."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    job = JobSpec(str(configured))
    runner = WaveRunner(job)
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    place = ReportPlace("gs://bucket/report.json", "DataflowRunner", "gs://bucket/dead")
    given = "pubsub://project-1/events"
    build(pipeline, Plan("DataflowRunner", job, "job", [given], [parse(given)], "gs://bucket/dead", place))
    for graph in (runner._graph, pipeline.to_runner_api()):
        proto = unpacked(graph.SerializeToString())
        assert str(configured).encode() in proto, "the job's specification was not found in its graph"
        assert planted(proto) == []
