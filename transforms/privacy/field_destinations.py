"""Where the declared fields of events go, told by the rows of the mappings: a row names every field that it reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import inspect

from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.families.declared_fields import DeclaredField, declared_fields
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.tables import Table, paths_of, tables
from edx2lrs.transforms.fields import Context, EventData, SourceEvent, SubmittedText
from edx2lrs.transforms.mapping.caliper_event import EVERY_EVENT
from edx2lrs.transforms.mapping.rows import Path, Row, Rows
from edx2lrs.transforms.mapping.xapi_statement import EVERY_STATEMENT
from edx2lrs.transforms.records.parse import Envelope

EVERY: dict[Protocol, Rows] = {"xapi": EVERY_STATEMENT, "caliper": EVERY_EVENT}
"""The rows of all statements."""
_NORMAL_FORM = {"time": "time", "timestamp": "time", "event_source": "source", "session": "session", "referer": "referrer"}
"""Fields of the record that the normal form (``transforms.event.Event``) has under another name or in one place for two."""


class Use(NamedTuple):
    """What mappings do with a field. ``decides``: which statement there is. ``free_text``: what a consumer's ``redact`` calls it."""

    destinations: tuple[Path, ...]
    decides: bool
    free_text: frozenset[str]


def common_fields() -> list[DeclaredField]:
    """What is read of every record: its top, its context, and the user that its payload may name."""
    return [
        *declared_fields(Envelope),
        *declared_fields(Context, "context", ("context",)),
        *declared_fields(EventData, "data", ("data",)),
    ]


def fields_of(source: SourceEvent) -> list[DeclaredField]:
    """What is read of one kind of event beyond ``common_fields``."""
    common = {field.path for field in common_fields()}
    found = list(declared_fields(source.data, "data", ("data",)))
    if source.text_allowed:
        found.append(DeclaredField("data", ("data", "text"), SubmittedText, inspect.StrType()))
    if source.context is not None:
        found += declared_fields(source.context, "context", ("context",))
    return [field for field in found if field.path not in common]


def use_of(field: DeclaredField, found: Iterable[Table]) -> Use:
    """What ``found`` does with ``field``."""
    destinations: dict[Path, None] = {}
    decides, free_text = False, set()
    path = _in_normal_form(field)
    for table in found:
        for row in table.rows:
            if isinstance(row, Row) and path in map(_field_of, paths_of(row, table)):
                destinations[row.destination] = None
                free_text |= {row.free_text} if row.free_text else set()
        decides = decides or any(choice == path or choice.startswith(f"{path}.") for choice in table.choices)
    return Use(tuple(destinations), decides, frozenset(free_text))


def of_event(protocol: Protocol, name: str) -> list[Table]:
    """The tables of one event, without what all statements share."""
    found = mappings(protocol)
    return list(tables(found[name])) if name in found else []


def _in_normal_form(field: DeclaredField) -> str:
    """The path of the field's value, as rows name it."""
    way = field.attributes[1:] if field.owner is Context else field.attributes
    return _NORMAL_FORM.get(way[0], way[0]) if len(way) == 1 else ".".join(way)


def _field_of(path: str) -> str:
    """The field that a row's path is made of."""
    return "course_id" if path.startswith("course.") else path
