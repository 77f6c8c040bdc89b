"""Submitted and graded problems as Caliper events (Caliper 1.2, Assessment and Grading Profiles)."""

from __future__ import annotations

from typing import Any

from edx2lrs.transforms.families.problem.shared import FORM, NO_FORM, PROBLEM, problem_iri, problem_iri_of_form
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping, is_part_of
from edx2lrs.transforms.mapping.caliper_vocabulary import ASSESSMENT, ASSESSMENT_EVENT, ATTEMPT, GRADE_EVENT, GRADED, SCORE, SUBMITTED
from edx2lrs.transforms.mapping.rows import Constant, Derived, Row, Rows, Unmappable, VariantMapping
from edx2lrs.transforms.mapping.values import number, success

MAPPING_VERSION = 1


def kind(source: object, form: str | None) -> str:
    """``graded`` when the server sent it, else ``submitted``, or ``submitted_form`` for a payload that is a form's text. Raises
    Unmappable where a server's payload is a text."""
    if source != "server":
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


def assessment(root: str, problem_id: object, module_id: object, block: object, referrer: object) -> dict[str, Any] | None:
    problem = problem_iri(root, problem_id, module_id, block, referrer)
    return {"id": problem, "type": ASSESSMENT} if problem else None


def success_text(value: object) -> str | None:
    """``True`` or ``False``, in words."""
    judged = success(value)
    return None if judged is None else str(judged)


SUBMITTED_PROBLEM: Rows = (
    Row(("object", "id"), PROBLEM, problem_iri, required=True),
    Constant(("object", "type"), ASSESSMENT),
    *IN_COURSE,
)
SUBMITTED_FORM: Rows = (*SUBMITTED_PROBLEM, Row(("object", "id"), FORM, problem_iri_of_form, required=True))
GRADED_PROBLEM: Rows = (
    Row(("object", "id"), (*PROBLEM, "actor.anonymous_id", "data.attempts"), attempt_iri, required=True),
    Constant(("object", "type"), ATTEMPT),
    Row(("object", "extensions", "isPartOf"), "course.id", is_part_of),
    Row(("object", "extensions", "assignee"), "actor.person"),
    Row(("object", "extensions", "assignable"), PROBLEM, assessment),
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
        Derived(("source", "data.text"), kind),
        {
            "submitted": EventMapping(ASSESSMENT_EVENT, SUBMITTED, SUBMITTED_PROBLEM),
            "submitted_form": EventMapping(ASSESSMENT_EVENT, SUBMITTED, SUBMITTED_FORM),
            "graded": EventMapping(GRADE_EVENT, GRADED, GRADED_PROBLEM),
        },
    )
}
