"""Whom an event is about, by who could have written it: for every name, from every source, in both forms of a record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edx2lrs.pipeline.app.translate import example_translator
from edx2lrs.transforms.config_types import Events
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.library import translate_record
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.records.parse import parse

POSTED = ("browser", "mobile", "Server", "desktop")
SITES = ("server", "task", "", None)
ONLY_SERVERS = sorted(name for name, source in SOURCE_EVENTS.items() if source.sources)
ANYBODY = sorted(SOURCE_EVENTS.keys() - ONLY_SERVERS)
COURSE = "course-v1:OrgA+CA+RA"


def line(
    name: str, source: Any, data: Any, form: str = "log", *, user_id: Any = 5, username: Any = "mallory", session: Any = "s"
) -> bytes:
    context = {"user_id": user_id, "course_id": COURSE}
    top = {"username": username, "session": session, **({} if source is None else {"event_source": source})}
    if form == "log":
        record = {"name": name, **top, "context": context, "time": "2023-05-23T13:53:13.000004+00:00", "event": data}
    else:
        record = {"name": name, "timestamp": "2023-05-23T13:53:13.000004+00:00", "data": data, "context": {**context, **top}}
    return json.dumps(record).encode()


def person_of(record: bytes, believed: bool = False) -> Any:
    event = parse(record, believed)
    if isinstance(event, Refusal):
        return event.cause
    return EventFilter(Events())(event) or (event.user_id, event.username)


@pytest.mark.parametrize("form", ["log", "live"])
@pytest.mark.parametrize("source", POSTED)
@pytest.mark.parametrize("name", ANYBODY)
def test_a_learner_speaks_for_nobody_else(name: str, source: str, form: str) -> None:
    victims = ({"user_id": 777}, {"user_id": "777"}, {"user_id": "victim"}, {"username": "victim"}, {"user_id": 5, "username": "eve"})
    for data in victims:
        assert person_of(line(name, source, data, form)) == "forged"
        assert person_of(line(name, source, json.dumps(data), form)) == "forged"
        assert person_of(line(name, source, data, form, user_id=None, username="")) == "forged"
    herself = ({"user_id": 5}, {"user_id": "5", "username": "mallory"}, {"username": "mallory"})
    for data in ({}, {"user_id": None, "username": ""}, *herself):
        assert person_of(line(name, source, data, form)) == (5, "mallory")


@pytest.mark.parametrize("form", ["log", "live"])
@pytest.mark.parametrize("name", ONLY_SERVERS)
def test_a_name_of_servers_counts_from_servers_alone(name: str, form: str) -> None:
    sources = SOURCE_EVENTS[name].sources
    for source in POSTED:
        expected = "forged" if source in sources else "wrong_source"
        assert person_of(line(name, source, {"user_id": 777}, form)) == expected
        assert person_of(line(name, source, {}, form)) == ((5, "mallory") if source in sources else "wrong_source")
        assert source in sources or translate_record(line(name, source, {}, form), example_translator("xapi")) is None
    for source in SITES:
        assert person_of(line(name, source, {}, form)) == (5, "mallory")


@pytest.mark.parametrize("source", SITES)
@pytest.mark.parametrize("name", sorted(SOURCE_EVENTS))
def test_in_events_of_the_site_the_payload_wins(name: str, source: Any) -> None:
    assert person_of(line(name, source, {"user_id": 777})) == (777, None)
    assert person_of(line(name, source, {"user_id": "777.0", "username": " ann\n"})) == (777, "ann")
    assert person_of(line(name, source, {"user_id": 5})) == (5, "mallory")
    assert person_of(line(name, source, {"user_id": "None", "username": "nan"})) == (5, "mallory")


@pytest.mark.parametrize("name", sorted(SOURCE_EVENTS))
def test_as_in_erb_if_the_configuration_says_so(name: str) -> None:
    for source in POSTED:
        assert person_of(line(name, source, {"user_id": 777}), believed=True) == (777, None)


def test_thread_views_come_from_apps_too() -> None:
    assert ONLY_SERVERS[0] == "edx.completion.block_completion.changed"
    assert person_of(line("edx.forum.thread.viewed", "mobile", {"id": "t"})) == (5, "mallory")
    assert person_of(line("edx.forum.thread.viewed", "browser", {"id": "t"})) == "wrong_source"


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_a_learner_does_not_grade(protocol: Any) -> None:
    graded = {"problem_id": "block-v1:OrgA+CA+RA+type@problem+block@p", "grade": 1, "max_grade": 1, "success": "correct", "attempts": 1}
    kinds = {}
    for source in ("browser", "mobile", "server", "task", None):
        made = translate_record(line("problem_check", source, graded), example_translator(protocol))
        assert isinstance(made, tuple)
        body = json.loads(made[0].body)
        kinds[source] = body["verb"]["id"].rpartition("/")[2] if protocol == "xapi" else body["action"]
    posted, judged = ("attempted", "evaluated") if protocol == "xapi" else ("Submitted", "Graded")
    assert kinds == {"browser": posted, "mobile": posted, "server": judged, "task": judged, None: judged}


@pytest.mark.parametrize("form", ["log", "live"])
@pytest.mark.parametrize("user_id", [None, "", 0, "None", "nan"])
@pytest.mark.parametrize("session", [None, "", " ", "None", "null"])
def test_an_event_of_nobody_is_filtered(user_id: Any, session: Any, form: str) -> None:
    assert person_of(line("play_video", "browser", {"id": "v"}, form, user_id=user_id, username="", session=session)) == "nobody"
    assert person_of(line("play_video", "browser", {"id": "v"}, form, user_id=user_id, username="", session="s")) == (None, None)


def test_both_readers_say_the_same() -> None:
    """The second reader reads what msgspec refuses: here, NaN in a field that nobody reads."""
    for data in ({"user_id": 777}, {"user_id": 5}, {"username": "victim"}, {}):
        for name in ("play_video", "edx.course.enrollment.activated"):
            for source in ("browser", "server", None):
                record = line(name, source, data)
                odd = record[:-1] + b', "x": NaN}'
                assert person_of(odd) == person_of(record)


def test_the_person_stays_where_white_space_and_forms_differ() -> None:
    for user_id, username in ((43, "lena"), ("43", "lena\n"), ("43.0", " lena"), (43.0, "\u00a0lena"), ("+43", "lena ")):
        assert person_of(line("play_video", "browser", {}, user_id=user_id, username=username)) == (43, "lena")
    for user_id in ("-1", "1e3", "\uff14\uff13", True, "9" * 30):
        assert person_of(line("play_video", "browser", {}, user_id=user_id)) == "wrong_type"


def test_a_record_without_data_is_an_event_without_data() -> None:
    event = parse(line("showanswer", "browser", {"problem_id": "p"}))
    assert isinstance(event, Event)
    assert (event.data, event.source) == (None, "browser")
