"""Where the declared fields of events go: worked out from the mappings' tables, and from what their functions read.

A function that is given a whole struct is taken to use every field of it whose name stands in its code or in the code that it
calls: more than it uses on any one way through it, never less."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import inspect

from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.tables import Table, tables, words
from edx2lrs.transforms.fields import Context, EventData, SourceEvent, SubmittedText
from edx2lrs.transforms.mapping.caliper_event import EVERY_EVENT
from edx2lrs.transforms.mapping.rows import Path, Row, Rows
from edx2lrs.transforms.mapping.xapi_statement import EVERY_STATEMENT
from edx2lrs.transforms.privacy.declared_fields import DeclaredField, declared_fields
from edx2lrs.transforms.records.parse import Envelope

EVERY: dict[Protocol, Rows] = {"xapi": EVERY_STATEMENT, "caliper": EVERY_EVENT}
"""The rows of all statements."""
_NORMAL_FORM = {"time": "time", "timestamp": "time", "event_source": "source", "session": "session", "referer": "referrer"}
"""Fields of the record that the normal form (``transforms.event.Event``) has under another name or in one place for two."""


class Use(NamedTuple):
    """What the mappings of one protocol do with a field: ``destinations`` of rows that take it, and whether it ``decides`` which
    statement there is. ``free_text``: what a consumer's ``redact`` calls it."""

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
    way = _in_normal_form(field)
    for table in found:
        for row in table.rows:
            if isinstance(row, Row) and _reads(row, way):
                destinations[row.destination] = None
                free_text |= {row.free_text} if row.free_text else set()
        decides = decides or any(set(way) - {"*", "data", "context"} <= words(choice).read for choice in table.choices)
    return Use(tuple(destinations), decides, frozenset(free_text))


def of_event(protocol: Protocol, name: str) -> list[Table]:
    """The tables of one event, without what all statements share."""
    found = mappings(protocol)
    return list(tables(found[name])) if name in found else []


def _in_normal_form(field: DeclaredField) -> Path:
    """The way to the field's value in ``transforms.mapping.rows.Scope``."""
    way = field.attributes
    if field.owner is Context:
        way = way[1:]
    return (_NORMAL_FORM.get(way[0], way[0]),) if len(way) == 1 else way


def _reads(row: Row, way: Path) -> bool:
    sources = (row.source,) if isinstance(row.source, str) else row.source
    known = words(row.function).read if row.function is not None else None
    return any(_takes(tuple(source.split(".")), way, known) for source in sources)


def _takes(source: Path, way: Path, known: frozenset[str] | None) -> bool:
    """Whether a row that has ``source``, and a function that reads ``known``, takes the value at ``way``."""
    if source[0] == "course":
        return way == ("course_id",)
    if source == ("part_key",):
        return way[-1] == "*"
    if source[0] == "part":
        if "*" not in way[:-1]:
            return False
        last = len(way) - 1 - way[::-1].index("*")
        source, way = source[1:], way[last + 1 :]
    if source[: len(way)] == way:
        return True
    rest = way[len(source) :]
    return way[: len(source)] == source and (known is None or all(step == "*" or step in known for step in rest))
