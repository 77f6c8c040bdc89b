"""What a package of own events has to be, told when it is loaded: its tables are then as good as ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import msgspec

from edx2lrs.transforms.families.packages import Package, module_of
from edx2lrs.transforms.fields import Context, EventData, SourceEvent

_OF_PEOPLE = frozenset({"user_id", "username"})
"""Only ``anonymise`` reads who it was."""


def checked_events(package: Package, events: object, others: Iterable[SourceEvent]) -> dict[str, SourceEvent]:
    """``EVENTS`` of a package, which has to go together with those of ``others``. Raises OwnEventsError."""
    if not isinstance(events, dict) or not events:
        raise package.wrong("events", f"EVENTS: found {_kind(events)}, expected a dict of event names to SourceEvent")
    for name, source in events.items():
        if not isinstance(name, str) or not name or not isinstance(source, SourceEvent):
            raise package.wrong("events", f"EVENTS: found {name!r}: {_kind(source)}, expected a name: SourceEvent(...)")
        if not _is_struct(source.data, EventData):
            raise package.wrong("events", f"EVENTS: {name}: found data {_kind(source.data)}, expected a subclass of EventData")
        if source.context is not None and not _is_struct(source.context, msgspec.Struct):
            raise package.wrong("events", f"EVENTS: {name}: found context {_kind(source.context)}, expected a msgspec.Struct")
        for struct in filter(None, (source.data, source.context)):
            _check_decodable(package, name, struct)
    _check_contexts(package, events, others)
    return events


def _check_decodable(package: Package, name: str, struct: type[msgspec.Struct]) -> None:
    try:
        msgspec.json.Decoder(struct | str | None)
        struct()
    except (TypeError, NameError) as error:
        reason = " ".join(str(error).split())
        fix = "every field has a default and one of the types of edx2lrs.transforms.fields"
        raise package.wrong("events", f"EVENTS: {name}: {struct.__name__} cannot be read: {reason}; {fix}") from None


def _check_contexts(package: Package, events: Mapping[str, SourceEvent], others: Iterable[SourceEvent]) -> None:
    """The context is decoded before it is known what event it is of: a field of it has one type for all."""
    declared = {field.name: field.type for field in msgspec.structs.fields(Context)}
    for other in others:
        declared.update((field.name, field.type) for field in _context_fields(other))
    for name, source in events.items():
        for field in _context_fields(source):
            if declared.setdefault(field.name, field.type) != field.type:
                what = f"EVENTS: {name}: context.{field.name} is declared with another type by another event; use that one"
                raise package.wrong("events", what)


def _context_fields(source: SourceEvent) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(source.context) if source.context else ()


def checked_replaces(package: Package, replaces: object, events: Mapping[str, SourceEvent]) -> frozenset[str]:
    """``REPLACES`` of a package: some of the names of its own events. Raises OwnEventsError."""
    if isinstance(replaces, str) or not isinstance(replaces, Collection):
        raise package.wrong("events", f"REPLACES: found {_kind(replaces)}, expected a set of names")
    for name in replaces:
        if name not in events:
            raise package.wrong("events", f"REPLACES: found {name!r}, which EVENTS lacks; add it there too")
    return frozenset(replaces)


def checked_mappings(
    package: Package, events: Mapping[str, SourceEvent], protocol: Literal["xapi", "caliper"], kind: Any
) -> dict[str, Any]:
    """``MAPPINGS`` of a package for one protocol, of its own events alone; ``kind`` is what a mapping has to be.

    Raises OwnEventsError, also for an event that has a mapping in neither protocol."""
    module = module_of(package, protocol)
    other = module_of(package, "caliper" if protocol == "xapi" else "xapi")
    mapped = {name for each in (module, other) if each for name in getattr(each, "MAPPINGS", None) or ()}
    for name in events.keys() - mapped:
        raise package.wrong("events", f"EVENTS: {name} has no mapping; add one to MAPPINGS of xapi, of caliper or of both")
    if module is None:
        return {}
    mappings = getattr(module, "MAPPINGS", None)
    if not isinstance(mappings, dict):
        raise package.wrong(protocol, f"MAPPINGS: found {_kind(mappings)}, expected a dict of event names to mappings")
    if type(getattr(module, "MAPPING_VERSION", None)) is not int:
        raise package.wrong(protocol, "MAPPING_VERSION: expected a whole number; begin with 1")
    for name, mapping in mappings.items():
        if name not in events:
            what = f"MAPPINGS: found {name!r}, which EVENTS of {package.module}.events lacks; add it there"
            raise package.wrong(protocol, what)
        if not isinstance(mapping, kind):
            expected = " or ".join(each.__name__ for each in kind.__args__)
            raise package.wrong(protocol, f"MAPPINGS: {name}: found {_kind(mapping)}, expected {expected}")
        _check_rows(package, protocol, name, mapping, events[name])
    return mappings


def _check_rows(package: Package, protocol: str, name: str, mapping: Any, event: SourceEvent) -> None:
    """Rows read what is declared, and no person; each statement has an object."""
    from edx2lrs.transforms.families.tables import tables
    from edx2lrs.transforms.mapping.row_compiler import sources
    from edx2lrs.transforms.mapping.rows import Row

    for table in tables(mapping):
        if not any(isinstance(row, Row) and row.destination == ("object", "id") for row in table.rows):
            what = f"MAPPINGS: {name}: no row for object.id; add Row(('object', 'id'), ..., required=True)"
            raise package.wrong(protocol, what)
    for path in {path for table in tables(mapping) for row in table.rows for path in sources(row)}:
        if not _is_readable(path, event):
            what = f"MAPPINGS: {name}: a row reads {path}, which no event has; declare it in {package.module}.events"
            raise package.wrong(protocol, what)


def _is_readable(path: str, event: SourceEvent) -> bool:
    from edx2lrs.transforms.event import Event
    from edx2lrs.transforms.mapping.rows import Course, Scope
    from edx2lrs.transforms.people.actor import Actor

    first, _, rest = path.partition(".")
    if not rest:
        return first in {*Event.__struct_fields__, *Scope.__struct_fields__} - _OF_PEOPLE
    below: dict[str, Iterable[str]] = {
        "data": event.data.__struct_fields__,
        "context": event.context.__struct_fields__ if event.context else (),
        "actor": Actor.__struct_fields__,
        "course": Course.__struct_fields__,
        "site": ("root",),
    }
    return rest.partition(".")[0] in {*below.get(first, ())} - _OF_PEOPLE


def _is_struct(found: object, base: type) -> bool:
    return isinstance(found, type) and issubclass(found, base)


def _kind(value: object) -> str:
    return "nothing" if value is None else value.__name__ if isinstance(value, type) else type(value).__name__
