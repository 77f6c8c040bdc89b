"""What counts as a valid statement of xAPI 1.0.3: a row for each rule, on both sides of it, with the place and the clause."""

from __future__ import annotations

from typing import Any

import pytest

from edx2lrs.transforms.validation.violations import path_text
from edx2lrs.transforms.validation.xapi import statement_violations

ACTIVITY = {"id": "https://lms.example.com/a"}
AGENT = {"mbox": "mailto:a@example.com"}
VERB = {"id": "http://adlnet.gov/expapi/verbs/passed", "display": {"en": "passed"}}
UUID = "12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"
VALID = {"id": UUID, "actor": AGENT, "verb": VERB, "object": ACTIVITY}
REFERENCE = {"objectType": "StatementRef", "id": UUID}
NESTED = {"objectType": "SubStatement", "actor": AGENT, "verb": VERB, "object": ACTIVITY}
APPLICATION = {"account": {"homePage": "https://lms.example.com/token", "name": "key"}}
ATTACHMENT = {
    "usageType": "http://x.org/a",
    "display": {"en": "a"},
    "contentType": "text/plain",
    "length": 1,
    "sha2": "0" * 64,
}
SIGNATURE = {**ATTACHMENT, "usageType": "http://adlnet.gov/expapi/attachments/signature"}


def definition(**properties: Any) -> dict[str, Any]:
    return {"object": {**ACTIVITY, "definition": properties}}


def interaction(kind: str, *patterns: Any, **properties: Any) -> dict[str, Any]:
    return definition(interactionType=kind, correctResponsesPattern=list(patterns), **properties)


def told(document: Any, required: bool) -> set[tuple[str, str]]:
    """The places and sections of the faults; or of the recommendations."""
    faults = statement_violations(document)
    assert all(fault.clause.startswith("xAPI 1.0.3, ") for fault in faults)
    return {(path_text(f.path), f.clause.removeprefix("xAPI 1.0.3, ")) for f in faults if f.required == required}


@pytest.mark.parametrize(
    "properties",
    [
        {"version": "1.0.3", "timestamp": "2024-02-29T23:59:60.123456789+05:30"},
        {"timestamp": "2024-03-11T06:00:00Z", "stored": "2024-03-11T06:00:00-00:30"},
        {"actor": {"objectType": "Agent", "account": {"homePage": "https://lms.example.com", "name": "5"}}},
        {"actor": {"objectType": "Group", "member": [AGENT]}},
        {"actor": {"objectType": "Group", "mbox": "mailto:team@example.com", "member": []}},
        {"actor": {"mbox_sha1sum": "0" * 40, "name": ""}},
        {"actor": {"openid": "https://a.example.com/"}},
        {"object": REFERENCE},
        {"object": {"objectType": "Agent", **AGENT}},
        {"object": {"objectType": "Group", "member": [AGENT]}},
        {"object": NESTED},
        {"verb": {**VERB, "id": "http://adlnet.gov/expapi/verbs/voided"}, "object": REFERENCE},
        {"result": {"score": {"scaled": -1, "min": 0, "max": 1, "raw": 0.0}, "duration": "P1DT01H01M01.5S"}},
        {"result": {"duration": "P2W", "success": False, "response": "", "completion": True}},
        {"context": {"contextActivities": {"parent": ACTIVITY, "grouping": [ACTIVITY]}, "statement": REFERENCE}},
        {"context": {"extensions": {"https://example.com/é": [None, "thing"]}, "language": "zh-Hant-TW", "registration": UUID}},
        {"context": {"extensions": {}, "platform": "Open edX", "revision": "3", "instructor": AGENT}},
        {"context": {"team": {"objectType": "Group", "member": [AGENT]}}},
        {"authority": {"objectType": "Group", "member": [APPLICATION, AGENT]}},
        {"attachments": [ATTACHMENT, {**SIGNATURE, "contentType": "application/octet-stream", "fileUrl": "urn:f"}]},
        definition(name={"en": "Ω"}, interactionType="choice", choices=[{"id": "a", "description": {"de": "A"}}]),
        interaction("other"),
        interaction("true-false", "true"),
        interaction("numeric", "4", "[:]4.5", "-1[:]"),
        interaction("matching", "a[.]1[,]b[.]2", source=[{"id": "a"}], target=[{"id": "1"}]),
        interaction("performance", "{order_matters=false}a[.]1[:]2[,]b[.]x", steps=[{"id": "a"}]),
        interaction("likert", "a", scale=[{"id": "a"}]),
        interaction("fill-in", "{case_matters=true}{lang=en}a[,]b"),
    ],
)
def test_valid(properties: dict[str, Any]) -> None:
    assert told({**VALID, **properties}, required=True) == set()


@pytest.mark.parametrize(
    ("properties", "path", "section"),
    [
        # 2.2 Formatting Requirements
        ({"unknown": 1}, "unknown", "2.2"),
        ({"Result": {}}, "Result", "2.2"),
        ({"result": None}, "result", "2.2"),
        ({"verb": {**VERB, "id": None}}, "verb.id", "2.2"),
        ({"object": {"id": "https://x.org/a", "name": "n"}}, "object.name", "2.2"),
        ({"result": {"score": {"mean": 1}}}, "result.score.mean", "2.2"),
        # 2.4.1 ID, 4.4 UUIDs
        ({"id": "12eedb5d"}, "id", "2.4.1"),
        ({"id": f"{UUID}\n"}, "id", "2.4.1"),
        ({"id": f"urn:uuid:{UUID}"}, "id", "2.4.1"),
        # 2.4.2 Actor
        ({"actor": []}, "actor", "2.4.2"),
        ({"actor": {}}, "actor", "2.4.2.1"),
        ({"actor": {**AGENT, "openid": "https://a.example.com"}}, "actor", "2.4.2.1"),
        ({"actor": {"objectType": "Person", **AGENT}}, "actor.objectType", "2.4.2"),
        ({"actor": {**AGENT, "name": 5}}, "actor.name", "2.4.2.1"),
        ({"actor": {**AGENT, "member": [AGENT]}}, "actor.member", "2.2"),
        ({"actor": {"objectType": "Group"}}, "actor.member", "2.4.2.2"),
        ({"actor": {"objectType": "Group", "member": []}}, "actor.member", "2.4.2.2"),
        (
            {"actor": {"objectType": "Group", "member": [{"objectType": "Group", "member": [AGENT]}]}},
            "actor.member[0].objectType",
            "2.4.2.2",
        ),
        ({"actor": {"objectType": "Group", "member": [{}]}}, "actor.member[0]", "2.4.2.1"),
        ({"actor": {"objectType": "Group", **AGENT, "openid": "https://a.b"}}, "actor", "2.4.2.2"),
        ({"actor": {"mbox": "a@example.com"}}, "actor.mbox", "2.4.2.3"),
        ({"actor": {"mbox_sha1sum": "0" * 39}}, "actor.mbox_sha1sum", "2.4.2.3"),
        ({"actor": {"openid": "me"}}, "actor.openid", "2.4.2.3"),
        ({"actor": {"account": {"homePage": "lms", "name": "5"}}}, "actor.account.homePage", "4.3"),
        ({"actor": {"account": {"homePage": "https://lms.example.com"}}}, "actor.account.name", "2.4.2.4"),
        ({"actor": {"account": {"homePage": "https://lms.example.com", "name": ""}}}, "actor.account.name", "2.4.2.4"),
        # 2.4.3 Verb, 4.2 Language Maps
        ({"verb": {"display": {}}}, "verb.id", "2.4.3"),
        ({"verb": {**VERB, "id": "passed"}}, "verb.id", "4.3"),
        ({"verb": {**VERB, "display": "passed"}}, "verb.display", "4.2"),
        ({"verb": {**VERB, "display": {"en_US": "x"}}}, "verb.display.en_US", "4.2"),
        ({"verb": {**VERB, "display": {"en": 5}}}, "verb.display.en", "4.2"),
        ({"verb": {**VERB, "display": {"not a tag": "x"}}}, 'verb.display["not a tag"]', "4.2"),
        # 2.4.4.1 Activity
        ({"object": {}}, "object.id", "2.4.4.1"),
        ({"object": []}, "object", "2.4.4"),
        ({"object": {"id": "/relative"}}, "object.id", "4.3"),
        ({"object": {"id": "https://x.org/a b"}}, "object.id", "4.3"),
        ({"object": {"id": "https://x.org/%zz"}}, "object.id", "4.3"),
        ({"object": {"id": "https://x.org/a?b[]=1"}}, "object.id", "4.3"),
        ({"object": {"id": "https://x.org/a", "objectType": "Course"}}, "object.objectType", "2.4.4"),
        (definition(extensions={"relative": 1}), "object.definition.extensions.relative", "4.1"),
        (definition(extensions=[]), "object.definition.extensions", "4.1"),
        (definition(moreInfo="x"), "object.definition.moreInfo", "4.3"),
        (definition(interactionType="essay"), "object.definition.interactionType", "2.4.4.1"),
        (definition(choices=[{"id": "a"}]), "object.definition.interactionType", "2.4.4.1"),
        (definition(correctResponsesPattern=["a"]), "object.definition.interactionType", "2.4.4.1"),
        (interaction("choice", scale=[{"id": "a"}]), "object.definition.scale", "2.4.4.1"),
        (interaction("numeric", choices=[{"id": "a"}]), "object.definition.choices", "2.4.4.1"),
        (interaction("choice", choices=[{"id": "a"}, {"id": "a"}]), "object.definition.choices[1].id", "2.4.4.1"),
        (interaction("choice", choices=[{"id": 1}]), "object.definition.choices[0].id", "2.4.4.1"),
        (interaction("choice", choices=[{"id": "a", "label": "b"}]), "object.definition.choices[0].label", "2.2"),
        (interaction("choice", 5), "object.definition.correctResponsesPattern[0]", "2.4.4.1"),
        (interaction("true-false", "yes"), "object.definition.correctResponsesPattern[0]", "2.4.4.1"),
        (interaction("numeric", "1", "few"), "object.definition.correctResponsesPattern[1]", "2.4.4.1"),
        (interaction("matching", "a[,]b"), "object.definition.correctResponsesPattern[0]", "2.4.4.1"),
        (interaction("performance", "a"), "object.definition.correctResponsesPattern[0]", "2.4.4.1"),
        # 2.4.4.2 Agents as objects, 2.4.4.3 StatementRef and SubStatement, 2.3.2 Voiding
        ({"object": AGENT}, "object.id", "2.4.4.1"),
        ({"object": {"objectType": "StatementRef"}}, "object.id", "2.4.4.3"),
        ({"object": {"objectType": "StatementRef", "id": "http://x.org/s"}}, "object.id", "2.4.4.3"),
        ({"object": {**NESTED, "id": UUID}}, "object.id", "2.4.4.3"),
        ({"object": {**NESTED, "stored": "2024-03-11T06:00:00Z"}}, "object.stored", "2.4.4.3"),
        ({"object": {**NESTED, "version": "1.0.0"}}, "object.version", "2.4.4.3"),
        ({"object": {**NESTED, "authority": AGENT}}, "object.authority", "2.4.4.3"),
        ({"object": {**NESTED, "object": NESTED}}, "object.object.objectType", "2.4.4.3"),
        ({"object": {**NESTED, "verb": {}}}, "object.verb.id", "2.4.3"),
        ({"verb": {**VERB, "id": "http://adlnet.gov/expapi/verbs/voided"}}, "object.objectType", "2.3.2"),
        # 2.4.5 Result
        ({"result": {"success": "true"}}, "result.success", "2.4.5"),
        ({"result": {"completion": 1}}, "result.completion", "2.4.5"),
        ({"result": {"response": 5}}, "result.response", "2.4.5"),
        ({"result": {"extensions": {"a": 1}}}, "result.extensions.a", "4.1"),
        ({"result": {"duration": "PT"}}, "result.duration", "4.6"),
        ({"result": {"duration": 5}}, "result.duration", "4.6"),
        ({"result": {"score": {"scaled": 1.01}}}, "result.score.scaled", "2.4.5.1"),
        ({"result": {"score": {"scaled": True}}}, "result.score.scaled", "2.4.5.1"),
        ({"result": {"score": {"raw": "5"}}}, "result.score.raw", "2.4.5.1"),
        ({"result": {"score": {"min": 1, "max": 1}}}, "result.score.min", "2.4.5.1"),
        ({"result": {"score": {"raw": 2, "max": 1}}}, "result.score.raw", "2.4.5.1"),
        ({"result": {"score": {"raw": -1, "min": 0}}}, "result.score.raw", "2.4.5.1"),
        # 2.4.6 Context
        ({"context": {"registration": "5"}}, "context.registration", "2.4.6"),
        ({"context": {"instructor": {}}}, "context.instructor", "2.4.2.1"),
        ({"context": {"team": AGENT}}, "context.team.objectType", "2.4.2.2"),
        ({"context": {"language": "e"}}, "context.language", "4.2"),
        ({"context": {"revision": 3}}, "context.revision", "2.4.6"),
        ({"context": {"statement": {"id": UUID}}}, "context.statement.objectType", "2.4.4.3"),
        ({"context": {"contextActivities": {"parent": [{}]}}}, "context.contextActivities.parent[0].id", "2.4.4.1"),
        ({"context": {"contextActivities": {"parent": "x"}}}, "context.contextActivities.parent", "2.4.6.2"),
        ({"context": {"contextActivities": {"parents": []}}}, "context.contextActivities.parents", "2.4.6.2"),
        ({"context": {"platform": "x"}, "object": {"objectType": "Agent", **AGENT}}, "context.platform", "2.4.6"),
        ({"context": {"revision": "x"}, "object": REFERENCE}, "context.revision", "2.4.6"),
        # 2.4.7 Timestamp, 2.4.8 Stored, 4.5 ISO 8601 Timestamps
        ({"timestamp": "2024-03-11T06:00:00"}, "timestamp", "4.5"),
        ({"timestamp": 1710136800}, "timestamp", "4.5"),
        ({"stored": "2024-03-11"}, "stored", "4.5"),
        # 2.4.9 Authority, 2.4.10 Version
        ({"authority": {"objectType": "Group", "member": [APPLICATION]}}, "authority.member", "2.4.9"),
        ({"authority": {"objectType": "Group", "member": [AGENT, AGENT]}}, "authority.member", "2.4.9"),
        ({"authority": {}}, "authority", "2.4.2.1"),
        ({"version": "1.1.0"}, "version", "2.4.10"),
        ({"version": "1.0"}, "version", "2.4.10"),
        # 2.4.11 Attachments, 2.6 Signed Statements
        ({"attachments": {}}, "attachments", "2.4.11"),
        ({"attachments": [{**ATTACHMENT, "length": -1}]}, "attachments[0].length", "2.4.11"),
        ({"attachments": [{**ATTACHMENT, "length": 1.5}]}, "attachments[0].length", "2.4.11"),
        ({"attachments": [{**ATTACHMENT, "contentType": "text"}]}, "attachments[0].contentType", "2.4.11"),
        ({"attachments": [{**ATTACHMENT, "sha2": ""}]}, "attachments[0].sha2", "2.4.11"),
        ({"attachments": [{**ATTACHMENT, "fileUrl": "f"}]}, "attachments[0].fileUrl", "4.3"),
        ({"attachments": [ATTACHMENT, SIGNATURE]}, "attachments[1].contentType", "2.6"),
    ],
)
def test_not_valid_there_and_by_that_section(properties: dict[str, Any], path: str, section: str) -> None:
    assert (path, section) in told({**VALID, **properties}, required=True)


@pytest.mark.parametrize("missing", ["actor", "verb", "object"])
def test_three_properties_are_needed(missing: str) -> None:
    without = {key: value for key, value in VALID.items() if key != missing}
    assert told(without, required=True) == {(missing, "2.4")}


@pytest.mark.parametrize("missing", list(ATTACHMENT))
def test_an_attachment_needs_all_but_its_description_and_address(missing: str) -> None:
    attachment = {key: value for key, value in ATTACHMENT.items() if key != missing}
    assert told({**VALID, "attachments": [attachment]}, required=True) == {(f"attachments[0].{missing}", "2.4.11")}


@pytest.mark.parametrize("value", [None, [], "text", 5, [VALID]])
def test_a_statement_is_an_object(value: object) -> None:
    assert told(value, required=True) == {("", "2.4")}


def test_all_faults_are_told() -> None:
    statement = {**VALID, "id": "5", "actor": {}, "result": {"success": "yes", "score": {"scaled": 2, "min": 3, "max": 1}}}
    paths = {path for path, _ in told(statement, required=True)}
    assert paths == {"id", "actor", "result.success", "result.score.scaled", "result.score.min"}


@pytest.mark.parametrize(
    ("properties", "path", "section"),
    [
        ({"id": "00000000-0000-0000-0000-000000000000"}, "id", "4.4"),
        ({"version": "1.0.3"}, "version", "2.4.10"),
        ({"verb": {"id": "http://x.org/v"}}, "verb.display", "2.4.3"),
        ({"context": {}}, "context", "2.2"),
        (definition(extensions={}), "object.definition.extensions", "2.2"),
        ({"context": {"contextActivities": {"parent": ACTIVITY}}}, "context.contextActivities.parent", "2.4.6.2"),
        ({"result": {"duration": "PT1.234S"}}, "result.duration", "4.6"),
        (interaction("other"), "object.definition.type", "2.4.4.1"),
        (interaction("choice", choices=[{"id": "a b"}]), "object.definition.choices[0].id", "2.4.4.1"),
        ({"attachments": [{**ATTACHMENT, "sha2": "abc"}]}, "attachments[0].sha2", "2.4.11"),
    ],
)
def test_what_is_only_recommended_leaves_a_statement_valid(properties: dict[str, Any], path: str, section: str) -> None:
    assert (path, section) in told({**VALID, **properties}, required=False)
    assert told({**VALID, **properties}, required=True) == set()


def test_a_fault_tells_types_and_no_values() -> None:
    secret = "ann@example.com"
    statement = {**VALID, "actor": {"mbox": secret, "name": [secret]}, "verb": {"id": secret}, "timestamp": secret}
    faults = statement_violations(statement)
    assert len(faults) > 3
    assert secret not in repr(faults)
