"""Nothing undeclared of a record is ever decoded, and no refusal holds a value (``testkit.canaries``)."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
import pytest

from edx2lrs.pipeline.app.translate import example_translator, translate_line
from edx2lrs.transforms.config_types import Events
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.fields import SubmittedText
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.records.parse import parse
from testkit import canaries

MANY = pytest.param(200_000, marks=[pytest.mark.engine, pytest.mark.soak])


@pytest.mark.parametrize("count", [10_000, MANY])
def test_nothing_undeclared_is_ever_decoded_and_no_error_holds_a_value(count: int) -> None:
    translators = [example_translator("xapi"), example_translator("caliper")]
    wanted = EventFilter(Events())
    encode = msgspec.json.Encoder().encode
    became: Counter[str] = Counter()
    for line in canaries.people(count, seed=1):
        event = parse(line)
        if isinstance(event, Event) and event.data is not None and not isinstance(event.data, SubmittedText):
            assert not canaries.UNDECLARED.search(encode(event)), line
        for translator in translators:
            for outcome in translate_line(line, translator, wanted):
                assert not any(canaries.UNDECLARED.search(body) for body in outcome.bodies), line
                said = repr((outcome.failure, outcome.skipped)).encode()
                assert not canaries.UNDECLARED.search(said), said
                assert not canaries.DECLARED.search(said), said
                became[outcome.failure.cause if outcome.failure else outcome.skipped or "statement"] += 1
    assert became["statement"] > count  # of 2 * count: the canaries have not broken them all
    assert {"wrong_type", "not_json", "not_utf8", "bad_text", "bad_time", "bad_course_key", "unknown_event"} <= became.keys()


def test_what_is_declared_comes_out_so_that_canaries_in_it_are_seen() -> None:
    """The search finds what is there."""
    context = {"user_id": 1, "course_id": "course-v1:edX+DemoX+2020"}
    record = {"name": "play_video", "event": {"id": "d3clared"}, "time": "2026-01-01T00:00:00Z", "context": context}
    [outcome] = translate_line(json.dumps(record).encode(), example_translator("xapi"), EventFilter(Events()))
    assert canaries.DECLARED.search(outcome.bodies[0])
    assert canaries.UNDECLARED.search(b" ".join(canaries.people(50, seed=2)))
