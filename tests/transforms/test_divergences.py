"""Each entry of ``docs/divergences.md``, by its number."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.transforms.failure import Refusal

DOCS = Path(__file__).parents[2] / "docs" / "divergences.md"
TESTED_ELSEWHERE = {"28", "30"}  # the configuration's and the actors' tests
PROBLEM = "block-v1:edX+DemoX+2020+type@problem+block@aa"
XBLOCK = "https://lms.example.com/xblock/"
Translate = Callable[..., Any]


def graded(**fields: Any) -> dict[str, Any]:
    return {"problem_id": PROBLEM, "attempts": 1, "success": "correct", "grade": 1, "max_grade": 2, **fields}


def question(**fields: Any) -> dict[str, Any]:
    return {"question": "?", "answer": "a", "response_type": "stringresponse", "correct": True, **fields}


@pytest.fixture
def result(translate: Translate, record: Translate) -> Callable[..., Any]:
    """The xAPI result of a graded problem_check."""

    def run(**fields: Any) -> Any:
        made = translate(record("problem_check", graded(**fields)))
        return made if isinstance(made, Refusal) else made[0]["result"]

    return run


def test_1_one_text_for_a_time(translate: Translate, record: Translate) -> None:
    forms = ["2023-05-23T13:53:13+00:00", "2023-05-23T13:53:13Z", "2023-05-23 15:53:13+02:00", 1684849993]
    for protocol in ("xapi", "caliper"):
        made = [translate(record("play_video", {"id": "v"}, time=form), protocol) for form in forms]
        assert all(statements == made[0] for statements in made)
    assert (
        translate(record("play_video", {"id": "v"}, time="2023-05-23T24:00:00Z"))[0]["timestamp"] == "2023-05-24T00:00:00+00:00"
    )
    assert translate(record("play_video", {"id": "v"}, time="May 23 2023 10:00 UTC"), "caliper").cause == "bad_time"
    assert translate(record("play_video", {"id": "v"}, timestamp=None), "caliper")


def test_2_no_time(translate: Translate, record: Translate) -> None:
    assert translate(record("play_video", {"id": "v"}, time=None)).cause == "no_time"


def test_3_fixed_places(translate: Translate, record: Translate) -> None:
    data = graded(submission={"aa_2_1": question(), "aa_3_1": {}}, session="no", asides={"grade": 2})
    line = record(
        "problem_check", data, {"session": "s2", "asides": {"grade": 2}, "module": {"display_name": "Name"}}, session=""
    )
    whole, _, empty = translate(line)
    assert whole["result"]["score"]["raw"] == 1
    assert whole["context"]["extensions"]["https://w3id.org/xapi/openedx/extensions/session-id"] == "s2"
    assert empty["object"]["definition"] == {
        "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
        "interactionType": "other",
        "name": {"en-US": "Name"},
        "extensions": {"http://id.tincanapi.com/extension/attempt-id": 1},
    }
    assert empty["result"] == {"success": True}


def test_4_users(translate: Translate, record: Translate) -> None:
    for odd in (True, 5.5):
        refusal = translate(record("play_video", {"id": "v"}, {"user_id": odd}))
        assert (refusal.cause, refusal.message.split(":")[0]) == ("wrong_type", "user_id")


def test_5_fields_of_another_type(translate: Translate, record: Translate) -> None:
    for data in ({"id": ["v"]}, {"id": "v", "duration": {}}, {"id": "v", "currentTime": 2**64}, ["v"], 5, "v"):
        assert translate(record("play_video", data)).cause == "wrong_type"
    assert translate(record("edx.course.enrollment.activated", None))


def test_6_old_courses_and_libraries(translate: Translate, record: Translate) -> None:
    def ids(name: str, data: Any, course: str, **top: Any) -> set[str]:
        line = record(name, data, {"course_id": course}, **top)
        return {translate(line, protocol)[0]["object"]["id"] for protocol in ("xapi", "caliper")}

    assert ids("play_video", {"id": "v"}, "edX/DemoX/2012") == {f"{XBLOCK}i4x://edX/DemoX/video/v"}
    assert ids("play_video", {"id": "i4x-edX-6_00x-video-v"}, "edX/6.00x/2012") == {f"{XBLOCK}i4x://edX/6.00x/video/v"}
    assert ids("play_video", {"id": "v"}, "library-v1:edX+L") == {f"{XBLOCK}lib-block-v1:edX+L+type@video+block@v"}
    assert ids("problem_check", "input_aa_2_1=x", "edX/DemoX/2012", event_source="browser") == {
        f"{XBLOCK}i4x://edX/DemoX/problem/aa"
    }


def test_7_no_course_key(translate: Translate, record: Translate) -> None:
    for protocol in ("xapi", "caliper"):
        assert translate(record("problem_check", graded(), {"course_id": "hello"}), protocol).cause == "bad_course_key"
        assert translate(record("problem_check", graded(), {"course_id": None}), protocol)


@pytest.mark.parametrize(
    ("text", "referrer", "name"),
    [
        ("input_aa_2_1=x", "https://x/?activate_block_id=block-v1%3AedX%2BDemoX%2B2020%2Btype%40sequential%2Bblock%40s", "aa"),
        ("input_my_problem_2_1=x&input_my_problem_3_1=", "", "my_problem"),
        ("input_aa_2_1%5B%5D=choice_0", "", "aa"),
        ("input_aa_2_1_dynamath=x", "", "aa"),
        ("x=y", "https://x/?a=b&activate_block_id=block-v1:edX%2BDemoX%2B2020%2Btype@problem%2Bblock@bb", "bb"),
    ],
)
def test_8_the_problem_that_a_browser_means(translate: Translate, record: Translate, text: str, referrer: str, name: str) -> None:
    line = record("problem_check", text, event_source="browser", referer=referrer)
    for protocol in ("xapi", "caliper"):
        assert translate(line, protocol)[0]["object"]["id"] == f"{XBLOCK}block-v1:edX+DemoX+2020+type@problem+block@{name}"


def test_9_what_is_not_used_is_not_required(translate: Translate, record: Translate) -> None:
    for data in (graded(), graded(problem_id=None)):
        line = record("problem_check", data, {"module": {"usage_key": PROBLEM}}, referer=None)
        assert translate(line)[0]["object"]["id"] == XBLOCK + PROBLEM
        assert translate(line, "caliper")[0]["object"]["extensions"]["assignable"]["id"] == XBLOCK + PROBLEM


def test_10_several_questions(translate: Translate, record: Translate) -> None:
    data = graded(
        success="incorrect", answers={"aa_2_1": "a"}, submission={"aa_2_1": question(), "aa_3_1": question(correct=False)}
    )
    whole, first, second = translate(record("problem_check", data, {"module": {"display_name": "Name"}}))
    assert whole["object"]["objectType"] == "Activity"
    assert whole["object"]["definition"]["name"] == {"en-US": "Name"}
    assert "description" not in whole["object"]["definition"]
    assert whole["result"] == {"success": False, "score": {"min": 0, "max": 2, "raw": 1, "scaled": 0.5}}
    assert [part["result"] for part in (first, second)] == [
        {"success": True, "response": "a"},
        {"success": False, "response": "a"},
    ]
    assert first["context"]["statement"] == {"objectType": "StatementRef", "id": whole["id"]}
    assert len({whole["id"], first["id"], second["id"]}) == 3


@pytest.mark.parametrize(
    ("correct", "success"),
    [
        (True, True),
        ("incorrect", False),
        ("correct", True),
        ("", None),
        (None, None),
        ("True", True),
        (0, False),
        (1, True),
        ("?", None),
    ],
)
def test_11_success(result: Callable[..., Any], correct: Any, success: bool | None) -> None:
    assert result(submission={"aa_2_1": question(correct=correct)}).get("success") is success
    assert result(success=correct).get("success") is success


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        ({"a": ["é"]}, '{"a": ["é"]}'),
        (True, "true"),
        (5.0, "5.0"),
        (["é", "b"], '["é", "b"]'),
        ("", None),
        ("x", "x"),
        (None, None),
    ],
)
def test_12_answers(result: Callable[..., Any], answer: Any, response: str | None) -> None:
    assert result(submission={"aa_2_1": question(answer=answer)}).get("response") == response
    assert result(answers=answer).get("response") == response


@pytest.mark.parametrize(("grade", "max_grade"), [(3, 2), (-1, 2)])
def test_13_scores_outside_their_range(result: Callable[..., Any], grade: float, max_grade: float) -> None:
    refusal = result(grade=grade, max_grade=max_grade)
    assert (refusal.stage, refusal.cause) == ("guard", "invalid")
    assert "2.4.5.1" in refusal.message


@pytest.mark.parametrize("possible", [0, -1])
def test_14_nothing_to_earn(result: Callable[..., Any], possible: float) -> None:
    assert result(grade=0, max_grade=possible)["score"] == {"min": 0, "raw": 0, "scaled": 0}


@pytest.mark.parametrize("field", ["current_time", "currentTime"])
def test_15_position_0(translate: Translate, record: Translate, field: str) -> None:
    line = record("play_video", {"id": "v", field: 0})
    assert translate(line)[0]["result"]["extensions"] == {"https://w3id.org/xapi/video/extensions/time": 0}
    assert translate(line, "caliper")[0]["target"]["currentTime"] == "P0D"


def test_16_missing_text(translate: Translate, record: Translate, result: Callable[..., Any]) -> None:
    assert "response" not in result(submission={"aa_2_1": {"response_type": "stringresponse", "correct": True}})
    extensions = translate(record("speed_change_video", {"id": "v", "new_speed": 1.5}))[0]["result"]["extensions"]
    assert extensions == {"https://w3id.org/xapi/openedx/extension/speed-to": "1.5x"}


def test_17_no_duration(translate: Translate, record: Translate) -> None:
    assert "duration" not in translate(record("play_video", {"id": "v"}), "caliper")[0]["object"]


def test_18_numbers_as_text(translate: Translate, record: Translate) -> None:
    assert translate(record("play_video", {"id": "v", "duration": "12.5"}), "caliper")[0]["object"]["duration"] == "PT12.5S"


def test_19_graded_problems_of_logs(translate: Translate, record: Translate) -> None:
    event = translate(record("problem_check", graded(), event_source="server"), "caliper")[0]
    assert (event["type"], event["action"]) == ("GradeEvent", "Graded")


def test_20_the_generated_score(translate: Translate, record: Translate) -> None:
    assert translate(record("problem_check", graded()), "caliper")[0]["generated"] == {
        "id": "_:score",
        "type": "Score",
        "maxScore": 2,
        "scoreGiven": 1,
        "extensions": {"attempts": 1, "success": "True"},
    }


def test_21_no_object(translate: Translate, record: Translate) -> None:
    for protocol in ("xapi", "caliper"):
        for data, source in (("hello", "browser"), ({"grade": 1}, "server")):
            assert translate(record("problem_check", data, event_source=source), protocol).cause == "missing"


def test_22_no_iri(translate: Translate, record: Translate) -> None:
    assert translate(record("play_video", {"id": "a b"})).cause == "invalid"
    assert translate(record("play_video", {"id": "a<b"}), "caliper").cause == "invalid"
    assert translate(record("play_video", {"id": "v"}, session="a b"), "caliper").cause == "invalid"


@pytest.mark.parametrize("grade", ["1", True])
def test_23_grades_that_are_no_numbers(translate: Translate, record: Translate, grade: Any) -> None:
    for protocol in ("xapi", "caliper"):
        assert translate(record("problem_check", graded(grade=grade)), protocol).cause == "wrong_type"


def test_24_negative_durations(translate: Translate, record: Translate) -> None:
    line = record("complete_video", {"id": "v", "duration": -3})
    assert translate(line).cause == "out_of_range"
    assert translate(line, "caliper").cause == "out_of_range"
    position = translate(record("play_video", {"id": "v", "currentTime": -3}))[0]["result"]["extensions"]
    assert list(position.values()) == [-3]


def test_25_empty_parts(translate: Translate, record: Translate) -> None:
    assert "result" not in translate(record("play_video", {"id": "v"}))[0]
    assert "extensions" not in translate(record("seek_video", {"id": "v"}), "caliper")[0]["target"]
    definition = translate(record("edx.course.grade.now_passed", {}))[0]["object"]["definition"]
    assert "extensions" not in definition
    line = record("problem_check", graded(submission={"aa_2_1": question(question="")}))
    assert "description" not in translate(line)[0]["object"]["definition"]


def test_26_ids_of_caliper_events(translate: Translate, record: Translate) -> None:
    lines = [record("play_video", {"id": "v"}), record("play_video", {"id": "w"}), record("pause_video", {"id": "v"})]
    ids = [translate(line, "caliper")[0]["id"] for line in lines]
    assert ids == [translate(line, "caliper")[0]["id"] for line in lines]
    assert len(set(ids)) == 3


def test_27_lines_that_erb_skips(translate: Translate, record: Translate) -> None:
    line = json.dumps(record("play_video", {"id": "v"})).encode()
    assert translate(b"[{x}] " + line) == translate(line)


def test_29_course_names(translate: Translate, record: Translate) -> None:
    course = "course-v1:edX+Unnamed+1"
    video = translate(record("play_video", {"id": "v"}, {"course_id": course}))[0]
    assert "name" not in video["context"]["contextActivities"]["parent"][0]["definition"]
    enrolled = translate(record("edx.course.enrollment.activated", {"course_id": course}, {"course_id": course}))[0]
    assert "name" not in enrolled["object"]["definition"]


def test_every_entry_has_its_test() -> None:
    entries = re.findall(r"^### (\d+)\.", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert entries == [str(n) for n in range(1, len(entries) + 1)]
    tested = {match[1] for name in globals() if (match := re.match(r"test_(\d+)_", name))}
    assert tested | TESTED_ELSEWHERE == set(entries)
