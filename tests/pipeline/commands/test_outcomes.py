"""Errors as a command line tells them: which exit code, which words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from edx2lrs.io.dead_letters.letters import DeadLettersMissing
from edx2lrs.io.state.errors import StateFault, StateInUse
from edx2lrs.pipeline.commands.outcomes import exit_code_of, told_of_job
from edx2lrs.pipeline.config.faults import ConfigError, ConfigFault
from edx2lrs.pipeline.job import JobFailed, JobResult
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.families.packages import OwnEventsError

WRONG_CONFIG = ConfigError([ConfigFault("c.yaml", 3, "lms", "nothing")])
TOLD = {
    "a wrong configuration": ("run", WRONG_CONFIG, 2, "c.yaml:3: lms: nothing"),
    "a wrong configuration of a check": ("check", WRONG_CONFIG, 2, "c.yaml:3: lms: nothing"),
    "a wrong option": ("run", OptionError("--http: no"), 2, "--http: no"),
    "a wrong option of a command that reads": ("dead-letters", OptionError("--x: no"), 2, "edx2lrs: --x: no"),
    "a state directory in use": ("deliver", StateInUse("in use"), 2, "in use"),
    "no letters": ("replay", DeadLettersMissing("nowhere"), 2, "edx2lrs: nowhere"),
    "own events of a job": ("run", OwnEventsError("own.events: wrong"), 2, "own.events: wrong"),
    "own events of another command": ("translate", OwnEventsError("own.events: wrong"), 2, "edx2lrs translate: own.events: wrong"),
    "a job that failed": ("run", JobFailed("why"), 3, "the job failed: why"),
    "a full disk of a job": ("replay", StateFault("full"), 3, "the job failed: full"),
    "a full disk of a command that reads": ("dead-letters", StateFault("full"), 2, "edx2lrs: full"),
    "a missing file of an import": ("import-erb", FileNotFoundError(2, "No such file"), 2, "edx2lrs import-erb: No such file"),
}


def raising(error: BaseException) -> Callable[[], int]:
    def call() -> int:
        raise error

    return call


@pytest.mark.parametrize(("command", "error", "code", "words"), TOLD.values(), ids=TOLD)
def test_an_error_for_a_person_is_its_text_and_an_exit_code(
    command: str, error: Exception, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(command, raising(error)) == code
    assert capsys.readouterr() == ("", f"{words}\n")


def test_a_fault_of_the_program_in_a_job_shows_where_and_not_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of("run", raising(ValueError("a value of a record"))) == 3
    err = capsys.readouterr().err
    assert err.startswith("the job failed: unexpected ValueError in call, ")
    assert "a value" not in err


def test_ctrl_c_is_the_exit_code_of_its_signal() -> None:
    assert exit_code_of("check", raising(KeyboardInterrupt())) == 130


def test_a_job_that_an_engine_has_is_named_with_its_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert told_of_job(JobResult(engine_job="job-1"), report_path="gs://bucket/report.json") == 0
    assert capsys.readouterr().out == "job job-1 is with Dataflow; its report: gs://bucket/report.json\n"


@pytest.mark.parametrize(("waiting", "code"), [(0, 0), (3, 1)])
def test_a_reader_that_has_gone_costs_a_job_nothing_and_not_its_exit_code(waiting: int, code: int) -> None:
    script = f"""
import os, sys
from edx2lrs.pipeline.commands.outcomes import exit_code_of, told_of_job
from edx2lrs.pipeline import report
from edx2lrs.pipeline.job import JobResult
sys.stdin.readline()
content = report.report({{}}, {{}}, {{"campus": {waiting}}}, {{}}, {{}}, runner="", seconds=0, dead_letters="", state="state")
os._exit(exit_code_of("run", lambda: told_of_job(JobResult(content))))
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.write(b"\n")
    process.stdin.close()
    assert process.wait(60) == code
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_broken_pipe_elsewhere_fails_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of("run", raising(BrokenPipeError(32, "Broken pipe"))) == 3
    assert "the job failed" in capsys.readouterr().err
