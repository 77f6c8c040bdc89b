"""The first look at an event: which go on, and the reasons of those that do not."""

from __future__ import annotations

import pytest

from edx2lrs.transforms.config_types import Events
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.records.parse import parse

LINE = '{"name": %s, "event_type": %s, "time": "2023-05-23T13:53:13Z", "session": "s", "event": {}, "context": {}}'


def reason(name: str, event_type: str = "null", events: Events = Events()) -> str | None:  # noqa: B008 -- immutable
    event = parse((LINE % (name, event_type)).encode())
    return EventFilter(events)(event)  # type: ignore[arg-type]


REASONS = {
    "a mapped name": ('"play_video"', "null", None),
    "a path": ('"/courses/course-v1:edX+DemoX+2026/jump_to_id/x"', "null", "page_request"),
    "an address": ('"https://lms.example.com/dashboard"', "null", "page_request"),
    "no name, event_type a path": ("null", '"/login"', "page_request"),
    "no name, event_type an address": ("null", '"http://lms.example.com/"', "page_request"),
    "no name, event_type a name": ("null", '"problem_check"', None),
    "empty name, event_type unknown": ('""', '"xblock.x"', "unknown_event"),
    "no name at all": ("null", "null", "no_name"),
    "empty both": ('""', '""', "no_name"),
    "unknown": ('"edx.unheard.of"', "null", "unknown_event"),
    "other case": ('"Play_Video"', "null", "unknown_event"),
}


@pytest.mark.parametrize(("name", "event_type", "expected"), REASONS.values(), ids=REASONS.keys())
def test_reasons(name: str, event_type: str, expected: str | None) -> None:
    assert reason(name, event_type) == expected


LISTS = {
    "allowed by name": (Events(allow=["play_video"]), None),
    "not allowed": (Events(allow=["pause_video"]), "not_allowed"),
    "nothing is allowed": (Events(allow=[]), "not_allowed"),
    "a name is no expression": (Events(allow=["play_vide."]), "not_allowed"),
    "a part of a name": (Events(allow=["play"]), "not_allowed"),
    "expression, searched for": (Events(allow=["/video/"]), None),
    "expression, anchored": (Events(allow=["/^video/"]), "not_allowed"),
    "expression, with case": (Events(allow=["/VIDEO/"]), "not_allowed"),
    "blocked by name": (Events(block=["play_video"]), "blocked"),
    "blocked by expression": (Events(block=["/^play_/"]), "blocked"),
    "blocked wins": (Events(allow=["play_video"], block=["/video$/"]), "blocked"),
    "another is blocked": (Events(block=["pause_video"]), None),
}


@pytest.mark.parametrize(("events", "expected"), LISTS.values(), ids=LISTS.keys())
def test_allow_and_block(events: Events, expected: str | None) -> None:
    assert reason('"play_video"', events=events) == expected


def test_lists_say_nothing_of_what_has_no_mapping() -> None:
    assert reason('"edx.unheard.of"', events=Events(allow=["edx.unheard.of"])) == "unknown_event"
    assert reason('"/login"', events=Events(block=["/.*/"])) == "page_request"
