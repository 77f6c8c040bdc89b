"""The Caliper endpoint over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]


def test_each_event_is_stored_once_and_repeats_are_counted(sandbox: Any, envelope: Make, event: Make) -> None:
    first, second = event(), event()
    assert sandbox.caliper(envelope(first)).json() == {"stored": 1, "repeats": 0}
    answer = sandbox.caliper(envelope(first), envelope(second, second))
    assert (answer.status_code, answer.json()) == (200, {"stored": 1, "repeats": 2})
    counts = sandbox.counts()["warehouse"]
    assert (counts["protocol"], counts["stored"], counts["repeats"], counts["requests"]) == ("caliper", 2, 2, 2)


@pytest.mark.parametrize(
    "properties",
    [
        {"profile": "MediaProfile", "session": "https://lms.example.com/sessions/a", "extensions": {"any": [1]}},
        {"target": {"id": "_:MediaLocation", "type": "MediaLocation", "currentTime": "PT3S"}},
        {"@context": ["https://example.com/own", "http://purl.imsglobal.org/ctx/caliper/v1p2"]},
    ],
)
def test_valid_events(sandbox: Any, envelope: Make, event: Make, properties: dict[str, Any]) -> None:
    assert sandbox.caliper(envelope(event(**properties))).status_code == 200


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"id": "12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"}, "id"),
        ({"eventTime": "2024-03-11T06:00:00Z"}, "eventTime"),
        ({"eventTime": "2024-03-11T06:00:00.123+00:00"}, "eventTime"),
        ({"actor": {"id": "https://lms.example.com/user/5"}}, "type"),
        ({"object": {"type": "VideoObject"}}, "id"),
        ({"object": "not an IRI"}, "object"),
        ({"action": "paused"}, "action"),
        ({"@context": ["https://example.com/own"]}, "@context"),
        ({"context": {}}, "context"),
        ({"target": None}, "target"),
    ],
)
def test_an_invalid_event_refuses_all_and_is_named(
    sandbox: Any, envelope: Make, event: Make, properties: dict[str, Any], named: str
) -> None:
    answer = sandbox.caliper(envelope(event(), event(**properties)))
    assert answer.status_code == 400
    assert "envelope 0: data[1]" in answer.json()["error"]
    assert named in answer.json()["error"]
    assert sandbox.counts()["warehouse"]["stored"] == 0


@pytest.mark.parametrize("missing", ["@context", "id", "type", "actor", "action", "object", "eventTime"])
def test_properties_that_an_event_needs(sandbox: Any, envelope: Make, event: Make, missing: str) -> None:
    answer = sandbox.caliper(envelope({key: value for key, value in event().items() if key != missing}))
    assert answer.status_code == 400
    assert missing in answer.json()["error"]


@pytest.mark.parametrize(
    "properties",
    [{"data": []}, {"data": {}}, {"sensor": 5}, {"sendTime": None}, {"dataVersion": "v1p1"}, {"unknown": 1}],
)
def test_invalid_envelopes(sandbox: Any, envelope: Make, event: Make, properties: dict[str, Any]) -> None:
    assert sandbox.caliper({**envelope(event()), **properties}).status_code == 400


def test_entities_that_stand_alone_and_events_without_an_envelope_are_not_taken(sandbox: Any, envelope: Make, event: Make) -> None:
    described = {"@context": "http://purl.imsglobal.org/ctx/caliper/v1p2", "id": "https://x.org/u", "type": "Person"}
    assert sandbox.caliper(envelope(described)).status_code == 400
    assert sandbox.caliper(event()).status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "Basic c2FuZGJveDpzYW5kYm94"}])
def test_the_token_is_needed(sandbox: Any, envelope: Make, event: Make, headers: dict[str, str]) -> None:
    answer = sandbox.caliper(envelope(event()), headers=headers)
    assert answer.status_code == 401
    assert sandbox.counts()["warehouse"]["refused"] == {"401": 1}


def test_a_name_has_one_protocol(sandbox: Any, envelope: Make, event: Make, statement: Make) -> None:
    sandbox.caliper(envelope(event()))
    answer = sandbox.xapi("POST", "warehouse", json=statement())
    assert answer.status_code == 404
    assert "caliper" in answer.json()["error"]
