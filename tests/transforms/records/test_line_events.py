"""The events of lines that are not one event alone: several in a line, envelopes, headers with structured data."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.line_events import MOST_EVENTS, events_of_line
from testkit.tracking_records import played

ONE, TWO, THREE = (played(number).decode() for number in (1, 2, 3))


def read(line: str | bytes) -> list[str]:
    """What the parts of a line are: the event's own number, or the refusal's cause."""
    found = events_of_line(line if isinstance(line, bytes) else line.encode(errors="surrogateescape"))
    return [event.cause if isinstance(event, Refusal) else str(int((event.time or "")[20:26] or 0)) for _, event in found]


TOGETHER = {
    "two": (ONE + TWO, ["1", "2"]),
    "three with spaces": (f"{ONE} {TWO}\t{THREE}  ", ["1", "2", "3"]),
    "a list": (f"[{ONE}, {TWO},{THREE}]", ["1", "2", "3"]),
    "an element of a list on a line of its own": (f"  {ONE},", ["1"]),
    "half a one at the end": (ONE + TWO + THREE[:90], ["1", "2", "not_json"]),
    "the end of another one": (f'{ONE}"y"}}', ["1", "not_json"]),
    "words at the end": (f"{ONE}{TWO} done", ["1", "2", "not_json"]),
    "each after its prefix": (f"Mar  1 10:00:00 lms tracking: {ONE}Mar  1 10:00:01 lms tracking: {TWO}", ["1", "2"]),
    "a byte order mark in the middle": (f"\ufeff{ONE}\ufeff{TWO}", ["1", "2"]),
    "record separators": (f"\x1e{ONE}\x1e{TWO}", ["1", "2"]),
    "a hole around them": (f"\0\0\0{ONE}\0\0{TWO}\0\0\0", ["1", "2"]),
    "another object between them": (f'{ONE}{{"a": 1}}{TWO}', ["1", "not_an_event", "2"]),
    "one that is not UTF-8": (ONE.encode() + TWO.encode().replace(b"bob", b"b\xffb"), ["1", "not_utf8"]),
    "one with a field of another type": (ONE + TWO.replace("1.5", "[1]"), ["1", "wrong_type"]),
    "the beginning is missing": (ONE[40:] + TWO, ["not_json"]),
    "the first one is broken": (ONE[:-3] + TWO, ["not_json"]),
}


@pytest.mark.parametrize(("line", "parts"), TOGETHER.values(), ids=TOGETHER.keys())
def test_each_whole_event_of_a_line_counts(line: str | bytes, parts: list[str]) -> None:
    assert read(line) == parts


HEADERS = {
    "no structured data": "<134>1 2024-03-13T06:00:01.123456+00:00 lms-1 tracking 17 - - ",
    "an element": '<134>1 2024-03-13T06:00:01Z lms-1 tracking 17 - [timeQuality tzKnown="1" isSynced="1"] ',
    "several elements": '<134>1 2024-03-13T06:00:01Z lms tracking - ID47 [a@1 ip="10.0.0.7"][b@2][meta x="" y="z"] ',
    "escaped signs": r'<134>1 2024-03-13T06:00:01Z lms tracking - - [a@1 q="\"]:, \]\\" r="]"] ',
    "an object in a value": r'<134>1 2024-03-13T06:00:01Z lms tracking - - [a@1 q="{\"event\": 1}" r="{}"] ',
    "a byte order mark": '<134>1 2024-03-13T06:00:01Z lms tracking 17 - [a@1 b="c"] \ufeff',
    "a counted frame": '1463 <134>1 2024-03-13T06:00:01Z lms tracking 17 - [a@1 b="c"] ',
    "without a priority": '2024-03-13T06:00:01Z lms tracking 17 - [a@1 b="c"] @cee: ',
    "RFC 3164": "<134>Mar 13 06:00:01 lms-1 tracking[17]: ",
    "containerd": "2024-03-13T06:00:01.123456789Z stdout F ",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_may_stand_before_each_event(header: str) -> None:
    assert read(header + ONE) == ["1"]
    assert read(header + ONE + header + TWO) == ["1", "2"]


ENVELOPES: dict[str, Any] = {
    "Docker": {"log": f"{ONE}\n", "stream": "stdout", "time": "2024-03-13T06:00:01.1Z"},
    "Docker with attributes": {"log": f"{ONE}\r\n", "stream": "stderr", "attrs": {"tag": "lms"}, "time": "2024-03-13T06:00:01.1Z"},
    "Docker after a logger": {"log": f"2024-03-13 06:00:01,123 INFO 17 [tracking] logger.py:41 - {ONE}\n", "stream": "stdout"},
    "fluentd": {"log": ONE, "stream": "stdout", "kubernetes": {"pod_name": "lms-1", "labels": {"name": "lms"}}, "time": "x"},
    "fluentd with the parsed event": {"log": "2024", "log_processed": json.loads(ONE), "kubernetes": {}},
    "Vector": {"message": ONE, "file": "/var/log/tracking.log", "host": "lms", "source_type": "file", "timestamp": "2024"},
    "Logstash": {"@timestamp": "2024", "@version": "1", "message": ONE, "event": {"original": ONE}, "host": {"name": "lms"}},
    "Logstash without a message": {"@timestamp": "2024", "event": {"original": ONE}, "log": {"file": {"path": "/x"}}},
    "Filebeat": {"@timestamp": "2024", "@metadata": {"beat": "filebeat"}, "message": ONE, "log": {"offset": 0}, "agent": {}},
    "a logger of Python": {"asctime": "2024", "name": "tracking", "levelname": "INFO", "message": ONE},
    "journald": {"MESSAGE": ONE, "__CURSOR": "s=1", "_TRANSPORT": "stdout", "PRIORITY": "6"},
    "journald, bytes": {"MESSAGE": list(ONE.encode()), "__CURSOR": "s=1"},
    "Google, text": {"insertId": "1", "textPayload": ONE, "resource": {}, "logName": "x"},
    "Google, object": {"insertId": "1", "jsonPayload": json.loads(ONE), "resource": {}},
    "Google, object with a message": {"insertId": "1", "jsonPayload": {"message": ONE, "level": "INFO"}},
    "Elasticsearch": {"_index": "logs", "_id": "1", "_source": {"message": ONE}},
    "Splunk": {"preview": False, "result": {"_raw": ONE}},
    "an envelope in envelopes": {"message": json.dumps({"log": json.dumps({"log": f"{ONE}\n", "stream": "stdout"})})},
}


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_an_envelope_is_opened(envelope: Any) -> None:
    text = json.dumps(envelope)
    [(body, event)] = events_of_line(text.encode())
    assert isinstance(event, Event)
    assert event.time == "2026-03-01T10:00:00.000001+00:00"
    assert json.loads(body[body.index(b'{"') :]) == json.loads(ONE)
    assert read(text + text) == ["1", "1"]


def test_the_events_of_a_list_in_an_envelope_count_each() -> None:
    held = [{"id": "1", "timestamp": 1, "message": ONE}, {"id": "2", "message": "hello"}, {"id": "3", "message": TWO + THREE}]
    line = json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "lms", "logEvents": held})
    assert read(line + line) == ["1", "not_an_event", "2", "3"] * 2


def test_no_text_of_an_event_is_taken_for_an_event() -> None:
    for key in ("message", "log", "MESSAGE"):
        assert read(json.dumps({"name": "", "context": {}, "event_type": "", "event": {"original": ONE, key: ONE}, key: ONE})) == ["0"]
        assert read(json.dumps({"username": "bob", key: ONE})) == ["not_an_event"]
        assert read(json.dumps({"name": "play_video", "event": {key: ONE}, "context": {}})) == ["no_time"]
    assert read(json.dumps({"log": ONE[:200], "stream": "stdout"})) == ["not_an_event"]


def test_what_follows_very_many_events_is_one_part() -> None:
    found = events_of_line(b'{"event": 1}' * (MOST_EVENTS + 5))
    assert len(found) == MOST_EVENTS + 1
    assert isinstance(found[-1][1], Refusal)
    found = events_of_line(json.dumps({"logEvents": [{"message": '{"event": 1}'}] * (MOST_EVENTS + 5)}).encode())
    assert len(found) == MOST_EVENTS + 1


LONG = {
    "empty objects": "{}",
    "objects": '{"a": 1}',
    "events": '{"event":1}',
    "spaces": "   ",
    "holes": "\0",
    "brackets": "[",
    "braces": "{",
    "braces with quotes": '{"',
    "nested keys": '{"a":',
    "structured data": '[a b="c"]',
    "structured data that do not end": '[a b="',
    "structured data in values": '[a b="[a" c="',
    "structured data with spaces": "[a   ",
    "back-slashes": '[a b="\\',
    "quotes": '"',
    "envelopes": '{"log": "{}"}',
    "escaped": '{"log": "{\\"event\\"',
}


@pytest.mark.parametrize("unit", LONG.values(), ids=LONG.keys())
def test_a_line_takes_a_time_that_is_linear_in_its_length(unit: str) -> None:
    def seconds(length: int) -> float:
        line = (unit * (length // len(unit))).encode()
        taken = []
        for _ in range(3):
            begun = process_time()
            events_of_line(line)
            taken.append(process_time() - begun)
        return min(taken)

    size = 128 * 1024
    short, long = seconds(size), seconds(4 * size)
    assert long < 8 * short + 0.05  # a square would be 16 times
    assert seconds(4 * 1024 * 1024) < 1
