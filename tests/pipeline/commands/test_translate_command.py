"""``edx2lrs translate``, as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testkit.configurations import yaml_of

PLAY = {
    "name": "play_video",
    "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"},
    "event": {"id": "v"},
    "time": "2023-05-23T13:53:13+00:00",
}
MENU_SHOWN = {**PLAY, "name": "edx.video.language_menu.shown"}


def run(lines: bytes, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", *arguments]
    return subprocess.run(command, input=lines, capture_output=True, timeout=60, env={**os.environ, **(environment or {})})


def text(*records: Any) -> bytes:
    return b"\n".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in records)


def test_statements_come_out_one_a_line() -> None:
    done = run(text(PLAY, b"", b"{broken", PLAY) + b"\r\n", "--to", "xapi")
    assert done.returncode == 0
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first == second
    assert first["object"]["id"].startswith("https://lms.example.com/xblock/")
    assert b"public test key" in done.stderr
    assert b"1 event could not be translated" in done.stderr


def test_a_trace_has_every_line_that_is_not_blank() -> None:
    page = {"name": "/courses/x", "event": "{}"}
    done = run(text(PLAY, b"  ", page, MENU_SHOWN, b"{broken"), "--to", "xapi", "--trace")
    traces = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(t["line"], t["name"], len(t["statements"]), t["skipped"], (t["failure"] or {}).get("cause")) for t in traces] == [
        (1, "play_video", 1, None, None),
        (3, "/courses/x", 0, "page_request", None),
        (4, "edx.video.language_menu.shown", 0, "no_mapping", None),
        (5, None, 0, None, "not_json"),
    ]
    assert traces[0]["statements"][0]["timestamp"]


def test_the_site_comes_from_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    site = {"root_url": "https://site.example", "id_key": "env:SITE_KEY"}
    config.write_text(yaml_of(lms={**site, "course_names": "names.csv", "transformer_version": "pinned"}))
    (tmp_path / "names.csv").write_text("course_id,display_name\ncourse-v1:edX+DemoX+2020,Démo\n", encoding="utf-8")
    done = run(text(PLAY), "--to", "xapi", "--config", str(config), environment={"SITE_KEY": "a key of the site's own"})
    assert done.stderr == b""
    statement = json.loads(done.stdout)
    assert statement["actor"]["account"]["homePage"] == "https://site.example"
    assert statement["context"]["contextActivities"]["parent"][0]["definition"]["name"] == {"en-US": "Démo"}
    assert "pinned" in statement["context"]["extensions"].values()


def test_a_wrong_configuration_is_exit_code_2(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("lms: {root: https://site.example}\n")
    done = run(text(PLAY), "--to", "xapi", "--config", str(config))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"root_url" in done.stderr
    assert b"Traceback" not in done.stderr


def test_output_comes_before_the_input_ends() -> None:
    command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", "--to", "xapi"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(text(PLAY) + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["timestamp"]
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("module", ["apache_beam", "requests", "fastavro"])
def test_nothing_heavy_is_imported(module: str) -> None:
    program = (
        "import sys; from edx2lrs.pipeline.cli import main; from edx2lrs.transforms.translate import Translator;"
        f"import edx2lrs.pipeline.commands.translate; sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


@pytest.mark.parametrize(("dialect", "version"), [("standard", None), ("erb", "1.0.3"), ("aspects", "1.0.3")])
def test_a_dialect_is_chosen(dialect: str, version: str | None) -> None:
    done = run(text(PLAY), "--to", "xapi", "--dialect", dialect)
    assert (done.returncode, json.loads(done.stdout).get("version")) == (0, version)
