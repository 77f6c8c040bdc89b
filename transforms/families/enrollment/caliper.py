"""Enrolment, and passing or failing a course, as Caliper events about the course (Caliper 1.2, General Profile)."""

from __future__ import annotations

from edx2lrs.transforms.keys.course_key import normal_course_key
from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import EventMapping
from edx2lrs.transforms.mapping.rows import STANDARD, Constant, Row, Rows, Unmappable
from edx2lrs.transforms.mapping.values import absolute

MAPPING_VERSION = 3


def course_iri(root: str, named_in_data: object) -> str | None:
    """``Root/course/<key>`` of the course that the payload names. Raises Unmappable for a text that is no key."""
    key = normal_course_key(str(named_in_data)) if named_in_data else None
    if named_in_data and key is None:
        raise Unmappable("expected a course key such as course-v1:ORG+COURSE+RUN, found another text", "bad_course_key")
    return absolute(root, "course", key)


def mode_extension(mode: object) -> dict[str, object]:
    return {"mode": mode}


ABOUT_THE_COURSE: Rows = (
    Constant(("profile",), terms.GENERAL_PROFILE, STANDARD),
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
