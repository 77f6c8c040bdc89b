"""The terms of our xAPI statements: verbs, activity types, extensions. Their models are tincan's (``tests/transforms``)."""

from __future__ import annotations

from typing import Any


def _verb(namespace: str, word: str) -> dict[str, Any]:
    # this order of keys is part of the statement id (transforms.statement_id)
    return {"id": namespace + word, "display": {"en": word}}


_ADL = "http://adlnet.gov/expapi/verbs/"
_TINCAN = "http://id.tincanapi.com/verb/"
_ACROSSX = "https://w3id.org/xapi/acrossx/verbs/"
_VIDEO = "https://w3id.org/xapi/video/verbs/"

REGISTERED = _verb(_ADL, "registered")
UNREGISTERED = _verb(_TINCAN, "unregistered")
PASSED = _verb(_ADL, "passed")
FAILED = _verb(_ADL, "failed")
ATTEMPTED = _verb(_ADL, "attempted")
EVALUATED = _verb(_ACROSSX, "evaluated")
INITIALIZED = _verb(_ADL, "initialized")
INTERACTED = _verb(_ADL, "interacted")
COMPLETED = _verb(_ADL, "completed")
TERMINATED = _verb(_ADL, "terminated")
PLAYED = _verb(_VIDEO, "played")
PAUSED = _verb(_VIDEO, "paused")
SEEKED = _verb(_VIDEO, "seeked")

COURSE = "http://adlnet.gov/expapi/activities/course"
CMI_INTERACTION = "http://adlnet.gov/expapi/activities/cmi.interaction"
VIDEO = "https://w3id.org/xapi/video/activity-type/video"

TRANSFORMER_VERSION = "https://w3id.org/xapi/openedx/extension/transformer-version"
SESSION_ID = "https://w3id.org/xapi/openedx/extensions/session-id"
ENROLLMENT_MODE = "https://w3id.org/xapi/acrossx/extensions/type"
ATTEMPT_ID = "http://id.tincanapi.com/extension/attempt-id"
VIDEO_LENGTH = "https://w3id.org/xapi/video/extensions/length"
VIDEO_TIME = "https://w3id.org/xapi/video/extensions/time"
VIDEO_TIME_FROM = "https://w3id.org/xapi/video/extensions/time-from"
VIDEO_TIME_TO = "https://w3id.org/xapi/video/extensions/time-to"
VIDEO_CC_ENABLED = "https://w3id.org/xapi/video/extensions/cc-enabled"
SPEED_FROM = "https://w3id.org/xapi/openedx/extension/speed-from"
SPEED_TO = "https://w3id.org/xapi/openedx/extension/speed-to"

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
