"""Enrolment, and passing or failing a course, as xAPI statements about the course."""

from __future__ import annotations

from edx2lrs.transforms.mapping.rows import Constant, Row, Rows
from edx2lrs.transforms.mapping.xapi_statement import StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import COURSE, ENROLLMENT_MODE, FAILED, PASSED, REGISTERED, UNREGISTERED, definition

MAPPING_VERSION = 2

ABOUT_THE_COURSE: Rows = (
    Row(("object", "id"), "course.id", required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), COURSE),
    Row((*definition("name"), "en"), "course.name"),
    Row((*definition("extensions"), ENROLLMENT_MODE), "data.mode"),
)

MAPPINGS = {
    "edx.course.enrollment.activated": StatementMapping(REGISTERED, ABOUT_THE_COURSE),
    "edx.course.enrollment.mode_changed": StatementMapping(REGISTERED, ABOUT_THE_COURSE),
    "edx.course.enrollment.deactivated": StatementMapping(UNREGISTERED, ABOUT_THE_COURSE),
    "edx.course.grade.passed.first_time": StatementMapping(PASSED, ABOUT_THE_COURSE),
    "edx.course.grade.now_passed": StatementMapping(PASSED, ABOUT_THE_COURSE),
    "edx.course.grade.now_failed": StatementMapping(FAILED, ABOUT_THE_COURSE),
}
