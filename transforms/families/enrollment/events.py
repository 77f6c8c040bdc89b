"""Course enrolment, and passing or failing a course."""

from __future__ import annotations

from edx2lrs.transforms.event_sources import SITE
from edx2lrs.transforms.fields import CourseKey, EventData, Scalar, SourceEvent


class EnrollmentData(EventData, gc=False):
    """``mode`` is the enrolment's track (audit, verified, ...); ``course_id`` the course that the payload names."""

    mode: Scalar = None
    course_id: CourseKey = None


EVENTS = {
    "edx.course.enrollment.activated": SourceEvent("enrollment", EnrollmentData, sources=SITE),
    "edx.course.enrollment.deactivated": SourceEvent("enrollment", EnrollmentData, sources=SITE),
    "edx.course.enrollment.mode_changed": SourceEvent("enrollment", EnrollmentData, sources=SITE),
    "edx.course.grade.passed.first_time": SourceEvent("enrollment", EnrollmentData, sources=SITE),
    "edx.course.grade.now_passed": SourceEvent("enrollment", EnrollmentData, sources=SITE),
    "edx.course.grade.now_failed": SourceEvent("enrollment", EnrollmentData, sources=SITE),
}
