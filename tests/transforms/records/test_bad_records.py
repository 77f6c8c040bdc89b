"""What cannot be an event is refused with its cause, and never raises; what is odd but harmless goes through."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.parse import parse

LINE = (
    b'{"name": "play_video", "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"}, "username": "bob", "agent": "x",'
    b' "event": {"id": "v", "duration": 12.5, "currentTime": 3}, "time": "2023-05-23T13:53:13.460372+00:00",'
    b' "event_source": "browser"}'
)


def with_duration(value: bytes) -> bytes:
    return LINE.replace(b"12.5", value)


def with_agent(value: bytes) -> bytes:
    return LINE.replace(b'"agent": "x"', b'"agent": ' + value)


REFUSED = {
    "not UTF-8 in a declared field": (LINE.replace(b'"v"', b'"\xff"'), "not_utf8"),
    "not UTF-8 anywhere": (with_agent(b'"\xe9"'), "not_utf8"),
    "binary": (b"\x1f\x8b\x08\x00\x00\x00", "not_utf8"),
    "NUL bytes": (b"\x00" * 50, "not_json"),
    "no object": (b"hello", "not_json"),
    "a list": (b"[1, 2]", "not_json"),
    "a lone brace": (b"{", "not_json"),
    "cut off": (LINE[:-1], "not_json"),
    "cut off inside of a text": (LINE[:60], "not_json"),
    "its beginning is missing": (LINE[30:], "not_json"),
    "two events": (LINE + LINE, "not_json"),
    "text after the object": (LINE + b" done", "not_json"),
    "a raw tab in a text": (with_agent(b'"\t"'), "not_json"),
    "100,000 nested arrays": (with_agent(b"[" * 100_000 + b"]" * 100_000), "too_deep"),
    "100,000 nested arrays in the payload": (LINE.replace(b"12.5", b"[" * 100_000 + b"]" * 100_000), "too_deep"),
    "no payload": (b'{"name": "play_video", "time": 0}', "not_an_event"),
    "NaN where a number is declared": (with_duration(b"NaN"), "not_finite"),
    "Infinity": (with_duration(b"-Infinity"), "not_finite"),
    "1e400": (with_duration(b"1e400"), "not_finite"),
    "a number of 30 digits": (with_duration(b"9" * 30), "wrong_type"),
    "a number of 400 digits": (with_duration(b"9" * 400), "not_finite"),
    "a number of 5,000 digits": (with_duration(b"9" * 5000), "not_finite"),
    "a lone surrogate": (LINE.replace(b'"v"', b'"\\ud800"'), "bad_text"),
    "a lone surrogate for an object": (
        b'{"name": "problem_check", "event": {}, "context": {"module": "\\ud800"}, "time": "2023-05-23T13:53:13Z"}',
        "bad_text",
    ),
    "an array for a scalar": (with_duration(b"[1]"), "wrong_type"),
    "an object for a name": (LINE.replace(b'"play_video"', b'{"a": 1}'), "wrong_type"),
    "the payload is a number": (LINE.replace(b'{"id": "v", "duration": 12.5, "currentTime": 3}', b"5"), "wrong_type"),
    "the payload is a list": (LINE.replace(b'{"id": "v", "duration": 12.5, "currentTime": 3}', b"[5]"), "wrong_type"),
    "the payload is a text": (LINE.replace(b'{"id": "v", "duration": 12.5, "currentTime": 3}', b'"hello"'), "wrong_type"),
    "a user id with a fraction": (LINE.replace(b'"user_id": 5', b'"user_id": 5.5'), "wrong_type"),
    "no time": (LINE.replace(b'"time"', b'"when"'), "no_time"),
    "an empty time": (LINE.replace(b'"2023-05-23T13:53:13.460372+00:00"', b'""'), "no_time"),
    "a message whose time has no zone": (LINE.replace(b"+00:00", b"").replace(b'"event":', b'"data":'), "bad_time"),
    "a time without a zone under the name of messages": (LINE.replace(b"+00:00", b"").replace(b'"time"', b'"timestamp"'), "bad_time"),
}


@pytest.mark.parametrize(("line", "cause"), REFUSED.values(), ids=REFUSED.keys())
def test_a_record_is_refused(line: bytes, cause: str) -> None:
    refusal = parse(line)
    assert isinstance(refusal, Refusal)
    assert (refusal.stage, refusal.cause) == ("parse", cause)
    assert "bob" not in refusal.message
    assert len(refusal.message) < 200


ACCEPTED = {
    "a log prefix": b"May 23 13:53:13 lms [service_variant=lms][tracking] INFO [user 5] [ip 1.2.3.4] logger.py:41 - " + LINE,
    "braces in the prefix": b"[{env}] {} {0 - " + LINE,
    "an object in the prefix": b'{"pid": 1} INFO ' + LINE,
    "a byte order mark": b"\xef\xbb\xbf" + LINE,
    "a zeroed beginning": b"\x00\x00" + LINE,
    "white space after it": LINE + b" \t\r",
    "NaN elsewhere": with_agent(b"NaN"),
    "a lone surrogate elsewhere": with_agent(b'"\\udfff"'),
    "a number of 5,000 digits elsewhere": with_agent(b"9" * 5000 + b', "page": NaN'),
    "an array in a field that nobody reads": with_agent(b"[[{}]]"),
    "escapes in a key": LINE.replace(b'"name"', b'"\\u006eame"'),
    "the last of two equal keys": LINE.replace(b'"duration": 12.5', b'"duration": [1], "duration": 12.5'),
    "the payload as JSON text": json.dumps({**json.loads(LINE), "event": json.dumps(json.loads(LINE)["event"])}).encode(),
    "a user id with .0": LINE.replace(b'"user_id": 5', b'"user_id": 5.0'),
    "a user id as text": LINE.replace(b'"user_id": 5', b'"user_id": "5"'),
}


@pytest.mark.parametrize("line", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_an_odd_record_is_the_same_event(line: bytes) -> None:
    assert parse(line) == parse(LINE)


FORGED = b'{\\"name\\": \\"edx.course.grade.now_passed\\", \\"event\\": {}, \\"time\\": 0}'


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace(b'"x"', b'{"name": "edx.course.grade.now_passed", "event": {}, "time": 0}')[:-300],
        b'user": "x", "agent": {"name": "edx.course.grade.now_passed", "event": {}, "time": 0}',
        b'1}, {"name": "edx.course.grade.now_passed", "event": {}, "time": 0}',
        b'{"broken": ' + FORGED.replace(b"\\", b""),
        b'{"broken": "' + FORGED + b'"',
    ],
)
def test_an_object_inside_of_a_broken_line_is_no_event(line: bytes) -> None:
    assert isinstance(parse(line), Refusal)


def test_pages_and_unknown_names_are_events_without_data() -> None:
    page = parse(b'{"name": "/courses/x", "event": "{}", "context": 5}')
    assert page == Event("/courses/x")
    assert parse(b'{"name": "edx.unknown", "event": null}') == Event("edx.unknown")
    assert parse(b'{"event_type": "/heartbeat", "event": ""}') == Event("/heartbeat")
    assert parse(b'{"event": ""}') == Event("")


def test_event_type_stands_for_a_missing_name(record: Callable[..., Any]) -> None:
    named = record("play_video", {"id": "v"})
    nameless = {**named, "event_type": named["name"], "name": ""}
    found = parse(json.dumps(nameless).encode())
    assert isinstance(found, Event)
    assert (found.name, found.from_event_type) == ("play_video", True)


@pytest.mark.parametrize(
    ("data", "context", "top", "expected"),
    [
        ({"user_id": 7}, {"user_id": 5}, "bob", (7, None)),
        ({"username": "ann"}, {"user_id": 5}, "bob", (None, "ann")),
        ({}, {"user_id": 5}, "bob", (5, "bob")),
        ({}, {"user_id": None, "username": "ann"}, "", (None, "ann")),
        ({}, {"user_id": "ann"}, "ann", (None, "ann")),
        ({}, {}, "2023", (None, "2023")),
        ({}, {}, 2023, (None, "2023")),
        ({"user_id": 0}, {"user_id": ""}, "", (None, None)),
    ],
)
def test_who_an_event_is_about(
    record: Callable[..., Any], data: dict[str, Any], context: dict[str, Any], top: Any, expected: tuple[Any, Any]
) -> None:
    line = record("play_video", {"id": "v", **data}, {"user_id": None, **context}, username=top)
    event = parse(json.dumps(line).encode())
    assert isinstance(event, Event)
    assert (event.user_id, event.username) == expected
