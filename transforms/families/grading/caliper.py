"""Grades of subsections and courses as Caliper events (Caliper 1.2, Grading Profile).

The LMS graded: for automatic grading the profile asks for the software as the actor. The learner is the attempt's assignee.
"""

from __future__ import annotations

from edx2lrs.transforms.families.grading.shared import classification
from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import EventMapping, is_part_of
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows
from edx2lrs.transforms.mapping.usage_key import xblock_iri
from edx2lrs.transforms.mapping.values import number

MAPPING_VERSION = 1


def lms(root: str) -> dict[str, str]:
    return {"id": root, "type": terms.SOFTWARE_APPLICATION}


def attempt_at_subsection(root: str, key: object, anonymous_id: str) -> str | None:
    """``Root/xblock/<key>/user/<id>/attempt``: all that a learner did in a subsection."""
    return attempt_at_course(xblock_iri(root, key), anonymous_id)


def attempt_at_course(iri: str | None, anonymous_id: str) -> str | None:
    """``Root/course/<key>/user/<id>/attempt``."""
    return f"{iri}/user/{anonymous_id}/attempt" if iri else None


def score_of_subsection(root: str, key: object, anonymous_id: str) -> str:
    return f"{attempt_at_subsection(root, key, anonymous_id)}/score"


def score_of_course(iri: str | None, anonymous_id: str) -> str:
    return f"{attempt_at_course(iri, anonymous_id)}/score"


_SUBSECTION = ("site.root", "data.block_id", "actor.anonymous_id")
_COURSE = ("course.id", "actor.anonymous_id")

GRADE: Rows = (
    Constant(("profile",), terms.GRADING_PROFILE),
    Row(("actor",), "site.root", lms),
    Row(("group",), "course.id", is_part_of),
    Constant(("object", "type"), terms.ATTEMPT),
    Row(("object", "assignee"), "actor.person"),
    Row(("object", "extensions", "isPartOf"), "course.id", is_part_of),
    Constant(("generated", "type"), terms.SCORE),
)
SUBSECTION: Rows = (
    *GRADE,
    Row(("object", "id"), _SUBSECTION, attempt_at_subsection, required=True),
    Row(("object", "assignable", "id"), ("site.root", "data.block_id"), xblock_iri),
    Constant(("object", "assignable", "type"), terms.ASSIGNABLE_DIGITAL_RESOURCE),
    Row(("generated", "id"), _SUBSECTION, score_of_subsection),
    Row(("generated", "attempt"), _SUBSECTION, attempt_at_subsection),
    Row(("generated", "scoreGiven"), "data.weighted_total_earned", number),
    Row(("generated", "maxScore"), "data.weighted_total_possible", number),
)
WHOLE_COURSE: Rows = (
    *GRADE,
    Row(("object", "id"), _COURSE, attempt_at_course, required=True),
    Row(("generated", "id"), _COURSE, score_of_course),
    Row(("generated", "attempt"), _COURSE, attempt_at_course),
    Row(("generated", "scoreGiven"), "data.percent_grade", number),
    Constant(("generated", "maxScore"), 1),
    Row(("generated", "extensions", "letterGrade"), ("data.letter_grade",), classification),
)

MAPPINGS = {
    "edx.grades.subsection.grade_calculated": EventMapping(terms.GRADE_EVENT, terms.GRADED, SUBSECTION),
    "edx.grades.course.grade_calculated": EventMapping(terms.GRADE_EVENT, terms.GRADED, WHOLE_COURSE),
}
