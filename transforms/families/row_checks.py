"""The rules for the rows of a mapping: what a row is made of, and that its destination is a place that the standard knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.families.event_checks import kind_of
from edx2lrs.transforms.mapping.caliper_event import EVERY_EVENT
from edx2lrs.transforms.mapping.rows import ALL_DIALECTS, Constant, Row, Rows, of_dialect
from edx2lrs.transforms.mapping.xapi_statement import EVERY_STATEMENT
from edx2lrs.transforms.validation.caliper import caliper_violations
from edx2lrs.transforms.validation.violations import ANOTHER_KEY, UNKNOWN_PROPERTY, path_text
from edx2lrs.transforms.validation.xapi import statement_violations


def shape_fault(rows: object) -> str | None:
    """What is wrong with the shape of rows; None: nothing."""
    if not isinstance(rows, tuple):
        return f"found {kind_of(rows)} for rows, expected a tuple of Row and Constant"
    for row in rows:
        if not isinstance(row, (Row, Constant)):
            return f"found {kind_of(row)} among the rows, expected Row(...) or Constant(...)"
        if not _is_path(row.destination):
            return f"found the destination {row.destination!r}, expected a tuple of keys such as ('object', 'id')"
        fault = _fault_of_row(row) if isinstance(row, Row) else None
        if fault:
            return f"the row for {'.'.join(row.destination)}: {fault}"
    return None


def _fault_of_row(row: Row) -> str | None:
    if not _is_path(row.sources):
        return "expected a source: the path of a field, or a tuple of paths"
    return None if row.function is None else function_fault(row.function)


def function_fault(function: object) -> str | None:
    """What is wrong with a function of a mapping; None: nothing."""
    if not callable(function):
        return f"found {kind_of(function)}, expected a function"
    named: Any = getattr(function, "func", function)
    is_lambda = getattr(named, "__name__", "") == "<lambda>"
    return "found a lambda, expected a function with a name; write def name(value): ..." if is_lambda else None


def destination_faults(protocol: Protocol, rows: Rows) -> Iterator[str]:
    """What is wrong with the destinations of a statement's rows."""
    every, violations_of = _EVERY[protocol]
    for dialect in ALL_DIALECTS:
        statement: dict[str, Any] = {}
        for row in of_dialect((*every, *rows), dialect):
            place: Any = statement
            for key in row.destination[:-1]:
                place = place.setdefault(key, {}) if isinstance(place, dict) else None
            if not isinstance(place, dict) or isinstance(place.get(row.destination[-1]), dict):
                yield f"the destination {'.'.join(row.destination)} is within another destination, or holds another one"
                return
            place[row.destination[-1]] = row.value if isinstance(row, Constant) else None
        for violation in violations_of(statement):
            if violation.found in (UNKNOWN_PROPERTY, ANOTHER_KEY):
                fix = f"; write {violation.near}" if violation.near else ""
                yield f"found the destination {path_text(violation.path)}, expected {violation.expected} ({violation.clause}){fix}"


_EVERY: dict[Protocol, tuple[Rows, Callable[[object], list[Any]]]] = {
    "xapi": (EVERY_STATEMENT, statement_violations),
    "caliper": (EVERY_EVENT, caliper_violations),
}


def _is_path(found: object) -> bool:
    return isinstance(found, tuple) and bool(found) and all(isinstance(key, str) and key for key in found)
