"""A message of the event bus, in each of its forms, becomes the JSON of its event."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import fastavro
import pytest

from edx2lrs.io.sources.event_bus import TRACKING_EVENT, event_of_kafka, event_of_redis
from edx2lrs.transforms.event import Event, event_hash
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.parse import parse

FIXTURES = Path(__file__).parents[3] / "transforms" / "families"
LOG = {
    "name": "edx.video.played",
    "timestamp": "2026-01-02T03:04:05.000006+00:00",
    "data": '{"id": "abc", "title": "\\u00fcben \\"quoted\\""}',
    "context": '{"user_id": 5, "course_id": "course-v1:a+b+c"}',
}


def schema(*more: dict[str, object], at: int = 4) -> dict[str, object]:
    """The event's schema as its definition in openedx-events has it, with fields of a later version."""
    fields: list[dict[str, object]] = [{"name": name, "type": "string"} for name in LOG]
    fields[at:at] = more
    record = {"name": "TrackingLogData", "type": "record", "fields": fields}
    around = [{"name": "tracking_log", "type": record}]
    return {"name": "CloudEvent", "type": "record", "namespace": TRACKING_EVENT, "fields": around}


def avro(log: dict[str, object] = LOG, written: dict[str, object] | None = None) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, written or schema(), {"tracking_log": log})
    return out.getvalue()


def headed(data: bytes, number: int = 7) -> bytes:
    return struct.pack(">bI", 0, number) + data


def test_the_bytes_are_those_of_the_avro_specification() -> None:
    """Four texts, each behind twice its length."""
    assert avro({"name": "n", "timestamp": "t", "data": "{}", "context": "null"}) == b"\x02n\x02t\x04{}\x08null"


def test_avro_with_confluents_head_is_read() -> None:
    assert json.loads(event_of_kafka(headed(avro()), TRACKING_EVENT)) == LOG


def test_avro_as_redis_carries_it_is_read() -> None:
    assert json.loads(event_of_redis(avro(), TRACKING_EVENT)) == LOG


@pytest.mark.parametrize(
    "value",
    [json.dumps(LOG), json.dumps({"tracking_log": LOG}), '{\n "tracking_log" : ' + json.dumps(LOG) + "\n}"],
    ids=["the event", "the bus's record", "the bus's record with spaces"],
)
def test_json_is_read_with_and_without_the_record_around_it(value: str) -> None:
    data = value.encode()
    for read in (event_of_kafka(data, None), event_of_kafka(headed(data), None), event_of_redis(data, None)):
        assert json.loads(read) == LOG


def test_data_and_context_as_objects_stay_objects() -> None:
    event = {**LOG, "data": {"id": "abc"}, "context": {"user_id": 5}}
    assert json.loads(event_of_kafka(json.dumps({"tracking_log": event}).encode(), None)) == event


@pytest.mark.parametrize("length", range(1, len(avro())))
def test_a_truncated_value_is_refused_wherever_it_was_cut(length: int) -> None:
    for read in (event_of_kafka(headed(avro()[:length]), None), event_of_redis(avro()[:length], None)):
        assert isinstance(read, Refusal)
        assert (read.stage, read.cause) == ("read", "bad_avro")


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (None, "not_an_event"),
        (b"", "not_an_event"),
        (b"\x00\x00\x00", "bad_avro"),
        (b"\x01" + headed(avro())[1:], "bad_avro"),
        (avro(), "bad_avro"),  # without a head
        (b"[]", "bad_avro"),
        (headed(b"\xff" * 30), "bad_avro"),
        (headed(b"\x04\xff\xfe" + avro()[1:]), "bad_avro"),  # no UTF-8
        (headed(b"\x03" + avro()), "bad_avro"),  # a negative length
    ],
)
def test_what_is_no_event_is_refused_without_its_content(value: bytes | None, cause: str) -> None:
    refusal = event_of_kafka(value, None)
    assert isinstance(refusal, Refusal)
    assert (refusal.stage, refusal.cause) == ("read", cause)
    assert "abc" not in refusal.message


def test_fields_that_a_later_version_adds_at_the_end_are_passed_over() -> None:
    later = schema({"name": "site", "type": ["null", "string"], "default": None})
    assert json.loads(event_of_kafka(headed(avro({**LOG, "site": "x"}, later)), None)) == LOG


def test_with_the_writers_schema_any_order_of_fields_is_read() -> None:
    later = schema({"name": "site", "type": "string"}, {"name": "count", "type": "long"}, at=1)
    parsed = fastavro.parse_schema(later)
    asked = []
    value = headed(avro({**LOG, "site": "x", "count": 3}, later), 41)
    assert json.loads(event_of_kafka(value, None, lambda number: asked.append(number) or parsed)) == LOG
    assert asked == [41]


def test_a_schema_without_the_events_fields_is_refused() -> None:
    other = schema()
    del other["fields"][0]["type"]["fields"][3]  # type: ignore[index]
    log = {key: value for key, value in LOG.items() if key != "context"}
    refusal = event_of_kafka(headed(avro(log, other)), None, lambda _: fastavro.parse_schema(other))
    assert isinstance(refusal, Refusal)
    assert refusal.cause == "unknown_schema"


def test_another_event_of_a_shared_topic_goes_on_by_its_name_alone() -> None:
    name = "org.openedx.learning.course.enrollment.created.v1"
    for read in (event_of_kafka(headed(b"whatever"), name), event_of_redis(b"whatever", name)):
        assert parse(read).name == name
        assert b"whatever" not in read


def live_events() -> list[object]:
    """Events of the fixtures in the form that Open edX hands to its tracking backends."""
    events = []
    for path in sorted(FIXTURES.glob("*/examples/*.json")):
        sources = json.loads(path.read_text())["sources"]
        live = [source for source in sources if "data" in source and source["timestamp"]]
        events += [pytest.param(source, id=f"{path.stem}-{number}") for number, source in enumerate(live)]
    return events


def line_of(live: dict[str, Any]) -> bytes:
    """The event as a line of the tracking log: what the log has at the top comes out of the context."""
    texts = json.loads(live["context"]) if isinstance(live["context"], str) else dict(live["context"])
    top = {key: texts.pop(key) for key in ("username", "session", "host", "referer", "event_source") if key in texts}
    return json.dumps({**top, "name": live["name"], "time": live["timestamp"], "context": texts, "event": live["data"]}).encode()


@pytest.mark.parametrize("live", live_events())
def test_an_event_by_the_bus_is_the_event_of_the_log(live: dict[str, Any]) -> None:
    expected = parse(line_of(live))
    assert isinstance(expected, Event)
    texts = {key: live[key] if isinstance(live[key], str) else json.dumps(live[key]) for key in ("data", "context")}
    log = {"name": live["name"], "timestamp": live["timestamp"], **texts}
    for read in (
        event_of_kafka(headed(avro(log)), TRACKING_EVENT),
        event_of_kafka(json.dumps({"tracking_log": log}).encode(), None),
        event_of_redis(avro(log), TRACKING_EVENT),
        event_of_redis(json.dumps(live).encode(), None),
    ):
        assert parse(read) == expected
        assert event_hash(parse(read)) == event_hash(expected)


def test_the_parser_takes_a_record_of_the_bus_in_one_pass() -> None:
    """It finds the name by the space that Python's json puts before it."""
    assert event_of_redis(avro(), None).startswith(b'{"name": "edx.video.played", "timestamp": "')
