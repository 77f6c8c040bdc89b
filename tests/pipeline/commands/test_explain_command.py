"""``edx2lrs explain``, as a process and as the pure function behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.pipeline.app.explain import one_record
from testkit.configurations import consumer, yaml_of

PLAY = {
    "name": "play_video",
    "context": {"user_id": 90210, "course_id": "course-v1:edX+DemoX+2020", "ip": "203.0.113.7"},
    "event": {"id": "the-video", "currentTime": 12.5},
    "username": "ann",
    "time": "2023-05-23T13:53:13+00:00",
}
CONFIG = yaml_of(
    consumer(url="https://lrs.example/xAPI", access={"orgs": {"allow": ["MITx"]}}, match_params={"name": "play_video"}),
    consumer("warehouse", "caliper", url="https://cal.example/"),
    consumer("engine", url="https://lrs2.example/", match_params={"data.duration": {"exists": True}}),
    lms={"root_url": "https://site.example", "id_key": "env:SITE_KEY"},
    events={"block": ["pause_video"]},
)


def explain(event: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edx2lrs.pipeline", "explain", *arguments]
    text = event if isinstance(event, str) else json.dumps(event)
    environment = {**os.environ, "SITE_KEY": "a key of the site's own"}
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, env=environment)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    return str(path)


def test_each_consumer_has_its_reasons_and_its_statements(config: str) -> None:
    done = explain(PLAY, "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    steps, campus, warehouse, engine = done.stdout.split("\n\n")
    assert [line.split()[:2] for line in steps.splitlines() if line[0] != " "] == [
        ["read", str(len(json.dumps(PLAY)))],
        ["parse", "play_video"],
        ["filter", "goes"],
    ]
    assert campus.splitlines() == [
        "campus (xapi): gets nothing",
        "  match      no, access.orgs: allow lacks the event's organisation",
        "             yes, match_params.name: wanted play_video; found a text, which fits",
    ]
    assert warehouse.startswith("warehouse (caliper): gets 1 statement\n  match      yes, access: it may see everything\n")
    made = json.loads(warehouse[warehouse.index("    {") : warehouse.rindex("  deliver")])
    assert (made["type"], made["target"]["currentTime"]) == ("MediaEvent", "PT12.5S")
    assert "data.duration: wanted any value; found nothing, which does not fit" in engine


def test_fields_are_shown_by_type_and_values_only_on_demand(config: str) -> None:
    hidden = explain(PLAY, "--config", config).stdout.partition("filter")[0]
    assert "data.currentTime   a number\n" in hidden
    assert "data.duration      -\n" in hidden
    assert not any(value in hidden for value in ("90210", "the-video", "12.5", "ann", "edX"))
    shown = explain(PLAY, "--config", config, "--values").stdout
    assert 'data.id            "the-video"\n' in shown
    assert 'allow lacks the event\'s organisation ("edX")\n' in shown
    assert "203.0.113.7" not in shown


def test_without_a_configuration_there_is_one_consumer_of_each_protocol() -> None:
    done = explain(json.dumps(PLAY, indent=2))
    assert (done.returncode, done.stderr) == (0, "")
    assert "any xapi consumer (xapi): gets 1 statement" in done.stdout
    assert "any caliper consumer (caliper): gets 1 statement" in done.stdout


STOPS = {
    "{broken": "parse      refused: not_json: ",
    json.dumps({**PLAY, "event": {"id": ["x"]}}): "parse      refused: wrong_type: ",
    json.dumps({**PLAY, "name": "/courses/x"}): "filter     page_request: its name is the path or address of a page",
    json.dumps({**PLAY, "name": "unheard.of"}): "filter     unknown_event: no mapping knows events of this name",
    json.dumps({**PLAY, "name": "pause_video"}): "filter     blocked: events.block has its name; nobody gets it",
    json.dumps({**PLAY, "event": {}}): "  translate  refused: missing: course_id or data.id is missing; object.id needs it",
}


@pytest.mark.parametrize(("event", "verdict"), STOPS.items(), ids=lambda text: text[:40])
def test_an_event_that_goes_no_further_has_its_reason(config: str, event: str, verdict: str) -> None:
    done = explain(event, "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    assert any(line.startswith(verdict) for line in done.stdout.splitlines())
    assert '"id"' not in done.stdout


def test_only_the_first_line_is_explained() -> None:
    done = explain(f"\n{json.dumps(PLAY)}\n{json.dumps(PLAY)}\n")
    assert done.returncode == 0
    assert done.stderr == "edx2lrs explain: this is the first line; 1 more were not looked at\n"
    assert one_record(b"{broken\n{broken") == (b"{broken", 1)


def test_nothing_to_explain_and_a_wrong_configuration_are_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("lms: {root_url: https://site.example}\n")
    for done in (explain(" \n"), explain(PLAY, "--config", str(path))):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr
        assert "Traceback" not in done.stderr
