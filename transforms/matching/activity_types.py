"""The activity types of an event's statements, by the tables of the mappings: ``object.definition.type`` of xAPI (xAPI 1.0.3,
2.4.4.1), ``object.type`` of Caliper (Caliper 1.2, Entity)."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.tables import tables
from edx2lrs.transforms.mapping.row_compiler import compile_derived
from edx2lrs.transforms.mapping.rows import Constant, Path, Row, Rows, Unmappable

TypesOf = Callable[[Event], tuple[str, ...]]
"""The activity types of an event's statements; none where there is no statement, or none that has a type."""

_DESTINATIONS: dict[Protocol, Path] = {"xapi": ("object", "definition", "type"), "caliper": ("object", "type")}
_NOT_OF_THE_EVENT = ("site", "actor", "course", "part", "part_key", "whole")


class ActivityTypes:
    """The activity types of one protocol's statements, by event. Never raises."""

    def __init__(self, protocol: Protocol) -> None:
        self._by_name = {name: _types_of(mapping, _DESTINATIONS[protocol]) for name, mapping in mappings(protocol).items()}

    def __call__(self, event: Event) -> tuple[str, ...]:
        types_of = self._by_name.get(event.name)
        try:
            return types_of(event) if types_of else ()
        except Unmappable:  # there is no statement either
            return ()


def known_types(protocol: Protocol) -> frozenset[str]:
    """The types that the tables name as constants; types that a function makes are not among them."""
    rows = [row for mapping in mappings(protocol).values() for table in tables(mapping) for row in table.rows]
    return frozenset(row.value for row in rows if isinstance(row, Constant) and row.destination == _DESTINATIONS[protocol])


def _types_of(mapping: Any, destination: Path) -> TypesOf:
    if hasattr(mapping, "variants"):
        variants = {name: _types_of(each, destination) for name, each in mapping.variants.items()}
        return _of_variants(compile_derived(mapping.choose), variants)
    found = [_type_of(table.rows, destination) for table in tables(mapping)]
    if all(isinstance(each, str) for each in found):
        return _always(tuple(dict.fromkeys(str(each) for each in found)))
    return _computed(found)


def _type_of(rows: Rows, destination: Path) -> str | Callable[[Event], str | None]:
    """The type that ``rows`` give, if the type is a constant. Raises TypeError if the type depends on more than the event."""
    row = next((each for each in reversed(rows) if each.destination == destination), None)
    if row is None:
        return _no_type
    if isinstance(row, Constant):
        return str(row.value)
    return _of_row(row)


def _of_row(row: Row) -> Callable[[Event], str | None]:
    paths = (row.source,) if isinstance(row.source, str) else row.source
    if any(path.split(".")[0] in _NOT_OF_THE_EVENT for path in paths):
        raise TypeError(f"{'.'.join(row.destination)} is made of {', '.join(paths)}; an activity type is made of the event alone")
    getters = [attrgetter(path) for path in paths]
    function, is_plain = row.function, isinstance(row.source, str)

    def type_of(event: Event) -> str | None:
        values = [_read(get, event) for get in getters]
        if is_plain and values[0] in (None, ""):
            return None
        made = function(*values) if function else values[0]
        return made if isinstance(made, str) else None

    return type_of


def _read(get: Callable[[Any], Any], event: Event) -> Any:
    try:
        return get(event)
    except AttributeError:  # a payload that is a text, or a part that the event lacks
        return None


def _no_type(_: Event) -> str | None:
    return None


def _always(types: tuple[str, ...]) -> TypesOf:
    def types_of(_: Event) -> tuple[str, ...]:
        return types

    return types_of


def _computed(parts: list[Any]) -> TypesOf:
    def types_of(event: Event) -> tuple[str, ...]:
        made = [part if isinstance(part, str) else part(event) for part in parts]
        return tuple(dict.fromkeys(each for each in made if each))

    return types_of


def _of_variants(choose: Callable[[Event], str], variants: dict[str, TypesOf]) -> TypesOf:
    def types_of(event: Event) -> tuple[str, ...]:
        return variants[choose(event)](event)

    return types_of
