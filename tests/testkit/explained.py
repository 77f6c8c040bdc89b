"""The differences to event-routing-backends that ``docs/divergences.md`` lists, as a table that a machine can apply."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from edx2lrs.transforms.formats.texts import is_iri

CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!000000)\d{6})?\+00:00")
COURSE_KEY = re.compile(r"(course-v1|ccx-v1|library-v1):.+|[^/:]+/[^/]+/[^/]+")


class Seen(NamedTuple):
    """A record as far as the table looks at it, with JSON texts decoded."""

    name: str
    time: Any
    top: dict[str, Any]
    context: dict[str, Any]
    data: Any

    @property
    def fields(self) -> dict[str, Any]:
        return self.data if isinstance(self.data, dict) else {}

    @property
    def submissions(self) -> dict[str, Any]:
        found = self.fields.get("submission")
        return found if isinstance(found, dict) else {}

    @property
    def source(self) -> Any:
        return self.top.get("event_source") or self.context.get("event_source")


def seen(record: dict[str, Any]) -> Seen:
    data = _decoded(record["event"] if "event" in record else record.get("data"))
    context = _decoded(record.get("context"))
    time = record.get("timestamp") if record.get("timestamp") not in (None, "") else record.get("time")
    return Seen(record["name"], time, record, context if isinstance(context, dict) else {}, data)


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


class Known(NamedTuple):
    """``number`` is the entry in the docs, ``about`` tells whether a record is one of those that it is about.

    ``paths``: where statements differ. ``refused``: our cause and message where only erb gives statements. ``failed``: erb's
    error (``dropped``: none, nor a statement) where only we do. All are regular expressions; "" never matches.
    """

    number: int
    about: Callable[[Seen], bool]
    paths: str = ""
    refused: str = ""
    failed: str = ""


def always(_: Seen) -> bool:
    return True


def time_is_not_canonical(s: Seen) -> bool:
    return not (isinstance(s.time, str) and CANONICAL.fullmatch(s.time))


def a_place_is_empty(s: Seen) -> bool:
    """Where erb's recursive search finds another place than ours: null, "" or 0 stands where it looks first."""
    return any(
        not place.get(key, True)
        for place in (s.top, s.context, s.fields)
        for key in ("session", "event_source", "referer", "user_id", "username")
    )


def a_question_is_empty(s: Seen) -> bool:
    return group(s) and not all(isinstance(v, dict) and v.get("response_type") for v in s.submissions.values())


def negative(s: Seen) -> bool:
    return any(isinstance(v, (int, float)) and v < 0 for v in s.fields.values())


def problem(s: Seen) -> bool:
    return s.name == "problem_check"


def posted_problem(s: Seen) -> bool:
    """A problem_check that neither a browser nor the site sent."""
    return problem(s) and bool(s.source) and s.source not in ("browser", "server", "task")


def session_is_none(s: Seen) -> bool:
    """Where erb takes ``true`` for a session."""
    return any(place.get("session") is True for place in (s.top, s.context, s.fields))


def browser(s: Seen) -> bool:
    return problem(s) and s.source == "browser"


def browser_with_object(s: Seen) -> bool:
    return browser(s) and isinstance(s.data, dict)


def question_without_id(s: Seen) -> bool:
    return group(s) and "" in s.submissions


def other_problem_event(s: Seen) -> bool:
    return s.name in OTHER_PROBLEM_EVENTS


def asked_for_by_one_id(s: Seen) -> bool:
    return s.name in OTHER_PROBLEM_EVENTS[:2] and not all(s.fields.get(key) for key in ("problem_id", "module_id"))


def named_by_its_block(s: Seen) -> bool:
    known = {key: s.fields[key] for key in ("problem_id", "module_id") if key in s.fields}
    return other_problem_event(s) and not all(known.values() or [None])


def completed_problem(s: Seen) -> bool:
    return s.name == "edx.problem.completed"


def without_hint_index(s: Seen) -> bool:
    return s.name == "edx.problem.hint.demandhint_displayed" and s.fields.get("hint_index") in (None, "")


def link(s: Seen) -> bool:
    return s.name == "edx.ui.lms.link_clicked"


def outline(s: Seen) -> bool:
    return s.name in ("edx.ui.lms.outline.selected", OUTLINE_OF_SEQUENCE)


def outline_of_sequence(s: Seen) -> bool:
    return s.name == OUTLINE_OF_SEQUENCE


def relative_link(s: Seen) -> bool:
    return (link(s) or outline(s)) and not is_iri(str(s.fields.get("target_url")))


def link_with_other_scheme(s: Seen) -> bool:
    scheme = str(s.fields.get("target_url")).partition(":")[0]
    return (link(s) or outline(s)) and not scheme.isalnum()


def server(s: Seen) -> bool:
    return problem(s) and s.source != "browser"


def group(s: Seen) -> bool:
    return server(s) and len(s.submissions) > 1


def other_course_key(s: Seen) -> bool:
    return str(s.context.get("course_id")).startswith("library-v1:") or "/" in str(s.context.get("course_id"))


def no_course_key(s: Seen) -> bool:
    key = s.context.get("course_id")
    return not isinstance(key, str) or not COURSE_KEY.fullmatch(key)


def no_object_to_name(s: Seen) -> bool:
    if browser(s):
        return True
    fields, module = s.fields, s.context.get("module")
    return not any(fields.get(k) for k in ("problem_id", "module_id")) or not isinstance(module, dict)


def judged_in_other_words(s: Seen) -> bool:
    judgements = [v.get("correct") for v in s.submissions.values() if isinstance(v, dict)]
    return server(s) and (
        s.fields.get("success") not in ("correct", "incorrect") or not all(isinstance(j, bool) for j in judgements)
    )


def answer_is_no_text(s: Seen) -> bool:
    answers = [s.fields.get("answers"), *(v.get("answer") for v in s.submissions.values() if isinstance(v, dict))]
    return server(s) and any(isinstance(a, (dict, list, bool, float)) or a == "" for a in answers)


def without_points(s: Seen) -> bool:
    possible = s.fields.get("max_grade")
    return server(s) and isinstance(possible, (int, float)) and possible <= 0


def score_out_of_range(s: Seen) -> bool:
    earned, possible = s.fields.get("grade"), s.fields.get("max_grade")
    return (
        server(s)
        and all(isinstance(v, (int, float)) or v is None for v in (earned, possible))
        and not (0 <= (earned or 0) <= (possible or 0))
    )


def points(s: Seen) -> tuple[Any, Any] | None:
    """Earned and possible points, where the LMS weights them; a course's grade is a share of 1."""
    if s.name == "edx.grades.subsection.grade_calculated":
        return s.fields.get("weighted_total_earned"), s.fields.get("weighted_total_possible")
    if s.name == "edx.grades.problem.submitted":
        return s.fields.get("weighted_earned"), s.fields.get("weighted_possible")
    return (s.fields.get("percent_grade"), 1) if s.name == "edx.grades.course.grade_calculated" else None


def points_unknown_or_none(s: Seen) -> bool:
    found = points(s)
    return found is not None and (found[0] in (None, "") or not isinstance(found[1], (int, float)) or found[1] <= 0)


def points_out_of_range(s: Seen) -> bool:
    found = points(s)
    return found is not None and not (all(isinstance(v, (int, float)) for v in found) and 0 <= found[0] <= found[1])


def course_grade(s: Seen) -> bool:
    return s.name == "edx.grades.course.grade_calculated"


def completion(s: Seen) -> bool:
    return s.name == "edx.completion.block_completion.changed"


def completion_is_no_share(s: Seen) -> bool:
    share = s.fields.get("completion")
    return completion(s) and not (isinstance(share, (int, float)) and 0 <= share <= 1)


def exam(s: Seen) -> bool:
    return s.name.startswith("edx.special_exam.")


def forum(s: Seen) -> bool:
    return s.name.startswith("edx.forum.")


def forum_field_elsewhere(s: Seen) -> bool:
    return forum(s) and "asides" in s.context


def new_in_caliper(s: Seen) -> bool:
    return exam(s) or completion(s) or forum(s) or s.name in NEW_IN_CALIPER


def at_zero(s: Seen) -> bool:
    return "current_time" in s.fields or "currentTime" in s.fields


def without_duration(s: Seen) -> bool:
    return "duration" not in s.fields


def text_for_a_number(s: Seen) -> bool:
    return any(isinstance(v, str) for v in s.fields.values())


def space_or_empty(value: Any) -> bool:
    return not isinstance(value, str) or " " in value or not value


def no_iri(s: Seen) -> bool:
    discussion = s.fields.get("discussion")
    parts = [
        *(discussion.values() if isinstance(discussion, dict) else ()),
        s.context.get("path"),
        s.top.get("session"),
        s.context.get("session"),
        s.context.get("course_id"),
        *s.fields.values(),
        *s.submissions,
        s.data,
    ]
    return any(isinstance(p, str) and " " in p for p in parts)


def id_within_a_part(s: Seen) -> bool:
    """Where erb cuts the post's id out of another part of the path too."""
    name, path = str(s.fields.get("id")), s.context.get("path")
    return forum(s) and isinstance(path, str) and any(name in part and name != part for part in path.split("/"))


def old_name(s: Seen) -> bool:
    return s.name in ("save_problem_check", "show_answer", "seq_goto", "seq_next", "seq_prev")


def course_elsewhere(s: Seen) -> bool:
    return not s.context.get("course_id")


PART = r"\[[0n]\]\.(context\.contextActivities\.parent\[0\]\.)?"
ID = r"\[[0n]\]\.(id|context\.statement\.id)"

NEW_IN_CALIPER = {
    "edx.course.enrollment.mode_changed",
    "edx.course.grade.now_passed",
    "edx.course.grade.now_failed",
    "edx.grades.subsection.grade_calculated",
    "edx.grades.course.grade_calculated",
    "edx.video.language_menu.shown",
    "edx.video.language_menu.hidden",
}
OUTLINE_OF_SEQUENCE = "edx.ui.lms.sequence.outline.selected"
OTHER_PROBLEM_EVENTS = (
    *("showanswer", "edx.problem.hint.demandhint_displayed"),
    *("edx.grades.problem.submitted", "edx.problem.completed"),
)
UNREAD_TIME = "ValueError: Conversion to datetime|ParserError|has no attribute 'utcoffset'"
NO_COURSE = "InvalidKeyError|KeyError: 'extensions'|'NoneType' object has no attribute '(parent|get)'"
TEXT_FIELDS = "question|display_name|exam_name|title|target_url|target_name|current_url|course_id|path"
OBJECTS = r"module|submission|submission\[\.\.\.\]|discussion|response"
OTHER_TYPE = (
    rf"wrong_type: .*(got `(array|object)`|(at `|\.)({TEXT_FIELDS})`|at `({OBJECTS})`"
    r"|Expected `int` [<>]=|expected an object, found)"
)
NO_REFERRER = r"Could not get value for (context\.referer|data\.module_id)|'split'|'decode'|NoneType|Invalid IPv6 URL"

KNOWN = (
    Known(4, session_is_none, paths=r"\[[0n]\]\.(session|context\.extensions\.session-id)"),
    Known(46, posted_problem, paths=r"(\[0\].*)?"),
    Known(1, time_is_not_canonical, paths=rf"{ID}|\[[0n]\]\.(timestamp|eventTime)", refused="bad_time", failed=UNREAD_TIME),
    Known(2, time_is_not_canonical, refused="no_time"),
    Known(3, a_place_is_empty, paths=r"\[[0n]\]\.(actor\.(id|account\.name)|session|context\.extensions\.session-id)|" + ID),
    Known(3, a_question_is_empty, paths=r"\[n\]\.object\.definition\.interactionType"),
    Known(3, forum_field_elsewhere, paths=r"\[0\]\.context\.extensions\.type"),
    Known(4, always, refused=r"wrong_type.*(user_id|username)"),
    Known(5, always, refused=OTHER_TYPE),
    Known(6, other_course_key, paths=r"\[[0n]\]\.object\.id", failed="IndexError|dropped"),
    Known(7, no_course_key, refused="bad_course_key", failed=NO_COURSE),
    Known(8, browser, paths=r"\[[0n]\]\.object\.id", failed="dropped"),
    Known(8, browser_with_object, paths=r"\[0\]\.object\.definition\.(description|extensions|interactionType|name)"),
    Known(9, problem, failed=NO_REFERRER),
    Known(9, asked_for_by_one_id, failed=r"Could not get value for (problem_id|module_id)"),
    Known(9, other_problem_event, failed=NO_REFERRER),
    Known(9, named_by_its_block, paths=r"\[0\]\.object\.id"),
    Known(10, group, paths=PART + r"(object\.)?definition\.(description|name)|\[0\]\.result\.(response|success)"),
    Known(11, judged_in_other_words, paths=r"\[[0n]\]\.result(\.success)?|\[0\]\.generated\.extensions\.success"),
    Known(12, answer_is_no_text, paths=r"\[[0n]\]\.result\.response"),
    Known(13, score_out_of_range, paths=r"\[[0n]\]\.result\.score\.(scaled|min|max)"),
    Known(14, without_points, paths=r"\[[0n]\]\.result\.score\.max"),
    Known(15, at_zero, paths=r"\[0\]\.(result\.extensions\.time|target\.currentTime)"),
    Known(16, problem, failed="KeyError: '(question|answer)'|TypeError: (sequence|argument|Value)"),
    Known(16, always, failed=r"TypeError: unsupported operand type\(s\) for \+|sequence item 0"),
    Known(16, outline, failed="TypeError: Value must be a string"),
    Known(17, without_duration, paths=r"\[0\]\.object\.duration"),
    Known(18, text_for_a_number, failed="TypeError: unsupported type for timedelta"),
    Known(19, server, paths=r"\[0\]\.(type|action|generated|object\.(id|type|extensions)).*"),
    Known(20, server, paths=r"\[0\]\.generated\..*"),
    Known(21, no_object_to_name, refused="missing.*object.id"),
    Known(21, without_hint_index, refused="missing.*object.id"),
    Known(21, question_without_id, refused="missing.*input id"),
    Known(22, no_iri, refused="invalid.*absolute IRI"),
    Known(22, link_with_other_scheme, refused="invalid.*absolute IRI"),
    Known(24, negative, paths=r"\[0\]\.(result\.duration|object\.duration|target\.currentTime)", failed="ISO 8601 duration"),
    Known(24, always, failed="OverflowError: Python int too large"),
    Known(13, points_out_of_range, paths=r"\[0\]\.result(\.score\.(scaled|min|max))?"),
    Known(14, points_unknown_or_none, paths=r"\[0\]\.result\.(success|score\.(max|raw|scaled))", failed="KeyError: 'weighted_"),
    Known(25, always, paths=r".* was empty"),
    Known(
        23, always, paths=r"\[0\]\.(result(\.score)?|generated\.(scoreGiven|maxScore))",
        failed="not supported between|unsupported operand",
    ),
    Known(32, relative_link, paths=r"\[0\]\.object\.id", refused="wrong_type.*expected a URL"),
    Known(33, outline_of_sequence, failed=r"Could not get value for data\.id|dropped"),
    Known(34, link, paths=r"\[0\]\.object\.type"),
    Known(35, completed_problem, paths=r"\[0\]\.object\.(id|definition\.interactionType)"),
    Known(36, exam, failed="Value must be a string|has no attribute 'grouping'"),
    Known(37, exam, paths=r"\[0\]\.(object\.id|context\.contextActivities\.grouping(\[0\]\.id)?)"),
    Known(38, course_grade, paths=r"\[0\]\.result\.extensions\.(grade_)?classification"),
    Known(39, course_grade, paths=r"\[0\]\.result\.score\.(raw|scaled)", failed="KeyError: 'percent_grade'|not subscriptable"),
    Known(40, completion_is_no_share, paths=r"\[0\]\.(result.*|extensions\.completion)", failed="'NoneType' and 'int'|can't multiply"),
    Known(41, new_in_caliper, failed="dropped from caliper"),
    Known(42, id_within_a_part, paths=r"\[0\]\.object\.id"),
    Known(46, posted_problem, failed="'str' object has no attribute 'get'"),
    Known(50, old_name, failed="dropped from"),
    Known(
        50, course_elsewhere, paths=r"\[[0n]\].*(contextActivities|object\.(extensions|id)).*", failed="value for context.course_id"
    ),
    Known(7, always, refused=r"bad_course_key: data\.course_id"),
    Known(22, no_iri, paths=r"\[0\]\.session"),
    Known(52, always, failed="could not convert string to float|Converted to naive"),
    Known(42, forum, refused="wrong_type: data.discussion.id: expected a text or a number"),
    Known(42, forum, failed=r"has no attribute 'grouping'|replace\(\) argument 1 must be str, not (int|float)"),
)  # fmt: skip
