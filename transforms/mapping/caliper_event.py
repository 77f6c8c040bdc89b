"""What every Caliper event has, and how a mapping becomes an event (Caliper 1.2, section 3.2 and the appendix on events)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from edx2lrs.transforms.formats.json_text import Json, remembered_json_text
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.formats.times import caliper_time
from edx2lrs.transforms.mapping.caliper_vocabulary import ATTEMPT, CONTEXT, COURSE_OFFERING, SESSION, SOFTWARE_APPLICATION
from edx2lrs.transforms.mapping.guard import entity
from edx2lrs.transforms.mapping.row_compiler import Identity, Make, Options, compile_rows, compile_variants
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Course, Row, Rows, VariantMapping
from edx2lrs.transforms.mapping.statement_id import CALIPER_NAMESPACE, uuid5_in
from edx2lrs.transforms.mapping.values import absolute, number

_check_session = entity("session")
_is_plain = re.compile(r"[A-Za-z0-9]+").fullmatch


def session(root: str, session_id: Any) -> Json | None:
    """The session's entity. Raises guard.Invalid for a text that cannot be the end of an IRI."""
    if type(session_id) is str and _is_plain(session_id):  # nearly always
        return f'{{"id":"{root}/sessions/{session_id}","type":"{SESSION}"}}'.encode()
    return _check_session({"id": f"{root}/sessions/{session_id}", "type": SESSION}) if session_id else None


@remembered(4096)  # a site has few courses
def is_part_of(course_iri: str) -> Json:
    return remembered_json_text({"id": course_iri, "type": COURSE_OFFERING})


@remembered(64)  # a job has few sites
def lms(root: str) -> Json:
    """The LMS as the software that sends events and grades answers (Caliper 1.2, SoftwareApplication)."""
    return remembered_json_text({"id": root, "type": SOFTWARE_APPLICATION})


def decimal(value: object) -> float:
    """A finite number, with a fractional part (Caliper 1.2, Score)."""
    return float(number(value))


def attempts_at(assignable_iri: str | None, anonymous_id: str) -> str | None:
    """``<assignable>/user/<id>/attempt``: all that a learner did at something that was assigned."""
    return f"{assignable_iri}/user/{anonymous_id}/attempt" if assignable_iri else None


EVERY_EVENT: Rows = (
    Constant(("@context",), CONTEXT),
    Row(("eventTime",), "time", caliper_time),
    Row(("actor",), "actor.person"),
    Row(("session",), ("site.root", "session"), session),
    Row(("extensions", "transformerVersion"), "site.transformer_version"),
    Row(("edApp",), "site.root", lms, dialects=STANDARD),
    Row(("group",), "course.id", is_part_of, dialects=STANDARD),
)
IN_COURSE: Rows = (
    Row(("object", "extensions", "isPartOf"), "course.id", is_part_of, dialects=AS_ERB),
    Row(("object", "isPartOf"), "course.id", is_part_of, dialects=STANDARD),
)
"""The course that a DigitalResource belongs to; nothing without a course."""
OF_COURSE: Rows = (Row(("object", "extensions", "isPartOf"), "course.id", is_part_of),)
"""As ``IN_COURSE``, for an object that has no ``isPartOf`` in Caliper, or has another one."""


AN_ATTEMPT: Rows = (
    Row(("generated", "id"), ("object.id", "actor.anonymous_id"), attempts_at, dialects=STANDARD),
    Constant(("generated", "type"), ATTEMPT, STANDARD),
    Row(("generated", "assignee"), "actor.person", dialects=STANDARD),
    Row(("generated", "assignable"), "object.id", dialects=STANDARD),
)
"""An attempt at the object, without a number: for events that do not tell which attempt it was."""


class EventMapping(NamedTuple):
    """One Caliper event for one event: type and action (``caliper.vocabulary``) and rows, on top of what every event has."""

    type: str
    action: str
    rows: Rows


CaliperMapping = EventMapping | VariantMapping

_IDENTITY = Identity(uuid5_in(CALIPER_NAMESPACE.bytes), "{name}\n{actor.id_text}\n{time}\n{object.id}", prefix="urn:uuid:")
"""See ``transforms.mapping.statement_id``."""


def compile_mapping(mapping: CaliperMapping, options: Options) -> Make:
    """The function that makes the Caliper event of one event name."""
    if isinstance(mapping, VariantMapping):
        return compile_variants(mapping, lambda variant: compile_mapping(variant, options))
    constants = (Constant(("type",), mapping.type), Constant(("action",), mapping.action))
    return compile_rows((*EVERY_EVENT, *constants, *mapping.rows), _IDENTITY, options)


def course_as_seen(root: str, key: str, name: str | None) -> Course:
    """The course of an event."""
    return Course(absolute(root, "course", key), name, None)
