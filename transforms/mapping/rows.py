"""Mappings as tables.

A mapping is an ordered tuple of rows. A row says where a value goes, where the value comes from, which named function makes the
value, and whether the value is required. The tables are data for people; ``transforms.mapping.row_compiler`` makes functions of the
tables once, when a job starts.

Sources are dotted paths. A source begins with a field of the event's normal form (``data.id``, ``context.module``, ``session``;
``transforms.event.Event``), with another field of ``Scope`` (``actor``, ``course``, ``part``, ...), or with ``site`` (values that
are the same for the whole job). ``object.id`` is the id of the statement's own object, for rows after the row of that id. A source
ends at a field with a value, never at a struct, so a row says what the row reads. A missing value, null and "" are the same, and so
is a field of a struct that is null (``context.module.usage_key`` without a module): the destination's key is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from edx2lrs.transforms.causes import Cause
from edx2lrs.transforms.config_types import Dialect, FreeText, Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.formats.json_text import Json
from edx2lrs.transforms.people.actor import Actor

Path = tuple[str, ...]
"""The keys from the top of the result to a value; a tuple, because IRIs contain dots."""
Dialects = tuple[Dialect, ...]
STANDARD: Dialects = ("standard",)
AS_ERB: Dialects = ("erb", "aspects")
ERB: Dialects = ("erb",)
ASPECTS: Dialects = ("aspects",)
ALL_DIALECTS: Dialects = (*STANDARD, *AS_ERB)


class Row(NamedTuple):
    """``destination`` gets the result of ``function`` for the value at ``source``; without a function, the value itself.

    If ``source`` is a text, the function is called only if there is a value. If ``source`` is a tuple, the function always gets all
    values, in their order. A function gives None for "leave the key out", and raises ``Unmappable`` for a value that the function
    cannot use: the key is left out, and counted (``Statement.left_out``). ``required``: without a usable value, the event is
    refused. ``free_text``: the kind of text that learners write; a consumer
    with this kind in ``redact`` does not get the value. ``dialects``: the dialects that have the row.
    """

    destination: Path
    source: str | tuple[str, ...]
    function: Callable[..., Any] | None = None
    required: bool = False
    free_text: FreeText | None = None
    dialects: Dialects = ALL_DIALECTS

    @property
    def sources(self) -> tuple[str, ...]:
        """The paths that the row reads."""
        return (self.source,) if isinstance(self.source, str) else self.source


class Constant(NamedTuple):
    """``destination`` always gets ``value``, in the dialects that have the row."""

    destination: Path
    value: Any
    dialects: Dialects = ALL_DIALECTS


Rows = tuple["Row | Constant", ...]


class Derived(NamedTuple):
    """What ``function`` makes of an event: ``function`` gets the values at ``sources``, in their order. ``data.answers.*.correct`` is a
    dict: the field ``correct`` of each entry of the map ``data.answers``, by the map's keys. A field that the payload lacks is None."""

    sources: tuple[str, ...]
    function: Callable[..., Any]


class VariantMapping(NamedTuple):
    """Different statements for events of one name: ``choose`` names the variant. The function of ``choose`` raises Unmappable."""

    choose: Derived
    variants: Mapping[str, Any]


class Whole(msgspec.Struct, frozen=True, gc=False):
    """The finished statement about the whole of a group, in the form that the statements about the parts need: its id, the id of
    its object, and as JSON the object and the ``contextActivities`` of the parts (the object as the parent, the object's own parent
    as a grouping)."""

    id: str
    object_id: str
    object: Json
    activities: Json


class Course(msgspec.Struct, frozen=True, gc=False):
    """The course of an event, as its statements show it: the course's IRI, and as JSON the xAPI array with its activity (2.4.6.2). All
    fields are None if the event has no course."""

    id: str | None
    name: str | None
    activities: Json | None


class Scope(msgspec.Struct, gc=False):
    """Everything that a row may read; for the statement about a part also its key, its value and the statement about the whole."""

    event: Event
    actor: Actor
    course: Course
    part_key: str = ""
    part: Any = None
    whole: Whole | None = None


class Unmappable(ValueError):
    """A value that a mapping cannot use. ``message`` names types, never the value. ``instead``: what stands in the value's place."""

    def __init__(self, message: str, cause: Cause = "wrong_type", instead: Any = None):
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.instead = instead


def dialects_of(protocol: Protocol) -> Dialects:
    """The dialects of a protocol: Aspects reads no Caliper events."""
    return ALL_DIALECTS if protocol == "xapi" else (*STANDARD, *ERB)


def of_dialect(rows: Rows, dialect: Dialect) -> Rows:
    """The rows of one dialect."""
    return tuple(row for row in rows if dialect in row.dialects)


def in_dialects(dialects: Dialects, rows: Rows) -> Rows:
    """``rows``, in these dialects alone."""
    return tuple(row._replace(dialects=dialects) for row in rows)


def value_at(path: str, scope: Scope, site: Mapping[str, Any]) -> Any:
    """The value that a path names. Raises KeyError for a ``site`` source that does not exist."""
    if path.startswith("site."):
        return site[path.removeprefix("site.")]
    steps = path.split(".")
    found: Any = scope if steps[0] in Scope.__struct_fields__ else scope.event
    for step in steps:
        found = getattr(found, step, None)
    return found
