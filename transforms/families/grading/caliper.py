"""Grades of subsections and courses as Caliper events (Caliper 1.2, Grading Profile).

The LMS graded: for automatic grading the profile asks for the software as the actor. The learner is the attempt's assignee.
"""

from __future__ import annotations

from edx2lrs.transforms.families.grading.shared import classification
from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import OF_COURSE, EventMapping, attempts_at, decimal, is_part_of, lms
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Row, Rows
from edx2lrs.transforms.mapping.usage_key import xblock_iri
from edx2lrs.transforms.mapping.values import number

MAPPING_VERSION = 2


def attempt_at_subsection(root: str, key: object, anonymous_id: str) -> str | None:
    """``Root/xblock/<key>/user/<id>/attempt``: all that a learner did in a subsection."""
    return attempts_at(xblock_iri(root, key), anonymous_id)


def score_of_subsection(root: str, key: object, anonymous_id: str) -> str:
    return f"{attempt_at_subsection(root, key, anonymous_id)}/score"


def score_of_course(iri: str | None, anonymous_id: str) -> str:
    return f"{attempts_at(iri, anonymous_id)}/score"


_SUBSECTION = ("site.root", "data.block_id", "actor.anonymous_id")
_COURSE = ("course.id", "actor.anonymous_id")

GRADE: Rows = (
    Constant(("profile",), terms.GRADING_PROFILE),
    Row(("actor",), "site.root", lms),
    Row(("group",), "course.id", is_part_of),
    Constant(("object", "type"), terms.ATTEMPT),
    Row(("object", "assignee"), "actor.person"),
    *OF_COURSE,
    Constant(("generated", "type"), terms.SCORE),
)
SUBSECTION: Rows = (
    *GRADE,
    Row(("object", "id"), _SUBSECTION, attempt_at_subsection, required=True),
    Row(("object", "assignable", "id"), ("site.root", "data.block_id"), xblock_iri),
    Constant(("object", "assignable", "type"), terms.ASSIGNABLE_DIGITAL_RESOURCE),
    Row(("generated", "id"), _SUBSECTION, score_of_subsection),
    Row(("generated", "attempt"), "object.id"),
    Row(("generated", "scoreGiven"), "data.weighted_total_earned", number, dialects=AS_ERB),
    Row(("generated", "maxScore"), "data.weighted_total_possible", number, dialects=AS_ERB),
    Row(("generated", "scoreGiven"), "data.weighted_total_earned", decimal, dialects=STANDARD),
    Row(("generated", "maxScore"), "data.weighted_total_possible", decimal, dialects=STANDARD),
)
WHOLE_COURSE: Rows = (
    *GRADE,
    Row(("object", "id"), _COURSE, attempts_at, required=True),
    Row(("generated", "id"), _COURSE, score_of_course),
    Row(("generated", "attempt"), "object.id"),
    Row(("generated", "scoreGiven"), "data.percent_grade", number, dialects=AS_ERB),
    Constant(("generated", "maxScore"), 1, AS_ERB),
    Row(("generated", "scoreGiven"), "data.percent_grade", decimal, dialects=STANDARD),
    Constant(("generated", "maxScore"), 1.0, STANDARD),
    Row(("generated", "extensions", "letterGrade"), ("data.letter_grade",), classification),
)

MAPPINGS = {
    "edx.grades.subsection.grade_calculated": EventMapping(terms.GRADE_EVENT, terms.GRADED, SUBSECTION),
    "edx.grades.course.grade_calculated": EventMapping(terms.GRADE_EVENT, terms.GRADED, WHOLE_COURSE),
}
