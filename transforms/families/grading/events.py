"""Grades of subsections and of whole courses, each time that the LMS works one out."""

from __future__ import annotations

from edx2lrs.transforms.event_sources import SITE
from edx2lrs.transforms.fields import BlockKey, EventData, Scalar, SourceEvent


class SubsectionGradeData(EventData, gc=False):
    """Points of a subsection, each problem weighted as its author said."""

    block_id: BlockKey = None
    weighted_total_earned: Scalar = None
    weighted_total_possible: Scalar = None


class CourseGradeData(EventData, gc=False):
    """``percent_grade`` is from 0 to 1; ``letter_grade`` is empty for those who do not pass."""

    percent_grade: Scalar = None
    letter_grade: Scalar = None


EVENTS = {
    "edx.grades.subsection.grade_calculated": SourceEvent("grading", SubsectionGradeData, sources=SITE),
    "edx.grades.course.grade_calculated": SourceEvent("grading", CourseGradeData, sources=SITE),
}
