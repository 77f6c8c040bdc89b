"""Dead letters without the values of the record: enough to see the fault, and nothing about a person."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import orjson

from edx2lrs.transforms.config_types import PayloadForm
from edx2lrs.transforms.failure import Failure, Refusal
from edx2lrs.transforms.families.declared_fields import declared_fields
from edx2lrs.transforms.families.examples import examples_of, read_example
from edx2lrs.transforms.families.mappings import PROTOCOLS, mappings
from edx2lrs.transforms.families.packages import packages
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.families.tables import constant_values, tables
from edx2lrs.transforms.mapping.rows import Constant
from edx2lrs.transforms.records.log_line import lenient_object, lenient_value

_PARTS = ("name", "event_type", "event", "data", "context", "time", "timestamp", "event_source", "session", "referer", "username")
_STATEMENT = ("id", "version", "actor", "objectType", "account", "homePage", "mbox", "mbox_sha1sum", "timestamp", "stored")
_EVENT = ("@context", "eventTime", "session", "extensions", "transformerVersion")


def with_payload(failure: Failure, form: PayloadForm) -> Failure:
    """The failure in the form that a dead letter may hold. With the payload, the receiver's answer goes, which may quote it."""
    if form == "full":
        return failure
    payload = redacted(failure.payload) if form == "redacted" else b""
    return msgspec.structs.replace(failure, payload=payload, http_body=None)


def redacted(payload: bytes) -> bytes:
    """A record or statement as JSON with the keys and texts of our tables alone: other keys are counted, values become types."""
    found = lenient_object(payload)
    if not isinstance(found, Refusal):
        try:
            return orjson.dumps(_masked(found))
        except (RecursionError, TypeError):  # orjson has a limit of its own
            pass
    return orjson.dumps(f"{len(payload)} bytes that are no event")


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _masked(inner) for key, inner in value.items() if key in _known_keys()}
        return kept if len(kept) == len(value) else {**kept, "other keys": len(value) - len(kept)}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    if isinstance(value, str):
        return _masked_text(value)
    if value is None:
        return None
    return "true or false" if isinstance(value, bool) else "number"


def _masked_text(text: str) -> Any:
    if text in _known_texts():
        return text
    if text.startswith("{"):
        try:
            return _masked(lenient_value(text))
        except ValueError:
            pass
    return f"text of {len(text)} characters"


@cache
def _known_keys() -> frozenset[str]:
    """What the types of events declare, and what the mappings write: the rows, and their functions in the examples."""
    keys = {*_PARTS, *_STATEMENT, *_EVENT}
    for source in SOURCE_EVENTS.values():
        for struct in (source.data, source.context):
            if struct is not None:
                keys.update(step for field in declared_fields(struct) for step in field.path.split("."))
    for row in _rows():
        keys.update(row.destination)
        if isinstance(row, Constant):
            keys.update(key for path, _ in constant_values(row.value) for key in path)
    for example in (read_example(path) for package in packages() for path in examples_of(package)):
        of_dialects = example.statements.values()
        keys.update(key for made in of_dialects for found in made.values() for path, _ in constant_values(found) for key in path)
    return frozenset(keys)


@cache
def _known_texts() -> frozenset[str]:
    """The names of events, and the constants of the mappings."""
    constants = (value for row in _rows() if isinstance(row, Constant) for _, value in constant_values(row.value))
    return frozenset({*SOURCE_EVENTS, "Agent", "1.0.3", *(value for value in constants if isinstance(value, str))})


def _rows() -> Iterator[Any]:
    for protocol in PROTOCOLS:
        for mapping in mappings(protocol).values():
            for table in tables(mapping):
                yield from table.rows
