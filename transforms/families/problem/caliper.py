"""Submitted and graded problems as Caliper events (Caliper 1.2, Assessment and Grading Profiles)."""

from __future__ import annotations

from typing import Any

from edx2lrs.transforms.event_sources import is_posted
from edx2lrs.transforms.families.problem.shared import FORM, NO_FORM, PROBLEM, problem_iri, problem_iri_of_form
from edx2lrs.transforms.mapping.caliper_event import AN_ATTEMPT, IN_COURSE, EventMapping, decimal, is_part_of, lms
from edx2lrs.transforms.mapping.caliper_vocabulary import (
    ASSESSMENT,
    ASSESSMENT_EVENT,
    ASSESSMENT_PROFILE,
    ATTEMPT,
    GRADE_EVENT,
    GRADED,
    GRADING_PROFILE,
    SCORE,
    SUBMITTED,
)
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Derived, Row, Rows, Unmappable, VariantMapping
from edx2lrs.transforms.mapping.values import number, success

MAPPING_VERSION = 2


def kind(source: object, form: str | None) -> str:
    """``graded`` when the server sent it, else ``submitted``, or ``submitted_form`` for a payload that is a form's text. Raises
    Unmappable where a server's payload is a text."""
    if is_posted(source):
        return "submitted" if form is None else "submitted_form"
    if form is not None:
        raise Unmappable(NO_FORM)
    return "graded"


def attempt_iri(
    root: str, problem_id: object, module_id: object, block: object, referrer: object, anonymous_id: str, attempts: object
) -> str | None:
    """``<problem>/user/<id>/attempt/<number>``."""
    problem = problem_iri(root, problem_id, module_id, block, referrer)
    return f"{problem}/user/{anonymous_id}/attempt/{'' if attempts is None else attempts}" if problem else None


def count(attempts: object) -> int | None:
    """The number of an attempt, a whole number from 1 (Caliper 1.2, Attempt); None for another value."""
    return attempts if type(attempts) is int and attempts > 0 else None


def assessment(root: str, problem_id: object, module_id: object, block: object, referrer: object) -> dict[str, Any] | None:
    problem = problem_iri(root, problem_id, module_id, block, referrer)
    return {"id": problem, "type": ASSESSMENT} if problem else None


def score_iri(attempt: str) -> str:
    """``<attempt>/score``."""
    return f"{attempt}/score"


def success_text(value: object) -> str | None:
    """``True`` or ``False``, in words."""
    judged = success(value)
    return None if judged is None else str(judged)


SUBMITTED_PROBLEM: Rows = (
    Constant(("profile",), ASSESSMENT_PROFILE, STANDARD),
    Row(("object", "id"), PROBLEM, problem_iri, required=True),
    Constant(("object", "type"), ASSESSMENT),
    *IN_COURSE,
    *AN_ATTEMPT,
)
SUBMITTED_FORM: Rows = (*SUBMITTED_PROBLEM, Row(("object", "id"), FORM, problem_iri_of_form, required=True))
GRADED_PROBLEM: Rows = (
    Constant(("profile",), GRADING_PROFILE, STANDARD),
    Row(("actor",), "site.root", lms, dialects=STANDARD),  # Grading Profile: the software, where software graded
    Row(("object", "id"), (*PROBLEM, "actor.anonymous_id", "data.attempts"), attempt_iri, required=True),
    Constant(("object", "type"), ATTEMPT),
    Row(("object", "extensions", "isPartOf"), "course.id", is_part_of, dialects=AS_ERB),
    Row(("object", "extensions", "assignee"), "actor.person", dialects=AS_ERB),
    Row(("object", "extensions", "assignable"), PROBLEM, assessment, dialects=AS_ERB),
    Row(("object", "extensions", "count"), "data.attempts", dialects=AS_ERB),
    Row(("object", "assignee"), "actor.person", dialects=STANDARD),
    Row(("object", "assignable", "id"), PROBLEM, problem_iri, dialects=STANDARD),
    Constant(("object", "assignable", "type"), ASSESSMENT, STANDARD),
    Row(("object", "assignable", "isPartOf"), "course.id", is_part_of, dialects=STANDARD),
    Row(("object", "count"), "data.attempts", count, dialects=STANDARD),
    Constant(("generated", "id"), "_:score", AS_ERB),
    Row(("generated", "id"), "object.id", score_iri, dialects=STANDARD),
    Constant(("generated", "type"), SCORE),
    Row(("generated", "attempt"), "object.id", dialects=STANDARD),
    Row(("generated", "maxScore"), "data.max_grade", number, dialects=AS_ERB),
    Row(("generated", "scoreGiven"), "data.grade", number, dialects=AS_ERB),
    Row(("generated", "maxScore"), "data.max_grade", decimal, dialects=STANDARD),
    Row(("generated", "scoreGiven"), "data.grade", decimal, dialects=STANDARD),
    Row(("generated", "extensions", "attempts"), "data.attempts"),
    Row(("generated", "extensions", "success"), "data.success", success_text),
)

MAPPINGS = {
    "problem_check": VariantMapping(
        Derived(("source", "data.text"), kind),
        {
            "submitted": EventMapping(ASSESSMENT_EVENT, SUBMITTED, SUBMITTED_PROBLEM),
            "submitted_form": EventMapping(ASSESSMENT_EVENT, SUBMITTED, SUBMITTED_FORM),
            "graded": EventMapping(GRADE_EVENT, GRADED, GRADED_PROBLEM),
        },
    )
}
