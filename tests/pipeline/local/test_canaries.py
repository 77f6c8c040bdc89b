"""A whole job over records with personal data wherever nothing is declared (``testkit.canaries``): none leaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.dead_letters.letters import read as read_dead_letters
from testkit import canaries
from testkit.configurations import consumer, yaml_of

MANY = pytest.param(200_000, marks=[pytest.mark.engine, pytest.mark.soak])
CONFIG = yaml_of(
    consumer("statements"),
    consumer("events", "caliper", redact=["response", "title"]),
    dead_letters={"payload": "PAYLOAD"},
)


@pytest.mark.parametrize("payload", ["none", "redacted"])
@pytest.mark.parametrize("count", [1_000, MANY])
def test_nothing_of_them_leaves_the_job_by_any_way(
    edx2lrs: Any, sandbox: Any, config: Callable[..., Path], tmp_path: Path, count: int, payload: str
) -> None:
    """Dead letters hold the record by design (``full``); without it everything that the job writes is clean."""
    if count > 1_000 and payload == "redacted":
        count //= 4
    log = tmp_path / "tracking.log"
    with log.open("wb") as file:
        file.writelines(line.replace(b"\n", b" ") + b"\n" for line in canaries.people(count, seed=3))
    written_config = config(sandbox.address, CONFIG.replace("PAYLOAD", payload))
    result = edx2lrs("run", "--config", written_config, "--input", "tracking.log", "--state", "state", "--workers", 2)
    shown = edx2lrs("dead-letters", "show", "state", "--payload")
    assert result.code == 0, result.text
    assert result.report["consumers"]["statements"]["delivered"] > count / 2
    assert result.report["consumers"]["events"]["delivered"] > count / 2
    assert result.report["records"]["dead"]["wrong_type"] > 0
    sandbox.stop()

    log.unlink()
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        assert not canaries.UNDECLARED.search(path.read_bytes()), path
        assert path.name.startswith("lrs.db") or not canaries.DECLARED.search(path.read_bytes()), path
    for said in (result.text, shown.text, json.dumps(result.report)):
        assert not canaries.UNDECLARED.search(said.encode())
        assert not canaries.DECLARED.search(said.encode())


class Quoting(BaseHTTPRequestHandler):
    """An LRS that refuses statements with a canary in them, and says them back."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        refused = canaries.DECLARED.search(sent)
        ids = json.dumps([statement["id"] for statement in json.loads(sent)]).encode()
        answer = b"not right: " + refused[0] + b" in " + sent if refused else ids
        self.send_response(400 if refused else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing, for the tests' output."""


@pytest.fixture
def quoting_lrs() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Quoting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_a_consumer_says_of_a_statement_is_nowhere_but_in_full_dead_letters(
    edx2lrs: Any, quoting_lrs: str, config: Callable[..., Path], tmp_path: Path
) -> None:
    about = {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"}
    videos = [{"id": "v", "time": 1}, {"id": "d3clared", "time": 2}, {"id": "w", "time": 3}]
    events = [{"name": "play_video", "event": {"id": v["id"]}, "time": v["time"], "context": about} for v in videos]
    (tmp_path / "tracking.log").write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    for payload, quotes in (("full", True), ("none", False)):
        path = config(quoting_lrs, yaml_of(consumer("statements"), dead_letters={"payload": payload}))
        result = edx2lrs("run", "--config", path, "--input", "tracking.log", "--state", payload)
        assert result.report["consumers"]["statements"]["dead"]["statements"] == {"refused": 1}, result.text
        assert not canaries.DECLARED.search(result.text.encode())
        (letter,) = read_dead_letters(str(tmp_path / payload / "dead-letters"), print)
        assert ("d3clared" in (letter.http_body or ""), b"d3clared" in letter.payload) == (quotes, quotes)
