"""Attempts at special exams as Caliper events (Caliper 1.2, Assessment Profile)."""

from __future__ import annotations

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.exam.shared import attempt_iri
from edx2lrs.transforms.families.video.caliper import duration
from edx2lrs.transforms.formats.json_text import Json
from edx2lrs.transforms.formats.times import caliper_time, canonical_time
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping, is_part_of
from edx2lrs.transforms.mapping.caliper_vocabulary import ASSESSMENT, ASSESSMENT_EVENT, ASSESSMENT_PROFILE, ATTEMPT, STARTED, SUBMITTED
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows, Unmappable
from edx2lrs.transforms.mapping.usage_key import xblock_iri

MAPPING_VERSION = 2


def attempt(root: str, exam: object, code: object, number: object, anonymous_id: str) -> str:
    """The attempt's id, the same as in xAPI. Where nothing identifies it: that of all that the learner did in the exam."""
    return attempt_iri(root, exam, code, number) or f"{xblock_iri(root, exam)}/user/{anonymous_id}/attempt"


def moment(value: object) -> Json:
    """A time in Caliper's form."""
    time = canonical_time(value)
    if isinstance(time, Refusal):
        raise Unmappable(time.message.removeprefix("timestamp: "), time.cause)
    return caliper_time(time)


ABOUT_THE_EXAM: Rows = (
    Constant(("profile",), ASSESSMENT_PROFILE),
    Row(("group",), "course.id", is_part_of),
    Row(("object", "id"), ("site.root", "data.exam_content_id"), xblock_iri, required=True),
    Constant(("object", "type"), ASSESSMENT),
    Row(("object", "name"), "data.exam_name"),
    *IN_COURSE,
    Row(("object", "extensions", "timeLimitMinutes"), "data.exam_default_time_limit_mins"),
    Row(
        ("generated", "id"),
        ("site.root", "data.exam_content_id", "data.attempt_code", "data.attempt_id", "actor.anonymous_id"),
        attempt,
    ),
    Constant(("generated", "type"), ATTEMPT),
    Row(("generated", "assignee"), "actor.person"),
    Row(("generated", "assignable"), ("site.root", "data.exam_content_id"), xblock_iri),
    Row(("generated", "startedAtTime"), "data.attempt_started_at", moment),
    Row(("generated", "endedAtTime"), "data.attempt_completed_at", moment),
)
ENDED: Rows = (*ABOUT_THE_EXAM, Row(("generated", "duration"), "data.attempt_event_elapsed_time_secs", duration))
TIMED = (Constant(("object", "keywords"), ["timed"]),)
PRACTICE = (Constant(("object", "keywords"), ["practice"]),)
PROCTORED = (Constant(("object", "keywords"), ["proctored"]),)

MAPPINGS = {
    "edx.special_exam.timed.attempt.created": EventMapping(ASSESSMENT_EVENT, STARTED, (*ABOUT_THE_EXAM, *TIMED)),
    "edx.special_exam.timed.attempt.submitted": EventMapping(ASSESSMENT_EVENT, SUBMITTED, (*ENDED, *TIMED)),
    "edx.special_exam.practice.attempt.created": EventMapping(ASSESSMENT_EVENT, STARTED, (*ABOUT_THE_EXAM, *PRACTICE)),
    "edx.special_exam.practice.attempt.submitted": EventMapping(ASSESSMENT_EVENT, SUBMITTED, (*ENDED, *PRACTICE)),
    "edx.special_exam.proctored.attempt.created": EventMapping(ASSESSMENT_EVENT, STARTED, (*ABOUT_THE_EXAM, *PROCTORED)),
    "edx.special_exam.proctored.attempt.submitted": EventMapping(ASSESSMENT_EVENT, SUBMITTED, (*ENDED, *PROCTORED)),
}
