"""Submitted and graded problems as Caliper events (Caliper 1.2, Assessment and Grading Profiles)."""

from __future__ import annotations

from typing import Any

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.problem.events import ProblemCheckData, ProblemContext
from edx2lrs.transforms.families.problem.shared import problem_iri
from edx2lrs.transforms.fields import EventData
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping, VariantMapping, is_part_of
from edx2lrs.transforms.mapping.caliper_vocabulary import ASSESSMENT, ASSESSMENT_EVENT, ATTEMPT, GRADE_EVENT, GRADED, SCORE, SUBMITTED
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows, Unmappable
from edx2lrs.transforms.mapping.values import number, success

MAPPING_VERSION = 1


def kind(event: Event) -> str:
    """``graded`` when the server sent it, else ``submitted``. Raises Unmappable where a server's payload is a text."""
    if event.source != "server":
        return "submitted"
    if not isinstance(event.data, ProblemCheckData):
        raise Unmappable("data: expected an object, found a text; only browsers send one")
    return "graded"


def attempt_iri(
    root: str,
    data: ProblemCheckData,
    context: ProblemContext,
    course_key: str | None,
    referrer: object,
    anonymous_id: str,
) -> str | None:
    """``<problem>/user/<id>/attempt/<number>``."""
    problem = problem_iri(root, data, context, course_key, referrer)
    attempts = "" if data.attempts is None else data.attempts
    return f"{problem}/user/{anonymous_id}/attempt/{attempts}" if problem else None


def assessment(
    root: str, data: EventData, context: ProblemContext, course_key: str | None, referrer: object
) -> dict[str, Any] | None:
    problem = problem_iri(root, data, context, course_key, referrer)
    return {"id": problem, "type": ASSESSMENT} if problem else None


def success_text(value: object) -> str | None:
    """``True`` or ``False``, in words."""
    judged = success(value)
    return None if judged is None else str(judged)


_PROBLEM = ("site.root", "data", "context", "course_id", "referrer")

SUBMITTED_PROBLEM: Rows = (
    Row(("object", "id"), _PROBLEM, problem_iri, required=True),
    Constant(("object", "type"), ASSESSMENT),
    *IN_COURSE,
)
GRADED_PROBLEM: Rows = (
    Row(("object", "id"), (*_PROBLEM, "actor.anonymous_id"), attempt_iri, required=True),
    Constant(("object", "type"), ATTEMPT),
    Row(("object", "extensions", "isPartOf"), "course.id", is_part_of),
    Row(("object", "extensions", "assignee"), "actor.person"),
    Row(("object", "extensions", "assignable"), _PROBLEM, assessment),
    Row(("object", "extensions", "count"), "data.attempts"),
    Constant(("generated", "id"), "_:score"),
    Constant(("generated", "type"), SCORE),
    Row(("generated", "maxScore"), "data.max_grade", number),
    Row(("generated", "scoreGiven"), "data.grade", number),
    Row(("generated", "extensions", "attempts"), "data.attempts"),
    Row(("generated", "extensions", "success"), "data.success", success_text),
)

MAPPINGS = {
    "problem_check": VariantMapping(
        kind,
        {
            "submitted": EventMapping(ASSESSMENT_EVENT, SUBMITTED, SUBMITTED_PROBLEM),
            "graded": EventMapping(GRADE_EVENT, GRADED, GRADED_PROBLEM),
        },
    ),
}
