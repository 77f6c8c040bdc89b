"""Grades, completion and special exams in a made-up visit: what the server logs of them."""

from __future__ import annotations

from uuid import UUID

from made_up_families import user_id
from made_up_site import Problem
from made_up_visit import Happening, Maker, Visit

_EXAMS = (("timed", "Mid-term"), ("practice", "Try the proctoring"), ("proctored", "Prüfung: final"))


def subsection_grade(visit: Visit) -> Happening:
    possible = visit.chance.of((1.0, 4.0, 5.0, 0.0))
    earned = round(visit.chance.share() * possible, 2)
    event = {
        "user_id": user_id(visit),
        "course_id": visit.course.key,
        "block_id": visit.usage_key("sequential", visit.chance.of(visit.course.sequences)),
        "course_version": visit.chance.hex32()[:24],
        "weighted_total_earned": earned,
        "weighted_total_possible": possible,
        "weighted_graded_earned": earned,
        "weighted_graded_possible": possible,
        "first_attempted": "2024-03-11 07:00:00+00:00",
        "subtree_edited_timestamp": "2024-03-01 09:00:00+00:00",
        "event_transaction_id": visit.chance.hex32(),
        "event_transaction_type": "edx.grades.problem.submitted",
        "visible_blocks_hash": "k9xNsJp6Dn0=",
    }
    return _by_the_server(visit, "edx.grades.subsection.grade_calculated", event)


def course_grade(visit: Visit) -> Happening:
    percent = round(visit.chance.share(), 2)
    event = {
        "user_id": user_id(visit),
        "course_id": visit.course.key,
        "course_version": visit.chance.hex32()[:24],
        "percent_grade": percent,
        "letter_grade": "Pass" if percent >= 0.5 else "",
        "course_edited_timestamp": "2024-03-01T09:00:00+00:00",
        "event_transaction_id": visit.chance.hex32(),
        "event_transaction_type": "edx.grades.problem.submitted",
        "grading_policy_hash": "2VIwAq8=",
    }
    return _by_the_server(visit, "edx.grades.course.grade_calculated", event)


def completion(visit: Visit) -> Happening:
    problem: Problem = visit.chance.of(visit.course.problems)
    kind, block = visit.chance.of((("html", visit.course.sequences[2]), ("problem", problem.block), ("video", visit.video.block)))
    event = {
        "user_id": user_id(visit),
        "course_id": visit.course.key,
        "context_key": visit.course.key,
        "block_id": visit.usage_key(kind, block),
        "block_type": kind,
        "completion": visit.chance.of((1.0, 1.0, 1.0, 0.5, 0.0)),
    }
    return _by_the_server(visit, "edx.completion.block_completion.changed", event)


def exam(visit: Visit) -> Happening:
    kind, name = visit.chance.of(_EXAMS)
    word = visit.chance.of(("created", "submitted"))
    started, ended = "2024-03-11T06:00:00.512000+00:00", "2024-03-11T07:12:30.062000+00:00"
    event = {
        "exam_id": 1,
        "exam_content_id": visit.usage_key("sequential", visit.course.sequences[1]),
        "exam_name": name,
        "exam_default_time_limit_mins": 90,
        "exam_is_proctored": kind != "timed",
        "exam_is_practice_exam": kind == "practice",
        "exam_is_active": True,
        "attempt_id": 1 + visit.chance.below(400),
        "attempt_user_id": user_id(visit),
        "attempt_started_at": started,
        "attempt_completed_at": ended if word == "submitted" else None,
        "attempt_code": str(UUID(visit.chance.hex32())).upper(),
        "attempt_allowed_time_limit_mins": 90,
        "attempt_status": word,
        "attempt_event_elapsed_time_secs": 4349.55 if word == "submitted" else 0.0,
    }
    return Happening(f"edx.special_exam.{kind}.attempt.{word}", "server", event, "/api/edx_proctoring/v1/proctored_exam/attempt")


def _by_the_server(visit: Visit, name: str, event: dict[str, object]) -> Happening:
    return Happening(name, "server", event, f"/courses/{visit.course.key}/xblock/")


GRADES: tuple[tuple[float, Maker], ...] = (
    (1.0, subsection_grade),
    (0.8, course_grade),
    (1.0, completion),
    (0.2, exam),
)
