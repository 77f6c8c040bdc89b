"""The rules for the ``xapi`` and ``caliper`` modules of a family: the same for the families of edx2lrs and for own packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.declared_fields import declared_fields
from edx2lrs.transforms.families.event_checks import kind_of
from edx2lrs.transforms.families.packages import Package, module_of
from edx2lrs.transforms.families.row_checks import destination_faults, function_fault, shape_fault
from edx2lrs.transforms.families.tables import paths_of, tables
from edx2lrs.transforms.fields import SourceEvent, SubmittedText
from edx2lrs.transforms.mapping.rows import Course, Derived, Row, VariantMapping, Whole
from edx2lrs.transforms.mapping.xapi_statement import GroupMapping

_OF_PEOPLE = frozenset({"user_id", "username", "data.user_id", "data.username"})
"""Only ``anonymise`` reads who it was."""
_OF_SCOPE = {
    "actor": ("anonymous_id", "iri", "person"),
    "course": Course.__struct_fields__,
    "object": ("id",),
    "site": ("root", "plain_links"),
    "whole": Whole.__struct_fields__,
}


def check_mappings(package: Package, protocol: Protocol, kinds: tuple[type, ...]) -> None:
    """Checks the mappings of a package for one protocol; ``kinds`` is what a mapping may be. Raises OwnEventsError, also for an event
    that has a mapping in neither protocol."""
    events: Mapping[str, SourceEvent] = getattr(module_of(package, "events"), "EVENTS", {})
    module = module_of(package, protocol)
    other = module_of(package, "caliper" if protocol == "xapi" else "xapi")
    mapped = {name for each in (module, other) if each for name in getattr(each, "MAPPINGS", None) or ()}
    for name in events.keys() - mapped:
        raise package.wrong("events", f"EVENTS: {name} has no mapping; add one to MAPPINGS of xapi, of caliper or of both")
    if module is None:
        return
    for table in ("MAPPINGS", "MAPPINGS_WITH_STANDARD_RESPONSES"):
        mappings = getattr(module, table, {} if table != "MAPPINGS" else None)
        if not isinstance(mappings, dict):
            raise package.wrong(protocol, f"{table}: found {kind_of(mappings)}, expected a dict of event names to mappings")
        for name, mapping in mappings.items():
            if name not in events:
                what = f"{table}: found {name!r}, which EVENTS of {package.module}.events lacks; add it there"
                raise package.wrong(protocol, what)
            for each in (mapping, *(mapping.variants.values() if isinstance(mapping, VariantMapping) else ())):
                if not isinstance(each, kinds):
                    expected = " or ".join(kind.__name__ for kind in kinds)
                    raise package.wrong(protocol, f"{table}: {name}: found {kind_of(each)}, expected {expected}")
                _check_derived(package, protocol, name, each)
                for rows in _rows_of(each):
                    fault = shape_fault(rows)
                    if fault:
                        raise package.wrong(protocol, f"{table}: {name}: {fault}")
            _check_rows(package, protocol, name, mapping, events[name])
    if type(getattr(module, "MAPPING_VERSION", None)) is not int:
        raise package.wrong(protocol, "MAPPING_VERSION: expected a whole number; begin with 1")


def _check_derived(package: Package, protocol: Protocol, name: str, mapping: Any) -> None:
    for attribute in ("choose", "part", "parts"):
        found = getattr(mapping, attribute, None)
        if found is not None and not (isinstance(found, Derived) and isinstance(found.sources, tuple) and callable(found.function)):
            what = f"MAPPINGS: {name}: {attribute}: found {kind_of(found)}, expected Derived((the paths that it reads,), function)"
            raise package.wrong(protocol, what)
        fault = None if found is None else function_fault(found.function)
        if fault:
            raise package.wrong(protocol, f"MAPPINGS: {name}: {attribute}: {fault}")


def _rows_of(mapping: Any) -> list[Any]:
    """The rows of a mapping that has no variants, as the package has written them."""
    if isinstance(mapping, GroupMapping):
        return [mapping.whole.rows, mapping.part_rows]
    return [] if isinstance(mapping, VariantMapping) else [mapping.rows]


def _check_rows(package: Package, protocol: Protocol, name: str, mapping: Any, event: SourceEvent) -> None:
    """Rows and choices read fields that are declared, and no person; each statement has an object."""
    readable = _readable(event)
    for table in tables(mapping):
        if not any(isinstance(row, Row) and row.destination == ("object", "id") for row in table.rows):
            what = f"MAPPINGS: {name}: no row for object.id; add Row(('object', 'id'), ..., required=True)"
            raise package.wrong(protocol, what)
        for fault in destination_faults(protocol, table.rows):
            raise package.wrong(protocol, f"MAPPINGS: {name}: {fault}")
        for path in (*table.choices, *(path for row in table.rows for path in paths_of(row, table))):
            if path not in readable:
                below = sorted(each for each in readable if each.startswith(f"{path}."))
                fix = f"name its fields: {', '.join(below)}" if below else f"declare it in {package.module}.events"
                found = "which is a struct" if below else "which no event has"
                raise package.wrong(protocol, f"MAPPINGS: {name}: a row reads {path}, {found}; {fix}")


def _readable(event: SourceEvent) -> frozenset[str]:
    """The paths that rows may read."""
    structs = (("data", event.data), ("data", SubmittedText if event.text_allowed else None), ("context", event.context))
    declared = [".".join(field.attributes) for part, struct in structs if struct for field in declared_fields(struct, part, (part,))]
    whole = (f"{part}.{field}" for part, fields in _OF_SCOPE.items() for field in fields)
    return frozenset({*declared, *whole, *Event.__struct_fields__} - _OF_PEOPLE - {"data", "context"})
