"""Each entry of ``docs/divergences.md``, by its number."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.transforms.config_types import Access, AccessRule, Consumer
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.people.actor import account_actor
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator

DOCS = Path(__file__).parents[3] / "docs" / "divergences.md"
TESTED_ELSEWHERE = {"28", "30", "45", "49"}  # the tests of configuration, actors and matching
PROBLEM = "block-v1:edX+DemoX+2020+type@problem+block@aa"
XBLOCK = "https://lms.example.com/xblock/"
DISCUSSIONS = "https://lms.example.com/api/discussion/v1"
VIEWED_THREAD = "edx.forum.thread.viewed"
Translate = Callable[..., Any]


def graded(**fields: Any) -> dict[str, Any]:
    return {"problem_id": PROBLEM, "attempts": 1, "success": "correct", "grade": 1, "max_grade": 2, **fields}


def question(**fields: Any) -> dict[str, Any]:
    return {"question": "?", "answer": "a", "response_type": "stringresponse", "correct": True, **fields}


@pytest.fixture
def translate(translate: Translate) -> Translate:
    """Translates into the dialect of event-routing-backends."""
    return partial(translate, dialect="erb")


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
    (made,) = translate(record("play_video", {"id": "v"}, time="0001-01-01T00:00:00Z"), "caliper")
    assert made["eventTime"] == "0001-01-01T00:00:00.000Z"


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


@pytest.mark.parametrize(("name", "field"), [("thread.created", "thread_type"), ("response.voted", "vote_value")])
def test_3_fixed_places_of_the_forum(translate: Translate, record: Translate, name: str, field: str) -> None:
    context = {"path": "/api/discussion/v1/threads/", field: "no", "asides": {field: "no"}}
    for data, found in (({field: "up"}, "up"), ({field: ""}, None), ({}, None)):
        (made,) = translate(record(f"edx.forum.{name}", {"id": "t", **data}, context))
        assert made["context"]["extensions"].get("https://w3id.org/xapi/acrossx/extensions/type") == found


def test_4_users(translate: Translate, record: Translate) -> None:
    for odd in (True, 5.5):
        refusal = translate(record("play_video", {"id": "v"}, {"user_id": odd}))
        assert (refusal.cause, refusal.message.split(":")[0]) == ("wrong_type", "user_id")


def test_5_fields_of_another_type(translate: Translate, record: Translate) -> None:
    for data in ({"id": ["v"]}, {"id": "v", "duration": {}}, {"id": "v", "currentTime": 2**64}, ["v"], 5, "v"):
        assert translate(record("play_video", data)).cause == "wrong_type"
    assert translate(record("edx.course.enrollment.activated", None))
    for data in ({"id": "t", "title": 5}, {"id": "t", "discussion": "t"}, {"id": True}):
        assert translate(record(VIEWED_THREAD, data, {"path": "/p"})).cause == "wrong_type"
    assert translate(record(VIEWED_THREAD, {"id": "t"}, {"path": 5})).cause == "wrong_type"
    assert translate(record("edx.forum.comment.created", {"id": "t", "response": "t"}, {"path": "/p"})).cause == "wrong_type"
    assert translate(record("showanswer", {"problem_id": PROBLEM}, {"module": "m"})).cause == "wrong_type"
    for submission in ("s", 5, {"aa_2_1": "s"}):
        assert translate(record("problem_check", graded(submission=submission))).cause == "wrong_type"


def test_5_minus_zero(translate: Translate, record: Translate) -> None:
    for number in (-0.0, 0.0, -0.0):
        made = translate(record("play_video", {"id": number}, {"course_id": "course-v1:edX+Zero+2020"}))
        assert made[0]["object"]["id"].endswith("+block@0.0")


def test_6_old_courses_and_libraries(translate: Translate, record: Translate) -> None:
    def ids(name: str, data: Any, course: str, **top: Any) -> set[str]:
        line = record(name, data, {"course_id": course}, **top)
        return {translate(line, protocol)[0]["object"]["id"] for protocol in ("xapi", "caliper")}

    assert ids("play_video", {"id": "v"}, "edX/DemoX/2012") == {f"{XBLOCK}i4x://edX/DemoX/video/v"}
    assert ids("play_video", {"id": "i4x-edX-6_00x-video-v"}, "edX/6.00x/2012") == {f"{XBLOCK}i4x://edX/6.00x/video/v"}
    assert ids("play_video", {"id": "v"}, "library-v1:edX+L") == {f"{XBLOCK}lib-block-v1:edX+L+type@video+block@v"}
    assert ids("play_video", {"id": "v"}, "lib:edX:L") == {f"{XBLOCK}lb:edX:L:video:v"}
    assert ids("problem_check", "input_aa_2_1=x", "edX/DemoX/2012", event_source="browser") == {
        f"{XBLOCK}i4x://edX/DemoX/problem/aa"
    }


def test_7_no_course_key(translate: Translate, record: Translate) -> None:
    for protocol in ("xapi", "caliper"):
        assert translate(record("problem_check", graded(), {"course_id": "hello"}), protocol).cause == "bad_course_key"
        assert translate(record("problem_check", graded(), {"course_id": None}), protocol)
    several = graded(submission={"aa_2_1": question(), "aa_3_1": question()})
    assert len(translate(record("problem_check", several, {"course_id": None}))) == 3
    enrolment = record("edx.course.enrollment.activated", {"course_id": "course-v1:edX+DemoX+2020"}, {"course_id": None})
    assert translate(enrolment, "caliper")


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


def test_8_an_object_from_a_browser(translate: Translate, record: Translate) -> None:
    (made,) = translate(record("problem_check", graded(submission={"aa_2_1": question()}), event_source="browser"))
    assert made["object"]["id"] == XBLOCK + PROBLEM
    assert made["object"]["definition"].keys() == {"type", "interactionType"}
    assert "result" not in made


def test_8_only_browsers_mean_what_the_address_says(translate: Translate, record: Translate) -> None:
    address = f"https://lms.example.com/?activate_block_id={PROBLEM}".replace("+", "%2B")
    for name in ("showanswer", "edx.problem.completed", "edx.grades.problem.submitted"):
        assert translate(record(name, {}, referer=address), "caliper").cause == "missing"


def test_9_the_block_that_sent_the_event(translate: Translate, record: Translate) -> None:
    for name in ("showanswer", "edx.problem.completed", "edx.grades.problem.submitted", "problem_check"):
        for protocol in ("xapi", "caliper"):
            for data in ({}, {"problem_id": False}, {"problem_id": "", "module_id": 0}):
                line = record(name, data, {"module": {"usage_key": PROBLEM}})
                assert translate(line, protocol)[0]["object"]["id"].startswith(XBLOCK + PROBLEM)


def test_9_either_of_the_two_ids(translate: Translate, record: Translate) -> None:
    for name in ("showanswer", "edx.problem.hint.demandhint_displayed"):
        for protocol in ("xapi", "caliper"):
            ids = [{field: PROBLEM, "hint_index": 0} for field in ("problem_id", "module_id")]
            one, other = (translate(record(name, data), protocol)[0]["object"]["id"] for data in ids)
            assert one == other
    (made,) = translate(record("showanswer", {"problem_id": "", "module_id": PROBLEM}), "caliper")
    assert made["object"]["id"] == f"{XBLOCK}{PROBLEM}/solution"


def test_9_problems_with_a_number_for_an_id(translate: Translate, record: Translate) -> None:
    whole, first, _ = translate(
        record("problem_check", graded(problem_id=5, submission={"aa_2_1": question(), "aa_3_1": question()}))
    )
    assert (whole["object"]["id"], first["object"]["id"]) == (f"{XBLOCK}5", f"{XBLOCK}aa_2_1")


def test_9_what_is_not_used_is_not_required(translate: Translate, record: Translate) -> None:
    for data in (graded(), graded(problem_id=None)):
        for referrer in (None, "http://[x", True):
            line = record("problem_check", data, {"module": {"usage_key": PROBLEM}}, referer=referrer)
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
    assert result(grade=grade, max_grade=max_grade)["score"] == {"raw": float(grade)}


@pytest.mark.parametrize("possible", [0, -1])
def test_14_nothing_to_earn(result: Callable[..., Any], possible: float) -> None:
    assert result(grade=0, max_grade=possible)["score"] == {"min": 0, "raw": 0, "scaled": 0}


@pytest.mark.parametrize(
    ("earned", "possible", "result"),
    [
        (0, 0, {"score": {"min": 0, "raw": 0, "scaled": 0}}),
        (1, None, {"score": {"min": 0, "raw": 1}}),
        (None, 2, {"score": {"min": 0, "max": 2}}),
        (2, 2, {"score": {"min": 0, "max": 2, "raw": 2, "scaled": 1}, "success": True}),
        (1, 2, {"score": {"min": 0, "max": 2, "raw": 1, "scaled": 0.5}, "success": False}),
    ],
)
def test_14_weighted_points(translate: Translate, record: Translate, earned: Any, possible: Any, result: Any) -> None:
    data = {"problem_id": PROBLEM, "weighted_earned": earned, "weighted_possible": possible}
    assert translate(record("edx.grades.problem.submitted", data))[0]["result"] == result


@pytest.mark.parametrize("field", ["current_time", "currentTime"])
def test_15_position_0(translate: Translate, record: Translate, field: str) -> None:
    line = record("play_video", {"id": "v", field: 0})
    assert translate(line)[0]["result"]["extensions"] == {"https://w3id.org/xapi/video/extensions/time": 0}
    assert translate(line, "caliper")[0]["target"]["currentTime"] == "P0D"


def test_16_missing_text(translate: Translate, record: Translate, result: Callable[..., Any]) -> None:
    assert "response" not in result(submission={"aa_2_1": {"response_type": "stringresponse", "correct": True}})
    extensions = translate(record("speed_change_video", {"id": "v", "new_speed": 1.5}))[0]["result"]["extensions"]
    assert extensions == {"https://w3id.org/xapi/openedx/extension/speed-to": "1.5x"}


def test_16_an_outline_without_a_name(translate: Translate, record: Translate) -> None:
    made = translate(record("edx.ui.lms.outline.selected", {"target_url": "https://lms.example.com/x"}))[0]["object"]
    assert made["definition"] == {"type": "http://adlnet.gov/expapi/activities/module"}


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
    assert translate(record("problem_check", graded(submission={"aa_2_1": question(), "": question()}))).cause == "missing"


def test_21_a_hint_without_its_number(translate: Translate, record: Translate) -> None:
    for data in ({"module_id": PROBLEM}, {"hint_index": 0}):
        for protocol in ("xapi", "caliper"):
            assert translate(record("edx.problem.hint.demandhint_displayed", data), protocol).cause == "missing"
    assert translate(record("showanswer", {}), "caliper").cause == "missing"


def test_22_no_iri(translate: Translate, record: Translate) -> None:
    assert translate(record("play_video", {"id": "a b"})).cause == "invalid"
    assert translate(record("play_video", {"id": "a<b"}), "caliper").cause == "invalid"
    assert "session" not in translate(record("play_video", {"id": "v"}, session="a b"), "caliper")[0]
    for data, path in (({"id": "a b"}, "/p"), ({"id": "t"}, "/a b")):
        assert translate(record(VIEWED_THREAD, data, {"path": path})).cause == "invalid"
    in_thread = record(VIEWED_THREAD, {"id": "t", "discussion": {"id": "a b"}}, {"path": "/p"})
    assert "grouping" not in translate(in_thread)[0]["context"]["contextActivities"]
    assert translate(record(VIEWED_THREAD, {"id": "a b"}), "caliper").cause == "invalid"
    assert "isPartOf" not in translate(record(VIEWED_THREAD, {"id": "t", "commentable_id": "a b"}), "caliper")[0]["object"]
    reply = record("edx.forum.response.created", {"id": "r", "discussion": {"id": "a#b"}}, {"path": "/p"})
    assert "replyTo" not in translate(reply, "caliper")[0]["object"]
    page = "https://lms.example.com/courses/x/"
    for link in ("http://[bad]/x", "svn+ssh://x.org/y"):
        assert translate(record("edx.ui.lms.link_clicked", {"target_url": link})).cause == "invalid"
        (on_page,) = translate(record("edx.ui.lms.link_clicked", {"target_url": link, "current_url": page}))
        assert on_page["object"]["id"] == page
    assert translate(record("edx.ui.lms.link_clicked", {"target_url": "svn+ssh://x.org/y"}), "caliper")


@pytest.mark.parametrize("grade", ["1", True])
def test_23_grades_that_are_no_numbers(translate: Translate, record: Translate, grade: Any) -> None:
    for protocol in ("xapi", "caliper"):
        (made,) = translate(record("problem_check", graded(grade=grade)), protocol)
        assert "score" not in made.get("result", {})
        assert "scoreGiven" not in made.get("generated", {})


def test_24_negative_durations(translate: Translate, record: Translate) -> None:
    line = record("complete_video", {"id": "v", "duration": -3})
    assert "duration" not in translate(line)[0]["result"]
    assert "duration" not in translate(line, "caliper")[0]["object"]
    assert "currentTime" not in translate(record("play_video", {"id": "v", "current_time": 1e14}), "caliper")[0]["target"]
    assert translate(record("load_video", {"id": "v", "current_time": 1e14}), "caliper")
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


SEQUENCE = "block-v1:edX+DemoX+2020+type@sequential+block@s"
NAVIGATION = "edx.ui.lms."


def test_31_one_event_for_both_protocols(record: Translate) -> None:
    actor = account_actor("https://lms.example.com", "somebody")
    for name in ("tab_selected", "next_selected", "previous_selected"):
        event = parse(json.dumps(record(f"{NAVIGATION}sequence.{name}", {"id": SEQUENCE})).encode())
        assert isinstance(event, Event)
        for protocol in ("caliper", "xapi"):
            translator = Translator(protocol, "https://lms.example.com", lambda _: actor, lambda _: None)
            made = translator.translate(event)
            assert isinstance(made, tuple)
            assert json.loads(made[0].body)["object"]["id"] == XBLOCK + SEQUENCE


@pytest.mark.parametrize(
    ("target", "iri"),
    [
        ("/about", "https://lms.example.com/about"),
        ("courses/x?a=b", "https://lms.example.com/courses/x?a=b"),
        ("//cdn.example.com/x", "https://cdn.example.com/x"),
        ("#answers", "https://apps.example.com/learn/course#answers"),
        ("?page=2", "https://apps.example.com/learn/course?page=2"),
        ("https://fr.example.org/été", "https://fr.example.org/été"),
        ("mailto:help@example.com", "mailto:help@example.com"),
        ("javascript:void(0)", "javascript:void(0)"),
        ("https://x.org/?a[]=1&b=%20", "https://x.org/?a%5B%5D=1&b=%20"),
        ("https://x.org/50%#a#b c", "https://x.org/50%25#a%23b%20c"),
        ("https://[::1]:80/{x}|`^", "https://[::1]:80/%7Bx%7D%7C%60%5E"),
    ],
)
@pytest.mark.parametrize("name", ["link_clicked", "outline.selected", "sequence.outline.selected"])
def test_32_relative_links(translate: Translate, record: Translate, name: str, target: str, iri: str) -> None:
    data = {"target_url": target, "target_name": "Week 1", "current_url": "https://apps.example.com/learn/course"}
    for protocol in ("xapi", "caliper"):
        assert translate(record(NAVIGATION + name, data), protocol)[0]["object"]["id"] == iri


def test_32_links_of_no_page(translate: Translate, record: Translate) -> None:
    for page in (None, "", "/courses/x"):
        made = translate(record("edx.ui.lms.link_clicked", {"target_url": "#answers", "current_url": page}))
        assert made[0]["object"]["id"] == "https://lms.example.com/#answers"
    assert translate(record("edx.ui.lms.link_clicked", {"target_url": "//[x/"})).cause == "wrong_type"
    unreadable = {"target_url": "#answers", "current_url": "https://[x/"}
    assert translate(record("edx.ui.lms.link_clicked", unreadable)).cause == "wrong_type"


def test_33_the_outline_of_a_sequence(translate: Translate, record: Translate) -> None:
    link = {"target_url": "https://lms.example.com/x", "target_name": "Week 1"}

    def objects(data: dict[str, Any]) -> list[tuple[str, Any]]:
        line = record("edx.ui.lms.sequence.outline.selected", data)
        statement, event = (translate(line, protocol)[0]["object"] for protocol in ("xapi", "caliper"))
        return [(statement["id"], statement["definition"].get("name")), (event["id"], event.get("name"))]

    assert objects({**link, "id": SEQUENCE}) == [(link["target_url"], {"en": "Week 1"}), (XBLOCK + SEQUENCE, "Unit")]
    assert objects(link) == [(link["target_url"], {"en": "Week 1"}), (link["target_url"], "Week 1")]
    assert objects({"id": SEQUENCE}) == [(XBLOCK + SEQUENCE, None), (XBLOCK + SEQUENCE, "Unit")]
    for protocol in ("xapi", "caliper"):
        assert translate(record("edx.ui.lms.sequence.outline.selected", {}), protocol).cause == "missing"


def test_34_pages_in_caliper(translate: Translate, record: Translate) -> None:
    line = record("edx.ui.lms.link_clicked", {"target_url": "https://x.example.org/"})
    assert translate(line, "caliper")[0]["object"]["type"] == "WebPage"


def test_35_completed_problems(translate: Translate, record: Translate) -> None:
    made = translate(record("edx.problem.completed", {"problem_id": PROBLEM}))[0]["object"]
    assert made["id"] == XBLOCK + PROBLEM
    assert made["definition"] == {"type": "http://adlnet.gov/expapi/activities/cmi.interaction", "interactionType": "other"}


EXAM = "edx.special_exam.timed.attempt.submitted"
SUBSECTION_GRADE = "edx.grades.subsection.grade_calculated"
COURSE_GRADE = "edx.grades.course.grade_calculated"
COMPLETION = "edx.completion.block_completion.changed"


def attempted(**fields: Any) -> dict[str, Any]:
    return {"exam_content_id": SEQUENCE, "exam_name": "Mid-term", "attempt_code": "6F1A-9B", "attempt_id": 9, **fields}


@pytest.mark.parametrize("earned", [0, 1, None])
@pytest.mark.parametrize("possible", [0, -1, None])
def test_14_nothing_to_earn_in_a_subsection(translate: Translate, record: Translate, earned: Any, possible: Any) -> None:
    grade = {"block_id": SEQUENCE, "weighted_total_earned": earned, "weighted_total_possible": possible}
    made = translate(record(SUBSECTION_GRADE, grade))[0]["result"]
    assert "success" not in made
    assert "max" not in made["score"]
    assert made["score"].get("raw") == earned


def test_36_special_exams_from_everywhere(translate: Translate, record: Translate) -> None:
    log = record(EXAM, attempted())
    text = {**log, "event": json.dumps(attempted())}
    live = {"name": EXAM, "data": attempted(), "context": {**log["context"], "session": "s1"}, "timestamp": log["time"]}
    bus = {**live, "data": json.dumps(live["data"]), "context": json.dumps(live["context"])}
    for protocol in ("xapi", "caliper"):
        made = [translate(line, protocol) for line in (log, text, live, bus)]
        assert made == [made[0]] * 4
    bare = record(EXAM, {"exam_content_id": SEQUENCE}, {"course_id": None})
    (statement,), (event,) = translate(bare), translate(bare, "caliper")
    assert statement["object"]["definition"] == {"type": "https://w3id.org/xapi/openedx/activity/timed-assessment"}
    (course,) = statement["context"]["contextActivities"]["parent"]
    named_by_its_own_key = "https://lms.example.com/course/course-v1:edX+DemoX+2020"
    assert course["id"] == event["group"]["id"] == named_by_its_own_key
    assert "name" not in event["object"]


@pytest.mark.parametrize(
    ("code", "number", "named"),
    [("6F1A-9B", 9, "6F1A-9B"), (None, 9, "9"), ("", 9, "9"), ("a b/c", 9, "a%20b%2Fc"), (None, None, None)],
)
def test_37_ids_of_exams(translate: Translate, record: Translate, code: Any, number: Any, named: str | None) -> None:
    line = record(EXAM, attempted(attempt_code=code, attempt_id=number))
    (statement,), (event,) = translate(line), translate(line, "caliper")
    assert statement["object"]["id"] == event["object"]["id"] == XBLOCK + SEQUENCE
    grouping = statement["context"]["contextActivities"].get("grouping")
    iri = named and f"{XBLOCK}{SEQUENCE}/attempt/{named}"
    assert (grouping and grouping[0]["id"]) == iri
    assert event["generated"]["id"] == (iri or f"{XBLOCK}{SEQUENCE}/user/{event['actor']['id'].rpartition('/')[2]}/attempt")


@pytest.mark.parametrize(("letter", "shown"), [("B", "B"), ("", "Fail"), (None, "Fail")])
def test_38_the_letter_of_a_course_grade(translate: Translate, record: Translate, letter: str | None, shown: str) -> None:
    made = translate(record(COURSE_GRADE, {"percent_grade": 0.8, "letter_grade": letter}))[0]["result"]
    assert made["extensions"] == {"http://www.tincanapi.co.uk/extensions/result/classification": shown}


def test_39_course_grades_that_are_not_known(translate: Translate, record: Translate) -> None:
    for data in ({"percent_grade": None}, {}):
        (statement,) = translate(record(COURSE_GRADE, data))
        assert statement["result"]["score"] == {"min": 0.0, "max": 1.0}
        assert "scoreGiven" not in translate(record(COURSE_GRADE, data), "caliper")[0]["generated"]


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_40_completion(translate: Translate, record: Translate, protocol: str) -> None:
    for unknown in ({}, {"completion": None}, {"completion": ""}):
        (made,) = translate(record(COMPLETION, {"block_id": SEQUENCE, **unknown}), protocol)
        assert "result" not in made
        assert "completion" not in made.get("extensions", {})
    for odd in ("0.5", True, 1.5, -1):
        (made,) = translate(record(COMPLETION, {"block_id": SEQUENCE, "completion": odd}), protocol)
        assert "result" not in made
        assert "completion" not in made.get("extensions", {})


@pytest.mark.parametrize(
    ("completion", "action"), [(1, "Completed"), (1.0, "Completed"), (0.5, "Used"), (0, "Used"), (None, "Used")]
)
def test_41_completed_or_used(translate: Translate, record: Translate, completion: Any, action: str) -> None:
    (made,) = translate(record(COMPLETION, {"block_id": SEQUENCE, "completion": completion}), "caliper")
    assert made["action"] == action


def test_41_times_of_an_attempt(translate: Translate, record: Translate) -> None:
    times = {"attempt_started_at": "2024-03-11T10:00:00+01:00", "attempt_completed_at": ""}
    made = translate(record(EXAM, attempted(**times)), "caliper")[0]["generated"]
    assert made["startedAtTime"] == "2024-03-11T09:00:00.000Z"
    assert "endedAtTime" not in made
    assert "startedAtTime" not in translate(record(EXAM, attempted(attempt_started_at="yesterday")), "caliper")[0]["generated"]


def test_41_forum(translate: Translate, record: Translate) -> None:
    """The forum's own fixtures have the usual events; this is what else they may look like."""
    data = {"id": "c", "commentable_id": "topic", "vote_value": "up"}
    for name, data_, action in (
        ("thread.voted", data, "Liked"),
        ("response.voted", {**data, "vote_value": "down"}, "Disliked"),
        ("thread.voted", {**data, "undo_vote": True}, "Removed"),
    ):
        assert translate(record(f"edx.forum.{name}", data_), "caliper")[0]["action"] == action
    refusal = translate(record("edx.forum.thread.voted", {"id": "c", "vote_value": "x"}), "caliper")
    assert (refusal.cause, refusal.message.split(":")[0]) == ("out_of_range", "data.vote_value")
    (made,) = translate(record("edx.forum.comment.created", {"id": "c", "discussion": {}, "response": None}), "caliper")
    assert made["object"].keys() == {"id", "type", "extensions"}
    (made,) = translate(record("edx.forum.thread.created", {"id": 7, "title": "T"}), "caliper")
    assert made["object"]["isPartOf"] == {"id": f"{DISCUSSIONS}/threads/7", "type": "Thread", "name": "T"}
    assert "name" not in translate(record(VIEWED_THREAD, {"id": "t", "title": "T"}), "caliper", redact=("title",))[0]["object"]


def test_41_the_language_menu(translate: Translate, record: Translate) -> None:
    line = record("edx.video.language_menu.hidden", {"id": "v", "language": "fr"})
    assert translate(line) is None
    (made,) = translate(line, "caliper")
    assert (made["action"], made["extensions"]["language"]) == ("Hid", "fr")
    assert made["target"]["id"] == f"{made['object']['id']}#language_menu"


def test_42_discussions(translate: Translate, record: Translate) -> None:
    context = {"course_id": None, "path": "/api/discussion/v1/comments/"}
    (made,) = translate(record("edx.forum.response.created", {"id": 5, "discussion": {"id": 7}}, context))
    assert made["object"]["id"] == f"{DISCUSSIONS}/comments/5"
    assert made["context"]["contextActivities"].keys() == {"grouping"}
    assert made["context"]["contextActivities"]["grouping"][0]["id"] == f"{DISCUSSIONS}/threads/7"
    for data, path in (({}, "/p"), ({"id": ""}, "/p"), ({"id": 0}, "/p"), ({"id": "t"}, ""), ({"id": "t"}, None)):
        assert translate(record(VIEWED_THREAD, data, {"path": path})).cause == "missing"
    for path, iri in (("/", "/9f"), ("/a/9f/", "/a/9f"), ("/a/9f/upvote//", "/a//upvote/9f"), ("/a9f/x", "/a9f/x/9f")):
        (made,) = translate(record(VIEWED_THREAD, {"id": "9f"}, {"path": path}))
        assert made["object"]["id"] == f"https://lms.example.com{iri}"
    (made,) = translate(record(VIEWED_THREAD, {"id": 1}, {"path": "/api/discussion/v1/threads/1/"}))
    assert made["object"]["id"] == f"{DISCUSSIONS}/threads/1"
    (made,) = translate(record(VIEWED_THREAD, {"id": "t", "title": "T"}, {"path": "/p"}), redact=("title",))
    assert "name" not in made["object"]["definition"]


def course_event(course: str) -> Event:
    return Event("problem_check", course_id=course, user_id=5, org_id="MITx")


def got(event: Event, access: Any = "all", **match_params: Any) -> bool:
    params = {path.replace("__", "."): wanted for path, wanted in match_params.items()}
    one = Consumer(name="c", protocol="xapi", url="https://x", access=access, match_params=params)
    return Matcher([one])(event) == (0,)


def test_43_filters_are_literals_unless_they_are_expressions() -> None:
    event = course_event("course-v1:edX+DemoX+2026")
    assert got(event, context__course_id="course-v1:edX+DemoX+2026")
    assert not got(event, context__course_id="edX")
    assert got(event, context__course_id="/edX/")
    assert got(event, context__user_id=5)
    assert got(event, context__org_id={"not": ["edX"]})


def test_44_what_a_consumer_may_see_is_said_not_implied() -> None:
    entitled = Access(orgs=AccessRule(allow=["MITx"]))
    assert got(course_event("course-v1:MITx+1+1"), entitled)
    assert not got(course_event("course-v1:edX+DemoX+2026"), entitled)
    assert not got(course_event(""), Access(orgs=AccessRule(block=["edX"])))


def test_46_what_a_learner_posts(translate: Translate, record: Translate) -> None:
    posted = {"event_source": "browser"}
    assert translate(record("play_video", {"id": "v", "user_id": 777}, **posted)).cause == "forged"
    assert translate(record("edx.course.enrollment.activated", {"mode": "audit"}, **posted)) is None
    (made,) = translate(record("problem_check", graded(), event_source="mobile"))
    assert made["verb"]["id"].endswith("/attempted")


def test_47_events_of_nobody(record: Translate) -> None:
    nobody = record("play_video", {"id": "v"}, {"user_id": None}, username="", session="")
    event = parse(json.dumps(nobody).encode())
    assert isinstance(event, Event)
    assert event.is_of_nobody


def test_48_names_of_problems(translate: Translate, record: Translate) -> None:
    (made,) = translate(record("problem_check", "input_ex_practice_3_2_1=797", event_source="browser"))
    assert made["object"]["id"].endswith("+type@problem+block@ex_practice_3")
    old = {"course_id": "edX/DemoX/2012"}
    (made,) = translate(record("play_video", {"id": "i4x-edX-DemoX-videoalpha-a_b"}, old))
    assert made["object"]["id"] == f"{XBLOCK}i4x://edX/DemoX/videoalpha/a_b"
    of_a_draft = f"{PROBLEM}\n".replace("+type", "+branch@draft+type")
    (made,) = translate(record("showanswer", {"problem_id": of_a_draft}, event_source="server"))
    assert made["object"]["id"] == f"{XBLOCK}{PROBLEM}/answer"


def test_50_records_of_former_years(translate: Translate, record: Translate) -> None:
    page = "https://lms.example.com/courses/edX/DemoX/2012/courseware/"
    line = {**record("seq_goto", {"old": 3, "new": 2, "id": "i4x://edX/DemoX/sequential/x"}, event_source="browser"), "page": page}
    del line["context"]
    (made,) = translate({**line, "time": "2012-06-11T16:23:16.899531"})
    assert made["timestamp"] == "2012-06-11T16:23:16.899531+00:00"
    assert made["context"]["contextActivities"]["parent"][0]["id"] == "https://lms.example.com/course/edX/DemoX/2012"
    (made,) = translate(record("edx.video.played", {"module_id": "i4x://edX/DemoX/video/x"}, event_source="mobile"))
    assert made["object"]["id"] == f"{XBLOCK}i4x://edX/DemoX/video/x"


def test_51_long_links(translate: Translate, record: Translate) -> None:
    link = {"target_url": "/" + "x" * 20_000}
    assert translate(record("edx.ui.lms.link_clicked", link, event_source="browser")).cause == "out_of_range"


def test_every_entry_has_its_test() -> None:
    entries = re.findall(r"^### (\d+)\.", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert entries == [str(n) for n in range(1, len(entries) + 1)]
    tested = {match[1] for name in globals() if (match := re.match(r"test_(\d+)_", name))}
    assert tested | TESTED_ELSEWHERE == set(entries)


def test_52_a_value_costs_itself(translate: Translate, record: Translate) -> None:
    (made,) = translate(record("play_video", {"id": "v", "currentTime": "soon", "duration": 60}))
    assert list(made["context"]["extensions"].values())[-1] == 60
    assert "result" not in made
