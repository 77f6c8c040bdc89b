"""What counts as a valid statement of xAPI 1.0.3: one row for each rule, on both sides of it."""

from __future__ import annotations

from typing import Any

import pytest

from edx2lrs.pipeline.sandbox.statement_rules import fault_of

ACTIVITY = {"id": "https://lms.example.com/a"}
AGENT = {"mbox": "mailto:a@example.com"}
VALID = {"actor": AGENT, "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"}, "object": ACTIVITY}
UUID = "12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"
REFERENCE = {"objectType": "StatementRef", "id": UUID}
NESTED = {"objectType": "SubStatement", **VALID}
ATTACHMENT = {
    "usageType": "http://x.org/a",
    "display": {"en": "a"},
    "contentType": "text/plain",
    "length": 1,
    "sha2": "0" * 64,
}


def definition(**properties: Any) -> dict[str, Any]:
    return {"object": {**ACTIVITY, "definition": properties}}


@pytest.mark.parametrize(
    "properties",
    [
        {"id": UUID, "version": "1.0.3", "timestamp": "2024-02-29T23:59:60.123456789+05:30"},
        {"timestamp": "2024-03-11T06:00:00Z"},
        {"actor": {"objectType": "Agent", "account": {"homePage": "https://lms.example.com", "name": "5"}}},
        {"actor": {"objectType": "Group", "member": [AGENT]}},
        {"actor": {"mbox_sha1sum": "0" * 40, "name": ""}},
        {"object": REFERENCE},
        {"object": {"objectType": "Agent", **AGENT}},
        {"object": NESTED},
        {"result": {"score": {"scaled": -1, "min": 0, "max": 0, "raw": 0.0}, "duration": "P1DT01H01M01.5S"}},
        {"result": {"duration": "P2W", "success": False, "response": ""}},
        {"context": {"contextActivities": {"parent": ACTIVITY, "grouping": [ACTIVITY]}, "statement": REFERENCE}},
        {
            "context": {
                "extensions": {"https://example.com/é": [None, "thing"]},
                "language": "en-US",
                "registration": UUID,
            }
        },
        {"context": {"extensions": {}, "platform": "Open edX"}},
        definition(name={"en": "Ω"}, interactionType="choice", choices=[{"id": "a", "description": {"de": "A"}}]),
        definition(interactionType="other", correctResponsesPattern=[]),
        {"attachments": [ATTACHMENT]},
    ],
)
def test_valid(properties: dict[str, Any]) -> None:
    assert fault_of({**VALID, **properties}) is None


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"unknown": 1}, "unknown"),
        ({"result": None}, "result"),
        ({"id": "12eedb5d"}, "id"),
        ({"id": f"{UUID}\n"}, "id"),
        ({"version": "1.1"}, "version"),
        ({"timestamp": "2024-03-11T06:00:00"}, "timestamp"),
        ({"timestamp": "2024-03-11T06:00:00-00:00"}, "timestamp"),
        ({"timestamp": "2024-03-11T06:00:00+0000"}, "timestamp"),
        ({"timestamp": "2024-02-30T06:00:00Z"}, "timestamp"),
        ({"timestamp": "2024-03-11 06:00:00Z"}, "timestamp"),
        ({"timestamp": 1710136800}, "timestamp"),
        ({"actor": {}}, "exactly one"),
        ({"actor": {**AGENT, "openid": "https://a.example.com"}}, "exactly one"),
        ({"actor": {"mbox": "a@example.com"}}, "mbox"),
        ({"actor": {"mbox_sha1sum": "0" * 39}}, "mbox_sha1sum"),
        ({"actor": {"account": {"homePage": "lms", "name": "5"}}}, "homePage"),
        ({"actor": {"account": {"homePage": "https://lms.example.com"}}}, "name"),
        ({"actor": {"objectType": "Group"}}, "members"),
        ({"actor": {"objectType": "Group", "member": [{"objectType": "Group", "member": [AGENT]}]}}, "Agents"),
        ({"actor": {**AGENT, "member": [AGENT]}}, "member"),
        ({"actor": {"objectType": "Person", **AGENT}}, "objectType"),
        ({"verb": {"id": "passed"}}, "verb.id"),
        ({"verb": {"id": "http://x.org/v", "display": "passed"}}, "display"),
        ({"verb": {"id": "http://x.org/v", "display": {"not a tag": "x"}}}, "display"),
        ({"object": {}}, "id"),
        ({"object": []}, "object"),
        ({"object": {"id": "/relative"}}, "id"),
        ({"object": {"id": "https://x.org/a b"}}, "id"),
        ({"object": {"id": "https://x.org/a", "objectType": "GroupActivity"}}, "objectType"),
        ({"object": {**NESTED, "id": UUID}}, "id"),
        (
            {"object": {**NESTED, "object": NESTED}},
            "objectType",
        ),
        (definition(extensions={"relative": 1}), "extensions"),
        (definition(interactionType="essay"), "interactionType"),
        (definition(choices=[{"id": "a"}]), "interactionType"),
        (definition(interactionType="choice", scale=[{"id": "a"}]), "another interactionType"),
        (definition(interactionType="choice", choices=[{"id": "a"}, {"id": "a"}]), "distinct"),
        ({"result": {"score": {"scaled": 1.01}}}, "scaled"),
        ({"result": {"score": {"scaled": True}}}, "scaled"),
        ({"result": {"score": {"min": 2, "max": 1}}}, "min"),
        ({"result": {"score": {"raw": 2, "max": 1}}}, "raw"),
        ({"result": {"success": "true"}}, "success"),
        ({"result": {"response": 5}}, "response"),
        ({"result": {"duration": "PT"}}, "duration"),
        ({"result": {"duration": "P"}}, "duration"),
        ({"result": {"duration": "P-1DT23H59M57S"}}, "duration"),
        ({"context": {"registration": "5"}}, "registration"),
        ({"context": {"team": AGENT}}, "team"),
        ({"context": {"statement": {"id": UUID}}}, "objectType"),
        ({"context": {"contextActivities": {"parent": [{}]}}}, "parent"),
        ({"context": {"contextActivities": {"parents": []}}}, "parents"),
        ({"context": {"platform": "x"}, "object": {"objectType": "Agent", **AGENT}}, "platform"),
        ({"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}}, "StatementRef"),
        ({"attachments": [{}]}, "attachments"),
    ],
)
def test_not_valid_and_what_is_named(properties: dict[str, Any], named: str) -> None:
    fault = fault_of({**VALID, **properties})
    assert fault is not None
    assert named in fault


@pytest.mark.parametrize("missing", ["actor", "verb", "object"])
def test_three_properties_are_needed(missing: str) -> None:
    fault = fault_of({key: value for key, value in VALID.items() if key != missing})
    assert fault is not None
    assert missing in fault


@pytest.mark.parametrize("value", [None, [], "text", 5, [VALID]])
def test_a_statement_is_an_object(value: object) -> None:
    assert fault_of(value) is not None
