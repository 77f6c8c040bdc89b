"""The router rows of event-routing-backends, out of ``manage.py dumpdata event_routing_backends`` (JSON) or a CSV export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_MODEL = "event_routing_backends.routerconfiguration"
_COLUMNS = ("backend_name", "route_url")
_FERNET = "gAAAA"  # how an encrypted value begins
_SECRETS = ("auth_key", "username", "password")


class RowsError(Exception):
    """A file that holds no router rows; the message names what was found and what was expected, never a value."""


class RouterRow(NamedTuple):
    """One row. ``place`` says where it stands; ``secrets`` which of auth_key, username and password it has, never their values.

    ``configurations`` is the decoded object (whatever JSON it was), or UNREADABLE."""

    place: str
    order: tuple[str, int]
    backend: str
    url: str
    auth_scheme: str
    secrets: frozenset[str]
    configurations: Any
    enabled: bool


UNREADABLE: Any = object()
"""Stands for a value that is encrypted, or no JSON."""


def read_rows(text: str) -> list[RouterRow]:
    """The rows in their order. Raises RowsError."""
    rows = _of_json(text) if text.lstrip()[:1] in ("[", "{") else _of_csv(text)
    return [_row(fields, place, key) for fields, place, key in rows]


def current(rows: Iterable[RouterRow]) -> tuple[list[RouterRow], list[RouterRow]]:
    """The newest row of each URL, and the other rows: erb uses only the newest row, even if the newest row is disabled."""
    newest: dict[str, RouterRow] = {}
    older: list[RouterRow] = []
    for row in sorted(rows, key=lambda row: row.order):
        if row.url in newest:
            older.append(newest.pop(row.url))
        newest[row.url] = row
    return list(newest.values()), older


def _of_json(text: str) -> Iterable[tuple[Mapping[str, Any], str, int]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise RowsError("found broken JSON, expected the output of Django's dumpdata") from None
    objects = found if isinstance(found, list) else [found]
    rows = [each for each in objects if isinstance(each, dict) and str(each.get("model", "")).lower() == _MODEL]
    if not rows:
        raise RowsError(f"found no {_MODEL} in the JSON, expected the output of manage.py dumpdata event_routing_backends")
    for number, row in enumerate(rows, 1):
        fields = row.get("fields")
        if not isinstance(fields, dict):
            raise RowsError(f"row {number}: found no fields, expected the output of Django's dumpdata")
        key = row.get("pk")
        yield fields, f"row {key if isinstance(key, int) else number}", key if isinstance(key, int) else number


def _of_csv(text: str) -> Iterable[tuple[Mapping[str, Any], str, int]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise RowsError(f"line 1: column {', '.join(missing)} is missing; expected a header with {', '.join(_COLUMNS)}")
        for values in reader:
            fields = {str(name).strip().lower(): value for name, value in values.items() if name is not None}
            key = fields.get("id") or ""
            yield fields, f"line {reader.line_num}", int(key) if key.isdecimal() else reader.line_num
    except csv.Error as error:
        raise RowsError(f"broken CSV: {error}") from None


def _row(fields: Mapping[str, Any], place: str, key: int) -> RouterRow:
    return RouterRow(
        place,
        (str(fields.get("change_date") or ""), key),
        str(fields.get("backend_name") or "").strip(),
        str(fields.get("route_url") or "").strip(),
        str(fields.get("auth_scheme") or "").strip(),
        frozenset(name for name in _SECRETS if fields.get(name) not in (None, "")),
        _decoded(fields.get("configurations")),
        str(fields.get("enabled", True)).strip().lower() not in ("false", "0", "f", "no", "n"),
    )


def _decoded(value: Any) -> Any:
    """The configurations: an object, or the JSON text of one (of a text of one, as some exports have it)."""
    for _ in range(2):
        if not isinstance(value, str):
            return value
        if not value.strip() or value.strip().lower() in ("null", "none"):
            return None
        if value.startswith(_FERNET):
            return UNREADABLE
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return UNREADABLE
    return value
