"""The terms of our Caliper 1.2 events."""

from __future__ import annotations

CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"

ACTIVATED = "Activated"
DEACTIVATED = "Deactivated"
COMPLETED = "Completed"
STARTED = "Started"
RESUMED = "Resumed"
PAUSED = "Paused"
ENDED = "Ended"
JUMPED_TO = "JumpedTo"
ENABLED_CLOSED_CAPTIONING = "EnabledClosedCaptioning"
DISABLED_CLOSED_CAPTIONING = "DisabledClosedCaptioning"
CHANGED_SPEED = "ChangedSpeed"
SUBMITTED = "Submitted"
GRADED = "Graded"

EVENT = "Event"
MEDIA_EVENT = "MediaEvent"
ASSESSMENT_EVENT = "AssessmentEvent"
GRADE_EVENT = "GradeEvent"

ASSESSMENT = "Assessment"
ATTEMPT = "Attempt"
COURSE_OFFERING = "CourseOffering"
MEDIA_LOCATION = "MediaLocation"
PERSON = "Person"
SCORE = "Score"
SESSION = "Session"
VIDEO_OBJECT = "VideoObject"
