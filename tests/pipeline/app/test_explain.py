"""The explanation as data, for whoever is no terminal."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from edx2lrs.pipeline.app.explain import ExplainRequest, explain
from edx2lrs.pipeline.config.faults import ConfigError

PLAY = {
    "name": "play_video",
    "context": {"user_id": 90210, "course_id": "course-v1:edX+DemoX+2020", "ip": "203.0.113.7"},
    "event": {"id": "the-video", "currentTime": 12.5},
    "username": "ann",
    "time": "2023-05-23T13:53:13+00:00",
}
RECORD = json.dumps(PLAY).encode()


def test_an_explanation_is_encoded_as_json_with_the_statements_as_they_are_sent() -> None:
    told = json.loads(msgspec.json.encode(explain(ExplainRequest(RECORD))))
    assert (told["name"], told["family"], told["filtered"], told["refusal"]) == ("play_video", "video", None, None)
    assert [(each["name"], each["matches"], len(each["statements"])) for each in told["consumers"]] == [
        ("any xapi consumer", True, 1),
        ("any xapi consumer (dialect: erb)", True, 1),
        ("any xapi consumer (dialect: aspects)", True, 1),
        ("any caliper consumer", True, 1),
        ("any caliper consumer (dialect: erb)", True, 1),
    ]
    (statement,) = told["consumers"][0]["statements"]
    assert statement["verb"]["display"] == {"en": "played"}


def test_values_of_the_event_are_in_it_only_on_demand() -> None:
    (hidden,) = (each for each in explain(ExplainRequest(RECORD)).fields or () if each.path == "data.id")
    (shown,) = (each for each in explain(ExplainRequest(RECORD, values=True)).fields or () if each.path == "data.id")
    assert (hidden.types, hidden.values) == (["a text"], None)
    assert (shown.types, shown.values) == (["a text"], ["the-video"])


def test_what_stops_an_event_is_the_last_that_is_told() -> None:
    broken = explain(ExplainRequest(b"{broken"))
    assert broken.refusal is not None
    assert (broken.refusal.cause, broken.name, broken.consumers) == ("not_json", None, [])
    unknown = explain(ExplainRequest(json.dumps({**PLAY, "name": "unheard.of"}).encode()))
    assert (unknown.filtered, unknown.fields, unknown.consumers) == ("unknown_event", None, [])


def test_a_wrong_configuration_is_an_error_with_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("lms: {root_url: https://site.example}\n")
    with pytest.raises(ConfigError):
        explain(ExplainRequest(RECORD, str(path)))
