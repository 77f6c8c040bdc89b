"""Attempts at special exams: timed, practice, proctored."""

from __future__ import annotations

from edx2lrs.transforms.event_sources import SITE
from edx2lrs.transforms.fields import BlockKey, EventData, Scalar, SourceEvent, Text


class ExamData(EventData, gc=False):
    """``exam_content_id`` is the usage key of the exam. ``attempt_code`` is the UUID of an attempt, ``attempt_id`` its number on
    the site. ``attempt_event_elapsed_time_secs``: how long after the attempt's start the event was."""

    exam_content_id: BlockKey = None
    exam_name: Text = None
    exam_default_time_limit_mins: Scalar = None
    attempt_code: Scalar = None
    attempt_id: Scalar = None
    attempt_started_at: Scalar = None
    attempt_completed_at: Scalar = None
    attempt_event_elapsed_time_secs: Scalar = None


EVENTS = {
    "edx.special_exam.timed.attempt.created": SourceEvent("exam", ExamData, sources=SITE),
    "edx.special_exam.timed.attempt.submitted": SourceEvent("exam", ExamData, sources=SITE),
    "edx.special_exam.practice.attempt.created": SourceEvent("exam", ExamData, sources=SITE),
    "edx.special_exam.practice.attempt.submitted": SourceEvent("exam", ExamData, sources=SITE),
    "edx.special_exam.proctored.attempt.created": SourceEvent("exam", ExamData, sources=SITE),
    "edx.special_exam.proctored.attempt.submitted": SourceEvent("exam", ExamData, sources=SITE),
}
