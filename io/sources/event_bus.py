"""Events as the Open edX event bus carries them: out of a message's value into the JSON that ``transforms.records.parse`` reads.

The bus carries ``org.openedx.analytics.tracking.event.emitted.v1`` (OEP-49, openedx-events ``analytics``): one record with the
event's name, its time as ISO 8601, and its data and context as JSON text. On Kafka the value is Avro behind the five bytes of
Confluent's wire format (0, then the schema's number in four bytes); on Redis it is Avro alone. JSON is taken on both."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import fastavro
import msgspec
import orjson

from edx2lrs.transforms.failure import Refusal

TRACKING_EVENT = "org.openedx.analytics.tracking.event.emitted.v1"

Schema = Any  # as fastavro parsed it
SchemaOf = Callable[[int], "Schema | Refusal"]  # by the schema's number

_NAMES = ("name", "timestamp", "data", "context")
_LOG_DATA = {"type": "record", "name": "TrackingLogData", "fields": [{"name": name, "type": "string"} for name in _NAMES]}
_FIELDS = [{"name": "tracking_log", "type": _LOG_DATA}]
SCHEMA: Schema = fastavro.parse_schema({"type": "record", "name": "CloudEvent", "namespace": TRACKING_EVENT, "fields": _FIELDS})
_HEAD = 5


def bundled_schema(_number: int) -> Schema:
    """The schema for a site without a registry. Fields that a later version adds at the record's end are skipped."""
    return SCHEMA


def event_of_kafka(value: bytes | None, event_type: str | None, schema_of: SchemaOf = bundled_schema) -> bytes | Refusal:
    """The JSON of an event. ``event_type``: header ``ce_type``. Refused: ``not_an_event``, ``bad_avro``, ``unknown_schema``."""
    return _event(value, event_type, partial(_of_confluent, schema_of), "the message has no value")


def event_of_redis(value: bytes | None, event_type: str | None) -> bytes | Refusal:
    """The JSON of an event. ``value``: field ``event_data``; ``event_type``: field ``type``. Refused as in ``event_of_kafka``."""
    missing = "the entry has no field event_data, or nothing in it"
    return _event(value, event_type, partial(_of_avro, SCHEMA, "the bundled schema"), missing)


def _event(value: bytes | None, event_type: str | None, of_avro: Callable[[bytes], bytes | Refusal], missing: str) -> bytes | Refusal:
    if not value:
        return Refusal("read", "not_an_event", missing)
    if event_type and event_type != TRACKING_EVENT:
        # Streams may be shared. A message that is no tracking event goes on with only its name, and is counted as filtered.
        return b'{"name": %b, "data": {}}' % orjson.dumps(event_type)
    return _of_json(value) if value[:1] == b"{" else of_avro(value)


def _of_confluent(schema_of: SchemaOf, value: bytes) -> bytes | Refusal:
    if value[0] != 0 or len(value) < _HEAD:
        message = f"{len(value)} bytes that begin neither with {{ (JSON) nor with 0 and a schema's number (Avro)"
        return Refusal("read", "bad_avro", message)
    if value[_HEAD : _HEAD + 1] == b"{":
        return _of_json(value[_HEAD:])
    schema = schema_of(number := int.from_bytes(value[1:_HEAD], "big"))
    return schema if isinstance(schema, Refusal) else _of_avro(schema, f"schema {number}", value[_HEAD:])


def _of_avro(schema: Schema, named: str, data: bytes) -> bytes | Refusal:
    try:
        reader = None if schema is SCHEMA else SCHEMA
        log = fastavro.schemaless_reader(BytesIO(data), schema, reader)["tracking_log"]
    except fastavro.read.SchemaResolutionError:
        return Refusal("read", "unknown_schema", f"{named} is none of a tracking event: it lacks a field, or has another type")
    except Exception as error:  # for bytes that are no record, fastavro raises many kinds of exceptions
        return Refusal("read", "bad_avro", f"{len(data)} bytes are no record of {named} ({type(error).__name__})")
    # the spaces of Python's json: the parser finds the name by these spaces
    return b'{"name": %b, "timestamp": %b, "data": %b, "context": %b}' % tuple([orjson.dumps(log[name]) for name in _NAMES])


class _Wrapped(msgspec.Struct):
    tracking_log: msgspec.Raw = msgspec.Raw()


_wrapped = msgspec.json.Decoder(_Wrapped).decode


def _of_json(value: bytes) -> bytes:
    """The event itself, or the bus's record around the event. A value that is no JSON goes on, and the parser refuses it."""
    if value.find(b'"tracking_log"', 0, 64) < 0:
        return value
    try:
        return bytes(_wrapped(value).tracking_log) or value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return value
