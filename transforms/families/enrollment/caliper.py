"""Enrolment, and passing or failing a course, as Caliper events about the course (Caliper 1.2, General Profile)."""

from __future__ import annotations

from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import EventMapping
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows
from edx2lrs.transforms.mapping.values import absolute

MAPPING_VERSION = 2


def course_iri(root: str, named_in_data: str | None) -> str | None:
    """``Root/course/<key>`` of the course that the payload names."""
    return absolute(root, "course", named_in_data)


def mode_extension(mode: object) -> dict[str, object]:
    return {"mode": mode}


ABOUT_THE_COURSE: Rows = (
    Row(("object", "id"), ("site.root", "data.course_id"), course_iri, required=True),
    Constant(("object", "type"), terms.COURSE_OFFERING),
    Row(("object", "name"), "course.name"),
    Row(("object", "extensions"), "data.mode", mode_extension),
)
CHANGE: Rows = (Constant(("profile",), terms.GENERAL_PROFILE), *ABOUT_THE_COURSE)
"""What event-routing-backends has no Caliper event for: made as its others are."""

MAPPINGS = {
    "edx.course.enrollment.activated": EventMapping(terms.EVENT, terms.ACTIVATED, ABOUT_THE_COURSE),
    "edx.course.enrollment.deactivated": EventMapping(terms.EVENT, terms.DEACTIVATED, ABOUT_THE_COURSE),
    "edx.course.enrollment.mode_changed": EventMapping(terms.EVENT, terms.MODIFIED, CHANGE),
    "edx.course.grade.passed.first_time": EventMapping(terms.EVENT, terms.COMPLETED, ABOUT_THE_COURSE),
    "edx.course.grade.now_passed": EventMapping(terms.EVENT, terms.COMPLETED, CHANGE),
    "edx.course.grade.now_failed": EventMapping(terms.EVENT, terms.RESET, CHANGE),
}
