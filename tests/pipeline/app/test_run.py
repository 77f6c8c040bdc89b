"""A run, called as a function: in any thread, stopped by an event, watched by callbacks; what came of it is data."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from edx2lrs.pipeline.app.dead_letters import Letters, LettersRequest, counted, grouped
from edx2lrs.pipeline.app.deliver import DeliverRequest, deliver
from edx2lrs.pipeline.app.replay import ReplayRequest, plan
from edx2lrs.pipeline.app.run import run
from edx2lrs.pipeline.app.status import status
from edx2lrs.pipeline.job import Control, HowFar, JobResult, RunRequest
from edx2lrs.pipeline.run_options import OptionError
from testkit.configurations import consumer, yaml_of

CONFIG = yaml_of(consumer("files", url="file:///FOLDER/"))
PLAY = {
    "name": "play_video",
    "event_source": "browser",
    "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"},
    "event": {"id": "the-video", "currentTime": 12.5, "duration": 60},
    "time": "2023-05-23T13:53:13+00:00",
}


@pytest.fixture
def request_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunRequest:
    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")
    (tmp_path / "c.yaml").write_text(CONFIG.replace("/FOLDER", str(tmp_path / "statements")))
    (tmp_path / "a.log").write_text(f"{json.dumps(PLAY)}\nno event\n")
    return RunRequest(str(tmp_path / "c.yaml"), (str(tmp_path / "a.log"),), str(tmp_path / "state"), workers=1)


def test_a_run_in_a_thread_prints_nothing_and_gives_its_report(
    request_of: RunRequest, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    results: list[JobResult] = []
    told: list[HowFar] = []
    thread = threading.Thread(target=lambda: results.append(run(request_of, Control(on_progress=told.append))))
    thread.start()
    thread.join(120)
    (result,) = results
    assert result.report is not None
    assert (result.report["records"]["read"], result.report["consumers"]["files"]["delivered"]) == (2, 1)
    assert (result.stopped, result.unreadable, result.is_stream) == (False, (), False)
    assert told
    assert capfd.readouterr().out == ""

    stands = status(request_of.state or "")
    assert (stands.all_runs["records"]["read"], stands.files.done, stands.files.listed) == (2, 1, 1)
    assert stands.all_runs["consumers"]["files"]["waiting"] == 0
    assert msgspec.json.encode(stands)

    letters = LettersRequest(str(tmp_path / "state"))
    assert [(group.cause, group.letters) for group in grouped(Letters(letters))] == [("not_json", 1)]
    assert [(each.cause, each.letters) for each in counted(Letters(letters))] == [("not_json", 1)]
    planned = plan(ReplayRequest(request_of.config, letters.path))
    assert (dict(planned.records), dict(planned.statements)) == ({"": 1}, {})
    assert msgspec.json.encode(planned)


def test_a_run_that_is_to_stop_before_it_has_begun_reads_nothing_and_goes_on_later(request_of: RunRequest) -> None:
    control = Control()
    control.stop.set()
    stopped = run(request_of, control)
    assert stopped.report is not None
    assert (stopped.stopped, stopped.report["records"]["read"]) == (True, 0)
    later = run(request_of, Control())
    assert later.report is not None
    assert (later.stopped, later.report["records"]["read"]) == (False, 2)
    nothing = deliver(DeliverRequest(request_of.config, request_of.state or ""), Control())
    assert nothing.report is not None
    assert (nothing.report["records"]["read"], nothing.report["all_runs"]["records"]["read"]) == (0, 2)


def test_what_cannot_work_is_an_error_that_names_the_option(request_of: RunRequest) -> None:
    with pytest.raises(OptionError, match="--http"):
        run(replace(request_of, http="8080"), Control())
