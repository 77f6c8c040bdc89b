"""What the dialects ``standard`` and ``aspects`` make of events where ``erb`` makes something else (docs/dialects.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest

from edx2lrs.transforms.config_types import ActorChoice
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.matching.match_reasons import reasons
from testkit.configurations import consumer_of

Translate = Callable[..., Any]
EXAMPLES = sorted((Path(__file__).parents[3] / "transforms" / "families").glob("*/examples/*.json"))
VIDEO = "https://w3id.org/xapi/video/extensions/"
PROBLEM = "block-v1:edX+DemoX+2020+type@problem+block@aa"
LMS = {"id": "https://lms.example.com", "type": "SoftwareApplication"}
COURSE = {"id": "https://lms.example.com/course/course-v1:edX+DemoX+2020", "type": "CourseOffering"}


def examples(family: str = "*") -> list[Path]:
    return [path for path in EXAMPLES if family in ("*", path.parts[-3])]


def standard(path: Path, protocol: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))[protocol]
    return statements


def graded(**fields: Any) -> dict[str, Any]:
    about = {"question": "?", "answer": "a", "response_type": "stringresponse", "correct": True}
    usual = {"problem_id": PROBLEM, "attempts": 2, "success": "correct", "grade": 1, "max_grade": 2}
    return {**usual, "submission": {"aa_2_1": about}, **fields}


def entities(value: Any) -> Iterator[dict[str, Any]]:
    """The value, if the value is a Caliper entity, and all entities in it."""
    if isinstance(value, dict):
        if "type" in value:
            yield value
        for inner in value.values():
            yield from entities(inner)


# what the templates of the xAPI video profile 1.0.3 ask of each statement, and what one event can tell
TEMPLATES = {
    "initialized": ["context.length"],
    "played": ["result.time"],
    "paused": ["context.length", "result.time"],
    "seeked": ["result.time-from", "result.time-to"],
    "completed": ["context.length", "result.time"],
    "terminated": ["context.length", "result.time"],
    "interacted": ["result.time"],
}


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("load_video", {}),
        ("play_video", {}),
        ("pause_video", {}),
        ("stop_video", {}),
        ("complete_video", {}),
        ("seek_video", {"old_time": 1, "new_time": 2}),
        ("show_transcript", {}),
        ("hide_transcript", {}),
        ("video_show_cc_menu", {}),
        ("video_hide_cc_menu", {}),
        ("speed_change_video", {"old_speed": "1.0", "new_speed": "1.50"}),
    ],
)
def test_a_video_statement_follows_the_video_profile(
    translate: Translate, record: Translate, name: str, payload: dict[str, Any]
) -> None:
    known = {"id": "v", "currentTime": 12.5, "current_time": 12.5, "duration": 60, **payload}
    (statement,) = translate(record(name, known, event_source="browser"))
    assert [each["id"] for each in statement["context"]["contextActivities"]["category"]] == ["https://w3id.org/xapi/video"]
    verb = statement["verb"]["display"]["en"]
    for place in TEMPLATES[verb]:
        part, key = place.split(".")
        assert f"{VIDEO}{key}" in statement[part]["extensions"], place
    if verb != "seeked" and f"{VIDEO}time" in statement.get("result", {}).get("extensions", {}):
        assert statement["result"]["extensions"][f"{VIDEO}time"] == 12.5
    assert "duration" not in statement.get("result", {})


@pytest.mark.parametrize(("name", "shown"), [("show_transcript", True), ("video_hide_cc_menu", False)])
def test_captions_are_a_context_extension(translate: Translate, record: Translate, name: str, shown: bool) -> None:
    (statement,) = translate(record(name, {"id": "v", "current_time": 1}, event_source="browser"))
    told = {key.removeprefix(VIDEO): value for key, value in statement["context"]["extensions"].items() if key.startswith(VIDEO)}
    assert told == {"cc-enabled": shown, "cc-subtitle-enabled": shown, "cc-subtitle-lang": "und"}
    assert list(statement["result"]["extensions"]) == [f"{VIDEO}time"]


def test_a_completed_video_without_a_position_ends_at_its_length(translate: Translate, record: Translate) -> None:
    (statement,) = translate(record("complete_video", {"id": "v", "duration": 60.5}, event_source="browser"))
    assert statement["result"] == {"completion": True, "extensions": {f"{VIDEO}time": 60.5}}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_xapi_statement_has_a_version(path: Path) -> None:
    assert [statement.get("version") for statement in standard(path, "xapi")] == [None] * len(standard(path, "xapi"))


def kinds(value: Any, *places: str) -> set[str]:
    for place in places:
        value = value.get(place) or {}
    return set(value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_term_is_used_as_the_kind_that_its_profile_defines(path: Path) -> None:
    for statement in standard(path, "xapi"):
        of_object = kinds(statement, "object", "definition", "extensions")
        of_context, of_result = kinds(statement, "context", "extensions"), kinds(statement, "result", "extensions")
        assert not any("acrossx/extensions" in key for key in of_context | of_result)  # activity extensions
        assert "http://id.tincanapi.com/extension/attempt-id" not in of_object | of_result
        assert "http://id.tincanapi.com/extension/ending-point" not in of_object | of_context
        assert "extension" not in statement["object"].get("definition", {}).get("type", "")


@pytest.mark.parametrize(("completion", "percent"), [(0, 0), (0.29, 29), (0.999, 99), (0.9999999, 99), (1, 100), (1.0, 100)])
def test_progress_is_a_whole_number(translate: Translate, record: Translate, completion: float, percent: int) -> None:
    payload = {"block_id": PROBLEM, "completion": completion}
    (statement,) = translate(record("edx.completion.block_completion.changed", payload))
    made = statement["result"]["extensions"]["https://w3id.org/xapi/cmi5/result/extensions/progress"]
    assert (made, type(made)) == (percent, int)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_caliper_event_has_its_profile_its_software_and_its_course(path: Path) -> None:
    context = json.loads(path.read_text(encoding="utf-8"))["sources"][0]["context"]
    for event in standard(path, "caliper"):
        assert event["profile"].endswith("Profile")
        assert event["edApp"] == LMS
        assert event.get("group", {}).get("type") == ("CourseOffering" if context.get("course_id") else None)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_node_is_blank_and_scores_and_attempts_are_whole(path: Path) -> None:
    for event in standard(path, "caliper"):
        for entity in entities(event):
            assert not str(entity.get("id", "")).startswith("_:")
            kept = entity.get("extensions", {}).keys() & {"assignee", "assignable", "count"}
            assert not kept
            if entity["type"] == "Score":
                assert entity["attempt"]
                assert all(type(entity[key]) is float for key in ("scoreGiven", "maxScore") if key in entity)


def test_software_grades_and_the_learner_is_the_assignee(translate: Translate, record: Translate) -> None:
    (event,) = translate(record("problem_check", graded()), "caliper")
    problem = f"https://lms.example.com/xblock/{PROBLEM}"
    person = event["object"]["assignee"]
    attempt = f"{problem}/user/{person['id'].rpartition('/')[2]}/attempt/2"
    assert (event["actor"], person["type"], event["object"]["count"]) == (LMS, "Person", 2)
    assert event["object"]["assignable"] == {"id": problem, "type": "Assessment", "isPartOf": COURSE}
    score = {"id": f"{attempt}/score", "type": "Score", "attempt": attempt, "maxScore": 2.0, "scoreGiven": 1.0}
    assert event["generated"] == {**score, "extensions": {"attempts": 2, "success": "True"}}
    assert event["object"]["id"] == attempt


def test_a_position_has_an_id_of_its_own_and_nothing_stands_for_one_that_is_not_known(translate: Translate, record: Translate) -> None:
    at_a_moment, unknown = (
        translate(record("pause_video", {"id": "v", **at}, event_source="browser"), "caliper")[0] for at in ({"currentTime": 12.5}, {})
    )
    video = at_a_moment["object"]["id"]
    assert at_a_moment["target"] == {"id": f"{video}?t=12.5", "type": "MediaLocation", "currentTime": "PT12.5S"}
    assert "target" not in unknown


@pytest.mark.parametrize(
    "fields",
    [{"submission": None, "success": None}, {"attempts": 0}, {"attempts": None}, {"attempts": "2"}, {"attempts": 40_000}],
    ids=["success", "no attempt", "null", "text", "too many"],
)
def test_aspects_gets_no_grade_that_would_spoil_an_insert(translate: Translate, record: Translate, fields: dict[str, Any]) -> None:
    refusal = translate(record("problem_check", graded(**fields)), dialect="aspects")
    assert isinstance(refusal, Refusal)
    assert refusal.cause == "unfit_for_aspects"
    assert not isinstance(translate(record("problem_check", graded(**fields)), dialect="standard"), Refusal)


@pytest.mark.parametrize(("position", "fits"), [(9_999_999.98, True), (1e7, False), (-1e7, False)])
def test_aspects_gets_no_position_that_its_numbers_cannot_hold(
    translate: Translate, record: Translate, position: float, fits: bool
) -> None:
    made = translate(record("pause_video", {"id": "v", "currentTime": position}, event_source="browser"), dialect="aspects")
    assert isinstance(made, list) is fits


def test_aspects_finds_the_letter_of_a_grade_where_it_looks(translate: Translate, record: Translate) -> None:
    payload = {"percent_grade": 0.5, "letter_grade": "B", "course_id": "course-v1:edX+DemoX+2020"}
    (statement,) = translate(record("edx.grades.course.grade_calculated", payload), dialect="aspects")
    assert statement["result"]["extensions"] == {"http://www.tincanapi.co.uk/activitytypes/grade_classification": "B"}


def test_aspects_gets_no_anonymous_visitors_unless_they_are_wanted() -> None:
    wanted = consumer_of("all", dialect="aspects", actor=ActorChoice(visitors="send"))
    consumers = [consumer_of("standard"), consumer_of("aspects", dialect="aspects"), wanted]
    match = Matcher(consumers)
    visitor, user = Event("play_video", session="s"), Event("play_video", username="ann")
    assert [list(match(event)) for event in (visitor, user)] == [[0, 2], [0, 1, 2]]
    (why,) = reasons(visitor, consumers[1])
    assert (why.rule, why.passes) == ("actor.visitors", False)


def test_live_ids_have_the_time_as_str_prints_a_datetime(translate: Translate, record: Translate) -> None:
    for time, spaced in (
        ("2023-05-23T13:53:13.460372+00:00", "2023-05-23 13:53:13.460372+00:00"),
        ("2023-05-23T13:53:13+00:00", "2023-05-23 13:53:13+00:00"),
    ):
        event = record("play_video", {"id": "v"}, time=time, event_source="browser")
        (live,), (usual,) = (translate(event, statement_ids=ids) for ids in ("erb_live", "erb"))
        namespace = uuid5(NAMESPACE_DNS, json.dumps(live["verb"]))
        actor = json.dumps({"objectType": "Agent", "account": live["actor"]["account"]})
        assert live["id"] == str(uuid5(namespace, f"{actor}-{spaced}"))
        assert usual["id"] == str(uuid5(namespace, f"{actor}-{time}"))
        assert {**live, "id": usual["id"]} == usual
