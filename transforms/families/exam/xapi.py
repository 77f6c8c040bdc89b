"""Attempts at special exams as xAPI statements about the exam; the attempt is a grouping."""

from __future__ import annotations

from typing import Any

from edx2lrs.transforms.families.exam.shared import attempt_iri
from edx2lrs.transforms.mapping import xapi_vocabulary as terms
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows
from edx2lrs.transforms.mapping.usage_key import xblock_iri
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import definition

MAPPING_VERSION = 2


def attempt(
    root: str, exam: object, code: object, number: object, name: str | None, started: object, completed: object, elapsed: object
) -> list[dict[str, Any]] | None:
    """The attempt as an activity, in an array (xAPI 1.0.3, 2.4.6.2); None where nothing identifies it."""
    iri = attempt_iri(root, exam, code, number)
    if iri is None:
        return None
    about: dict[str, Any] = {"type": terms.ATTEMPT}
    if name:
        about["name"] = {"en": name}
    told = {terms.ATTEMPT_STARTED: started, terms.ATTEMPT_COMPLETED: completed, terms.DURATION: elapsed, terms.ATTEMPT_ID: number}
    extensions = {key: value for key, value in told.items() if value is not None and value != ""}
    if extensions:
        about["extensions"] = extensions
    return [{"id": iri, "objectType": "Activity", "definition": about}]


ABOUT_THE_EXAM: Rows = (
    Row(("object", "id"), ("site.root", "data.exam_content_id"), xblock_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Row((*definition("name"), "en"), "data.exam_name"),
    Row((*definition("extensions"), terms.TIME_LIMIT), "data.exam_default_time_limit_mins"),
    *IN_COURSE,
    Row(
        ("context", "contextActivities", "grouping"),
        (
            "site.root", "data.exam_content_id", "data.attempt_code", "data.attempt_id", "data.exam_name",
            "data.attempt_started_at", "data.attempt_completed_at", "data.attempt_event_elapsed_time_secs",
        ),
        attempt,
    ),
)
TIMED: Rows = (Constant(definition("type"), terms.TIMED_ASSESSMENT), *ABOUT_THE_EXAM)
PRACTICE: Rows = (Constant(definition("type"), terms.PRACTICE_ASSESSMENT), *ABOUT_THE_EXAM)
PROCTORED: Rows = (Constant(definition("type"), terms.PROCTORED_ASSESSMENT), *ABOUT_THE_EXAM)

MAPPINGS = {
    "edx.special_exam.timed.attempt.created": StatementMapping(terms.INITIALIZED, TIMED),
    "edx.special_exam.timed.attempt.submitted": StatementMapping(terms.TERMINATED, TIMED),
    "edx.special_exam.practice.attempt.created": StatementMapping(terms.INITIALIZED, PRACTICE),
    "edx.special_exam.practice.attempt.submitted": StatementMapping(terms.TERMINATED, PRACTICE),
    "edx.special_exam.proctored.attempt.created": StatementMapping(terms.INITIALIZED, PROCTORED),
    "edx.special_exam.proctored.attempt.submitted": StatementMapping(terms.TERMINATED, PROCTORED),
}
