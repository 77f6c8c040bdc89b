"""The activity types of an event's statements, by the tables of the mappings: ``object.definition.type`` of xAPI (xAPI 1.0.3,
2.4.4.1), ``object.type`` of Caliper (Caliper 1.2, Entity)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

from edx2lrs.transforms.config_types import Dialect, Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.tables import tables
from edx2lrs.transforms.mapping.row_compiler import compile_derived
from edx2lrs.transforms.mapping.rows import Constant, Path, Row, Rows, Unmappable

TypesOf = Callable[[Event], tuple[str, ...]]
"""The activity types of an event's statements; none where there is no statement, or none that has a type."""

_DESTINATIONS: dict[Protocol, Path] = {"xapi": ("object", "definition", "type"), "caliper": ("object", "type")}
_NOT_OF_THE_EVENT = ("site", "object", "actor", "course", "part", "part_key", "whole")


class ActivityTypes:
    """The activity types of one protocol's statements in one dialect, by event. Never raises."""

    def __init__(self, protocol: Protocol, dialect: Dialect) -> None:
        destination = _DESTINATIONS[protocol]
        self._by_name = {name: _types_of(mapping, destination, dialect) for name, mapping in mappings(protocol).items()}

    def __call__(self, event: Event) -> tuple[str, ...]:
        types_of = self._by_name.get(event.name)
        try:
            return types_of(event) if types_of else ()
        except Unmappable:  # there is no statement either
            return ()


def known_types(protocol: Protocol, dialect: Dialect) -> frozenset[str]:
    """The types that the tables name as constants; types that a function makes are not among them."""
    rows = [row for mapping in mappings(protocol).values() for table in tables(mapping, dialect) for row in table.rows]
    return frozenset(row.value for row in rows if isinstance(row, Constant) and row.destination == _DESTINATIONS[protocol])


def _types_of(mapping: Any, destination: Path, dialect: Dialect) -> TypesOf:
    if hasattr(mapping, "variants"):
        choose = compile_derived(mapping.choose)
        variants = {name: _types_of(each, destination, dialect) for name, each in mapping.variants.items()}
        return lambda event: variants[choose(event)](event)
    found = [_type_of(table.rows, destination) for table in tables(mapping, dialect)]
    if all(isinstance(each, str) for each in found):
        constants = tuple(dict.fromkeys(str(each) for each in found if each))
        return lambda _: constants
    return partial(_made, found)


def _type_of(rows: Rows, destination: Path) -> str | Row:
    """The type that ``rows`` give ("": none), or the row that makes it. Raises TypeError if it depends on more than the event."""
    row: Row | Constant | None = next((each for each in reversed(rows) if each.destination == destination), None)
    if row is None or isinstance(row, Constant):
        return str(row.value) if row else ""
    if any(path.split(".")[0] in _NOT_OF_THE_EVENT for path in row.sources):
        paths = ", ".join(row.sources)
        raise TypeError(f"{'.'.join(destination)} is made of {paths}; an activity type is made of the event alone")
    return row


def _made(types: list[str | Row], event: Event) -> tuple[str, ...]:
    made = [each if isinstance(each, str) else _type_by(each, event) for each in types]
    return tuple(dict.fromkeys(each for each in made if isinstance(each, str) and each))


def _type_by(row: Row, event: Event) -> object:
    values: list[Any] = [reduce(_field, path.split("."), event) for path in row.sources]
    if isinstance(row.source, str) and values[0] in (None, ""):
        return None
    return row.function(*values) if row.function else values[0]


def _field(value: Any, name: str) -> Any:
    return getattr(value, name, None)  # None: a payload that is a text, or a part that the event lacks
