"""A file that gives nothing usable is named, with exit code 1; and a run that reads nothing says why."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path

import pytest

from edx2lrs.pipeline.app.run import run
from edx2lrs.pipeline.commands.outcomes import told_of_job
from edx2lrs.pipeline.commands.run import add_arguments, request_of
from edx2lrs.pipeline.job import Control
from testkit.configurations import consumer, yaml_of

EVENT = {
    "name": "play_video",
    "event_source": "browser",
    "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"},
    "event": {"id": "the-video", "currentTime": 12.5, "duration": 60},
    "time": "2023-05-23T13:53:13+00:00",
}
LINE = f"{json.dumps(EVENT)}\n".encode()
TIMELESS = json.dumps({key: value for key, value in EVENT.items() if key != "time"}).encode()


@pytest.fixture
def outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the job over a folder, and gives the exit code and what it said on both of its outputs."""
    import argparse

    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")
    (tmp_path / "c.yaml").write_text(yaml_of(consumer("files", url=f"file://{tmp_path}/statements/")))
    (tmp_path / "logs").mkdir()

    def of(*arguments: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        given = ["--config", str(tmp_path / "c.yaml"), "--input", str(tmp_path / "logs"), "--state", str(tmp_path / "state")]
        parsed, parsed.beam = parser.parse_args([*given, "--workers", "1", *arguments]), []
        code = told_of_job(run(request_of(parsed), Control()), parsed.strict)
        said = capsys.readouterr()
        return code, said.out + said.err

    return of


REFUSED = {
    "no JSON": (b"hello\nworld\n", "nothing in it is a tracking event (2 records: not_json 2)"),
    "JSON of another kind": (b'["a"]\n1\n', "nothing in it is a tracking event (2 records: not_json 2)"),
    "no time": (TIMELESS, "nothing in it is a tracking event (1 record: no_time 1)"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(200), "not_a_log: "),
    "cut off": (gzip.compress(LINE + os.urandom(9000))[:5000], "truncated_gzip: "),
    "damaged": (gzip.compress(LINE)[:-8] + zlib.crc32(b"").to_bytes(8, "little"), "corrupt_gzip: "),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_gives_nothing_is_named_with_exit_code_1(tmp_path: Path, outcome, content: bytes, words: str) -> None:
    (tmp_path / "logs" / "good.log").write_bytes(LINE + b"no event\n")
    bad = tmp_path / "logs" / "odd.log"
    bad.write_bytes(content)
    code, said = outcome()
    assert code == 1
    assert f"{bad}: {words}" in said
    assert "good.log" not in said
    code, said = outcome()
    assert code == 0
    assert "nothing was read: 2 files were read before, as the state directory knows" in said


def test_a_whole_input_of_nothing_usable_is_said(tmp_path: Path, outcome) -> None:
    (tmp_path / "logs" / "odd.log").write_bytes(b"hello\n")
    code, said = outcome()
    assert code == 1
    assert "none of 1 record is a tracking event that can be used" in said


def test_a_line_that_is_added_to_a_file_that_gave_something_is_a_dead_letter_alone(tmp_path: Path, outcome) -> None:
    log = tmp_path / "logs" / "a.log"
    log.write_bytes(LINE)
    assert outcome()[0] == 0
    log.write_bytes(LINE + b"no event\n" + LINE)
    assert outcome()[0] == 0


def test_a_run_that_reads_nothing_says_why(tmp_path: Path, outcome) -> None:
    (tmp_path / "logs" / "tracking.log-20230524").write_bytes(LINE)
    (tmp_path / "logs" / "empty.log").write_bytes(b"")
    code, said = outcome()
    assert (code, "nothing was read" in said) == (0, False)
    code, said = outcome()
    assert code == 0
    assert "nothing was read: 1 file was read before, as the state directory knows; 1 file is empty" in said
    code, said = outcome("--since", "2024-01-01")
    assert "1 file can hold no event of --since and --until; 1 file is empty" in said


def test_the_summary_has_the_sums_of_all_runs_once_there_were_several(tmp_path: Path, outcome) -> None:
    (tmp_path / "logs" / "a.log").write_bytes(LINE)
    assert "all runs" not in outcome()[1]
    (tmp_path / "logs" / "b.log").write_bytes(LINE + LINE.replace(b"13:53:13", b"13:53:14"))
    _, said = outcome()
    assert "2 records read in" in said
    assert f"all runs of {tmp_path}/state: 3 records read = 3 matched + 0 filtered + 0 dead" in said
    assert "  files: 3 statements = 2 delivered + 0 already stored + 0 conflicts + 1 duplicates" in said
