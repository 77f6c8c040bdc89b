"""How a state directory stands: told also while a job is at work, and without a change to any of its files."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edx2lrs.io.state.state import open_state
from edx2lrs.pipeline.app.deliver import DeliverRequest, deliver
from edx2lrs.pipeline.app.run import run
from edx2lrs.pipeline.app.status import status
from edx2lrs.pipeline.commands.status import add_arguments, main
from edx2lrs.pipeline.job import Control, RunRequest
from testkit.configurations import consumer, yaml_of

EVENT = {
    "name": "play_video",
    "event_source": "browser",
    "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"},
    "event": {"id": "the-video", "currentTime": 12.5, "duration": 60},
    "time": "2023-05-23T13:53:13+00:00",
}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lrs, replies) -> Path:
    """A state directory in which a statement waits for an LRS that refuses the credentials, beside a consumer that got it."""
    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")
    lrs.behave = lambda _: replies(401, body=b"who are you?\x1b[2J")
    campus = consumer("campus", url=lrs.url, auth={"scheme": "none"})
    (tmp_path / "c.yaml").write_text(yaml_of(campus, consumer("files", url=f"file://{tmp_path}/statements/")))
    (tmp_path / "a.log").write_text(f"{json.dumps(EVENT)}\nno event\n")
    request = RunRequest(str(tmp_path / "c.yaml"), (str(tmp_path / "a.log"),), str(tmp_path / "state"), workers=1)
    run(request, Control())
    return tmp_path / "state"


def told(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return main(parser.parse_args(arguments))


def hashes(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_it_tells_what_waits_and_why_and_changes_nothing(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(state)
    assert told(str(state)) == 0
    out = capsys.readouterr().out
    assert hashes(state) == before
    assert f"{state}: no job is at work on it; 1 run, the last one began" in out
    assert "files: 1 of 1 are read to their end" in out
    (campus,) = [line for line in out.splitlines() if line.startswith("campus")]
    assert campus.split()[1] == "1"
    assert "cut off: " in campus
    assert "401" in campus
    assert "\x1b" not in out
    assert "dead letters of all runs: 1" in out
    assert f"all runs of {state}: 2 records read = 1 matched + 0 filtered + 1 dead" in out
    assert "  files: 1 statement = 1 delivered" in out


def test_it_is_told_as_json(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(str(state), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    waits = {each["consumer"]: (each["statements"], each["cut_off"]) for each in found["waiting"]}
    assert waits == {"campus": (1, True), "files": (0, False)}
    assert (found["job"], found["runs"], found["dead_letters"]) == (None, 1, 1)
    assert found["files"]["done"] == found["files"]["listed"] == 1
    assert found["all_runs"]["records"]["read"] == 2


def test_a_circuit_that_closed_is_not_told_any_more(state: Path, lrs, replies) -> None:
    lrs.behave = lambda _: replies()
    deliver(DeliverRequest(str(state.parent / "c.yaml"), str(state)), Control())
    assert [(each.statements, each.reason) for each in status(str(state)).waiting] == [(0, ""), (0, "")]


def test_it_is_told_while_a_job_is_at_work(state: Path) -> None:
    with open_state(state, ids=1000, statements=1000) as owned:
        found = status(str(state))
        assert found.job == os.getpid()
        owned.ledger.begin_run("DirectRunner", ["campus", "files"], "job")
        assert status(str(state)).runs == 2
        assert [each.reason for each in status(str(state)).waiting] == ["is sent in its turn", ""]
    assert status(str(state)).job is None


def test_a_log_that_grows_is_told_with_its_lag(tmp_path: Path, state: Path) -> None:
    log = tmp_path / "grows.log"
    log.write_text("12345\n")
    there = os.stat(log)
    position = json.dumps([{"device": there.st_dev, "inode": there.st_ino, "offset": 2, "head": "x"}])
    with sqlite3.connect(state / "state.db") as database:
        database.execute("INSERT INTO sources (name, position) VALUES (?, ?)", (f"tail:{log}", position))
        database.execute("INSERT INTO sources (name) VALUES ('kafka://broker/topic?group=g')")
    database.close()
    kafka, tail = status(str(state)).streams
    assert (kafka.behind, kafka.position) == (None, None)
    assert tail.behind == 4


WRONG = {
    "nothing there": lambda folder: folder / "no",
    "another folder": lambda folder: folder,
    "no database": lambda folder: written(folder, b"this is no database, and long enough to be looked at" * 20),
    "an empty database": lambda folder: written(folder, b""),
    "cut off": lambda folder: cut(folder),
}


def written(folder: Path, content: bytes) -> Path:
    (folder / "other").mkdir()
    (folder / "other" / "state.db").write_bytes(content)
    return folder / "other"


def cut(folder: Path) -> Path:
    database = folder / "state" / "state.db"
    database.write_bytes(database.read_bytes()[:6000])
    return folder / "state"


@pytest.mark.parametrize("there", WRONG.values(), ids=WRONG)
def test_what_is_no_state_directory_is_one_line(state: Path, there) -> None:
    folder = there(state.parent)
    done = subprocess.run([sys.executable, "-m", "edx2lrs.pipeline", "status", folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done
    (line,) = done.stderr.splitlines()
    assert str(folder) in line
    assert done.stdout == ""
