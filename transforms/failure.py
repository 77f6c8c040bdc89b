"""What could not be done with a record or a statement, in the form that every step uses."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Literal

import msgspec

from edx2lrs.transforms.causes import Cause, Stage


class Refusal(msgspec.Struct, frozen=True):
    """A pure function's "no": why a record cannot go on, without the record itself.

    ``cause`` is one word of ``transforms.causes``. ``message`` names keys and types, what was
    found and what was expected, and never a value of the record: it reaches logs and reports.
    """

    stage: Stage
    cause: Cause
    message: str


class Failure(msgspec.Struct, frozen=True):
    """A refusal with everything that its dead letter needs.

    ``position`` is ``path:line`` for a file and the message id elsewhere. ``payload`` is the original record
    (``payload_kind="record"``) or the exact body of one statement (``"statement"``, once there is a statement).
    ``event_name`` is given with a statement; a record says its name itself.
    """

    stage: Stage
    cause: Cause
    message: str
    position: str
    payload: bytes
    payload_kind: Literal["record", "statement"] = "record"
    consumer: str | None = None
    statement_id: str | None = None
    http_status: int | None = None
    http_body: str | None = None
    attempts: int = 0
    attributes: Mapping[str, str] = {}  # of a message
    event_name: str | None = None


def failed(refusal: Refusal, position: str, payload: bytes, consumer: str | None = None, attributes: Mapping[str, str] = {}) -> Failure:
    """The failure of the record ``payload`` at ``position``. ``attributes`` are those of a message."""
    return Failure(refusal.stage, refusal.cause, refusal.message, position, payload, "record", consumer, attributes=attributes)


def failed_statement(
    refusal: Refusal,
    consumer: str,
    statement_id: bytes,
    position: str,
    event_name: str | None,
    body: bytes,
    *,
    http_status: int | None = None,
    http_body: str | None = None,
    attempts: int = 0,
) -> Failure:
    """The failure of one statement (``statement_id``: 16 bytes), which ``consumer`` was to get, of the event at ``position``."""
    return Failure(
        refusal.stage, refusal.cause, refusal.message, position, body, "statement", consumer, str(uuid.UUID(bytes=statement_id)),
        http_status, http_body, attempts, event_name=event_name,
    )
