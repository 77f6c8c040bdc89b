"""What all tracking events share: the types that a declared field may have, and the parts that every event reads.

Only fields that are declared in this module and in the family modules are decoded. Other parts of a record never become a Python
value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Scalar = str | Integer | float | bool | None
"""A value that goes through with the JSON type that it came with. An array or an object in its place is refused."""
Text = str | None
BlockKey = Annotated[Scalar, msgspec.Meta(extra={"key": "block"})]
"""The usage key of a block, or its name in the event's course. Statements show it, so it decides who may see the event."""
CourseKey = Annotated[Scalar, msgspec.Meta(extra={"key": "course"})]
"""The key of a course. It decides as a ``BlockKey`` does."""
Link = Annotated[Text, msgspec.Meta(extra={"key": "link"})]
"""An address, whole or a path. The keys in it decide as a ``BlockKey`` does."""
JsonValue = Any
"""A declared field that may hold any JSON value; only its text goes on."""


class Context(msgspec.Struct, gc=False):
    """The record's ``context``, as far as every event needs it; ``parse`` puts it into the normal form."""

    user_id: Scalar = None
    username: Scalar = None
    session: Scalar = None
    event_source: Scalar = None
    referer: Scalar = None
    course_id: Text = None
    org_id: Scalar = None
    host: Scalar = None
    enterprise_uuid: Scalar = None


class EventData(msgspec.Struct, gc=False):
    """The event's own payload: ``event`` in a log line, ``data`` elsewhere. A user whom the site's payload names wins over the user
    of the context. The payload of a browser or an app may only repeat that user."""

    user_id: Scalar = None
    username: Scalar = None


class SubmittedText(EventData, gc=False):
    """A payload that is a plain text and no JSON object, as browsers send for a submitted problem."""

    text: str = ""


class SourceEvent(NamedTuple):
    """What may be read of the events of one name: its payload, and what its family needs of ``context`` beyond ``Context``.

    ``text_allowed``: the payload may be a plain text. ``since``: the first version that knows the event. ``aliases``: other names
    that the event is emitted under; an event keeps the name that it came with, and the mapping is the same. ``further_keys``: the
    usage keys and names of blocks that statements show and that are in no ``BlockKey`` field, of an event in normal form.
    ``old_fields``: fields of the payload by the names that older records have for them. ``sources``: what
    emits the event (``event_source``), where not everybody does: ``event_sources.SITE`` for events that only servers emit."""

    family: str
    data: type[EventData]
    context: type[msgspec.Struct] | None = None
    text_allowed: bool = False
    since: str = "0.1"
    aliases: tuple[str, ...] = ()
    further_keys: Callable[[Any], Iterable[str | None]] | None = None
    old_fields: Mapping[str, str] = {}
    sources: tuple[str, ...] = ()
