"""The rules for the ``events`` module of a family: the same for the families of edx2lrs and for a site's own package."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from edx2lrs.transforms.families.packages import Package
from edx2lrs.transforms.fields import Context, EventData, SourceEvent


def checked_events(package: Package, events: object, others: Iterable[SourceEvent]) -> dict[str, SourceEvent]:
    """``EVENTS`` of a package, which has to go together with those of ``others``. Raises OwnEventsError."""
    if not isinstance(events, dict) or not events:
        raise package.wrong("events", f"EVENTS: found {kind_of(events)}, expected a dict of event names to SourceEvent")
    for name, source in events.items():
        if not isinstance(name, str) or not name or not isinstance(source, SourceEvent):
            raise package.wrong("events", f"EVENTS: found {name!r}: {kind_of(source)}, expected a name: SourceEvent(...)")
        if not _is_struct(source.data, EventData):
            raise package.wrong("events", f"EVENTS: {name}: found data {kind_of(source.data)}, expected a subclass of EventData")
        if source.context is not None and not _is_struct(source.context, msgspec.Struct):
            raise package.wrong("events", f"EVENTS: {name}: found context {kind_of(source.context)}, expected a msgspec.Struct")
        if not isinstance(source.sources, tuple) or not all(isinstance(each, str) and each for each in source.sources):
            fix = "a tuple of event_source, such as edx2lrs.transforms.event_sources.SITE"
            raise package.wrong("events", f"EVENTS: {name}: found sources {kind_of(source.sources)}, expected {fix}")
        for struct in filter(None, (source.data, source.context)):
            _check_decodable(package, name, struct)
    names: set[str] = set(events)
    for name, source in events.items():
        if not isinstance(source.aliases, tuple) or not all(isinstance(alias, str) and alias for alias in source.aliases):
            raise package.wrong("events", f"EVENTS: {name}: found aliases {kind_of(source.aliases)}, expected a tuple of names")
        for alias in source.aliases:
            if alias in names:
                raise package.wrong("events", f"EVENTS: {name}: the alias {alias} is declared twice; remove one of the two")
            names.add(alias)
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
    """A field of the context has one type for all events, since the context is decoded before the event's family is known."""
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
        raise package.wrong("events", f"REPLACES: found {kind_of(replaces)}, expected a set of names")
    names = {*events, *(alias for source in events.values() for alias in source.aliases)}
    for name in replaces:
        if name not in names:
            raise package.wrong("events", f"REPLACES: found {name!r}, which EVENTS lacks; add it there too")
    return frozenset(replaces)


def _is_struct(found: object, base: type) -> bool:
    return isinstance(found, type) and issubclass(found, base)


def kind_of(value: object) -> str:
    return "nothing" if value is None else value.__name__ if isinstance(value, type) else type(value).__name__
