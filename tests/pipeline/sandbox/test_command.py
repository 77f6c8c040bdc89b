"""``edx2lrs sandbox`` as a process: how scripts wait for it, end it and start it again."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

COMMAND = (sys.executable, "-m", "edx2lrs.pipeline", "sandbox")


@contextmanager
def running(*options: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address that its first line gives."""
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("sandbox LRS at http://"), process.communicate(timeout=10)
            yield process, line.split()[-1]
        finally:
            process.kill()


def refused(*options: str | Path) -> str:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with running("--port", "0", "--port-file", tmp_path / "port") as (process, address):
        assert address == f"http://{(tmp_path / 'port').read_text().strip()}/"
        assert requests.get(address, timeout=10).status_code == 200
        process.send_signal(number)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0


def test_what_arrived_is_there_after_a_kill(tmp_path: Path) -> None:
    database = tmp_path / "new" / "folder" / "lrs.db"
    one = {
        "actor": {"mbox": "mailto:a@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": {"id": "https://lms.example.com/a"},
    }
    with running("--port", "0", "--db", database, "--basic", "me:a:secret") as (process, address):
        headers = {"X-Experience-API-Version": "1.0.3"}
        sent = requests.post(f"{address}campus/xAPI/statements", json=one, headers=headers, auth=("me", "a:secret"), timeout=10)
        assert sent.status_code == 200
        process.kill()
    with running("--port", "0", "--db", database) as (_, address):
        assert requests.get(f"{address}counts", timeout=10).json()["campus"]["stored"] == 1


def test_secrets_may_stand_elsewhere_than_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_LOGIN", "me:a:secret")
    (tmp_path / "token").write_text("t0k3n\n")
    with running("--port", "0", "--basic", "env:SANDBOX_LOGIN", "--bearer", f"file:{tmp_path}/token") as (_, address):
        headers = {"X-Experience-API-Version": "1.0.3"}
        assert requests.get(f"{address}a/xAPI/statements", headers=headers, auth=("me", "a:secret"), timeout=10).status_code == 200
        assert requests.post(f"{address}b/caliper", json=[], headers={"Authorization": "Bearer t0k3n"}, timeout=10).status_code == 400


def test_a_page_of_somebody_else_whose_name_leads_here_reads_nothing() -> None:
    with running("--port", "0") as (_, address):
        port = address.rstrip("/").rpartition(":")[2]
        for host in ("localhost", f"127.0.0.1:{port}", f"LOCALHOST:{port}", "[::1]:1"):
            assert requests.get(f"{address}counts", headers={"Host": host}, timeout=10).status_code == 200
        for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example"):
            assert requests.get(f"{address}counts", headers={"Host": host}, timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--port", "70000"), "70000"),
        (("--fault", "418:0.1"), "418:0.1"),
        (("--fault", "429:0.6", "--fault", "503:0.6"), "more than 1"),
        (("--basic", "nobody"), "USER:PASSWORD"),
        (("--bearer", "env:NOT_SET_AT_ALL"), "NOT_SET_AT_ALL"),
        (("--db", "/dev/null/lrs.db"), "/dev/null/lrs.db"),
        (("--port", "0", "--host", "no.such.host.invalid"), "no.such.host.invalid"),
    ],
)
def test_options_of_no_use_are_named(options: tuple[str, ...], named: str) -> None:
    assert named in refused(*options)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refused("--port", port)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "other.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE statements (id)")
    connection.close()
    before = database.read_bytes()
    assert str(database) in refused("--port", "0", "--db", database)
    assert database.read_bytes() == before
    (tmp_path / "text.db").write_text("not a database" * 100)
    assert "text.db" in refused("--port", "0", "--db", tmp_path / "text.db")


def test_a_database_belongs_to_one_sandbox_at_a_time(tmp_path: Path) -> None:
    with running("--port", "0", "--db", tmp_path / "lrs.db"):
        assert "in use" in refused("--port", "0", "--db", tmp_path / "lrs.db")


def test_it_starts_without_beam() -> None:
    code = "import sys, edx2lrs.pipeline.sandbox.command; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
