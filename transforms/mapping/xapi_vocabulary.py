"""The terms of our xAPI statements: verbs, activity types, extensions. Their models are tincan's (``tests/transforms``)."""

from __future__ import annotations

from typing import Any


def _verb(namespace: str, word: str) -> dict[str, Any]:
    # this order of keys is part of the statement id (transforms.mapping.statement_id)
    return {"id": namespace + word, "display": {"en": word}}


_ADL = "http://adlnet.gov/expapi/verbs/"
_TINCAN = "http://id.tincanapi.com/verb/"
_ACROSSX = "https://w3id.org/xapi/acrossx/verbs/"
_VIDEO = "https://w3id.org/xapi/video/verbs/"
_DOD_ISD = "https://w3id.org/xapi/dod-isd/verbs/"
_OPENEDX = "https://w3id.org/xapi/openedx/verb/"

REGISTERED = _verb(_ADL, "registered")
UNREGISTERED = _verb(_TINCAN, "unregistered")
PASSED = _verb(_ADL, "passed")
FAILED = _verb(_ADL, "failed")
ATTEMPTED = _verb(_ADL, "attempted")
EVALUATED = _verb(_ACROSSX, "evaluated")
ASKED = _verb(_ADL, "asked")
INITIALIZED = _verb(_ADL, "initialized")
INTERACTED = _verb(_ADL, "interacted")
COMPLETED = _verb(_ADL, "completed")
PROGRESSED = _verb(_ADL, "progressed")
EARNED = _verb(_TINCAN, "earned")
TERMINATED = _verb(_ADL, "terminated")
PLAYED = _verb(_VIDEO, "played")
PAUSED = _verb(_VIDEO, "paused")
SEEKED = _verb(_VIDEO, "seeked")
POSTED = _verb(_ACROSSX, "posted")
VIEWED = _verb(_TINCAN, "viewed")
EDITED = _verb(_ACROSSX, "edited")
DELETED = _verb(_DOD_ISD, "deleted")
REPORTED = _verb(_ACROSSX, "reported")
UNREPORTED = _verb(_OPENEDX, "unreported")
VOTED = _verb(_OPENEDX, "voted")
NAVIGATED = _verb(_DOD_ISD, "navigated")

COURSE = "http://adlnet.gov/expapi/activities/course"
CMI_INTERACTION = "http://adlnet.gov/expapi/activities/cmi.interaction"
VIDEO = "https://w3id.org/xapi/video/activity-type/video"
QUESTION = "http://adlnet.gov/expapi/activities/question"
SOLUTION = "http://id.tincanapi.com/activitytype/solution"
SUPPLEMENTAL_INFO = "https://w3id.org/xapi/acrossx/extensions/supplemental-info"
LINK = "http://adlnet.gov/expapi/activities/link"
MODULE = "http://adlnet.gov/expapi/activities/module"
RESOURCE = "http://id.tincanapi.com/activitytype/resource"
DISCUSSION = "http://id.tincanapi.com/activitytype/discussion"
ATTEMPT = "http://adlnet.gov/expapi/activities/attempt"
TIMED_ASSESSMENT = "https://w3id.org/xapi/openedx/activity/timed-assessment"
PRACTICE_ASSESSMENT = "https://w3id.org/xapi/openedx/activity/practice-assessment"
PROCTORED_ASSESSMENT = "https://w3id.org/xapi/openedx/activity/proctored-assessment"

TRANSFORMER_VERSION = "https://w3id.org/xapi/openedx/extension/transformer-version"
SESSION_ID = "https://w3id.org/xapi/openedx/extensions/session-id"
ENROLLMENT_MODE = "https://w3id.org/xapi/acrossx/extensions/type"
THREAD_TYPE = "https://w3id.org/xapi/acrossx/extensions/type"
VOTE_VALUE = "https://w3id.org/xapi/acrossx/extensions/type"
ATTEMPT_ID = "http://id.tincanapi.com/extension/attempt-id"
TOTAL_ITEMS = "https://w3id.org/xapi/acrossx/extensions/total-items"
STARTING_POSITION = "http://id.tincanapi.com/extension/starting-position"
ENDING_POINT = "http://id.tincanapi.com/extension/ending-point"
ATTEMPT_STARTED = "https://w3id.org/xapi/openedx/extension/attempt-started"
ATTEMPT_COMPLETED = "https://w3id.org/xapi/openedx/extension/attempt-completed"
DURATION = "http://id.tincanapi.com/extension/duration"
TIME_LIMIT = "https://w3id.org/xapi/acrossx/extensions/time-limit"
GRADE_CLASSIFICATION = "http://www.tincanapi.co.uk/extensions/result/classification"
GRADE_CLASSIFICATION_OF_ASPECTS = "http://www.tincanapi.co.uk/activitytypes/grade_classification"
"""The key that the SQL of Aspects reads, and that event-routing-backends writes: the IRI of an activity type."""
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
VIDEO_LENGTH = "https://w3id.org/xapi/video/extensions/length"
VIDEO_TIME = "https://w3id.org/xapi/video/extensions/time"
VIDEO_TIME_FROM = "https://w3id.org/xapi/video/extensions/time-from"
VIDEO_TIME_TO = "https://w3id.org/xapi/video/extensions/time-to"
VIDEO_CC_ENABLED = "https://w3id.org/xapi/video/extensions/cc-enabled"
VIDEO_CC_SUBTITLE_ENABLED = "https://w3id.org/xapi/video/extensions/cc-subtitle-enabled"
VIDEO_CC_SUBTITLE_LANGUAGE = "https://w3id.org/xapi/video/extensions/cc-subtitle-lang"
VIDEO_SPEED = "https://w3id.org/xapi/video/extensions/speed"
SPEED_FROM = "https://w3id.org/xapi/openedx/extension/speed-from"
SPEED_TO = "https://w3id.org/xapi/openedx/extension/speed-to"

PROFILE = "http://adlnet.gov/expapi/activities/profile"
VIDEO_PROFILE: list[dict[str, Any]] = [{"id": "https://w3id.org/xapi/video", "objectType": "Activity", "definition": {"type": PROFILE}}]
"""The category of every statement of the xAPI video profile (2.0, Statement data model)."""

INTERACTION_TYPES = {
    "choiceresponse": "choice",
    "multiplechoiceresponse": "choice",
    "choicetextresponse": "choice",
    "optionresponse": "choice",
    "numericalresponse": "numeric",
    "stringresponse": "fill-in",
    "formularesponse": "fill-in",
    "annotationresponse": "fill-in",
    "symbolicresponse": "fill-in",
    "imageresponse": "matching",
    "truefalseresponse": "true-false",
}
"""Open edX's response type to the interaction type (xAPI 1.0.3, 2.4.4.1); all others are ``other``."""


def result_extension(iri: str) -> tuple[str, str, str]:
    return ("result", "extensions", iri)


def context_extension(iri: str) -> tuple[str, str, str]:
    return ("context", "extensions", iri)


def definition(key: str) -> tuple[str, str, str]:
    return ("object", "definition", key)
