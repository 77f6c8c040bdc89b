"""What is remembered: short values, as many as was said; never a long text, wherever a record has it."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest

from edx2lrs.pipeline.app.translate import example_translator
from edx2lrs.transforms.config_types import Access, AccessRule, Consumer, UserRule
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.formats import remembered as module
from edx2lrs.transforms.formats.remembered import LONGEST, remembered
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.records.parse import parse
from testkit.tracking_records import record

LONG = 4_000


def test_a_result_is_made_once() -> None:
    made: list[Any] = []

    @remembered(2)
    def length(text: str) -> int:
        """Of a text."""
        made.append(text)
        return len(text)

    assert (length.__name__, length.__doc__) == ("length", "Of a text.")
    assert [length(text) for text in ("a", "bb", "a", "ccc", "bb", "ccc", "a")] == [1, 2, 1, 3, 2, 3, 1]
    assert made == ["a", "bb", "ccc", "a"]  # the older half goes when a third one comes


def test_of_several_values_and_without_numbers() -> None:
    made: list[Any] = []

    @remembered(10, numbers=False)
    def joined(one: object, other: object = None) -> str:
        made.append((one, other))
        return f"{one}{other}"

    assert [joined("a", 1), joined("a", 1.0), joined("a", True), joined("a"), joined("a"), joined("a", None)] == [
        "a1", "a1.0", "aTrue", "aNone", "aNone", "aNone",
    ]  # fmt: skip
    assert len(made) == 5


@pytest.mark.parametrize("value", ["x" * (LONGEST + 1), ("a", "x" * (LONGEST + 1)), (("x" * (LONGEST + 1),), 1), b"x" * (LONGEST + 1)])
def test_a_long_value_is_not_remembered(value: object) -> None:
    made: list[object] = []

    @remembered(10)
    def same(each: object) -> object:
        made.append(each)
        return each

    same(value)
    same(value)
    assert len(made) == 2


def long_records(number: int) -> list[dict[str, Any]]:
    """Records with a long value of their own in each field that records have, one field at a time."""
    text = f"{number:05}" + "x" * LONG
    key = f"block-v1:edX+D+1+type@video+block@{text}"
    form = {"problem_id": key, "submission": {text: {"question": text, "answer": text, "response_type": "s", "correct": True}}}
    return [
        record("play_video", {"id": text}),
        record("play_video", {"id": key, "duration": text, "currentTime": text}),
        record("play_video", {"id": "v"}, {"course_id": f"course-v1:edX+{text}+1", "enterprise_uuid": text}),
        record("play_video", {"id": "v"}, {"user_id": None}, username=text, session=text),
        record("play_video", {"id": "v"}, {"user_id": None}, username="", session=text, host=text, referer=text),
        record("problem_check", form),
        record("problem_check", {**form, "submission": {"a_2_1": {}, text: {}}}),
        record("problem_check", f"input_{text}_2_1=a", event_source="browser", referer=f"https://x/?activate_block_id={key}"),
        record("edx.ui.lms.link_clicked", {"target_url": f"https://x.example/{text}", "current_url": f"https://x/{text}"}),
        record("edx.forum.thread.viewed", {"id": text, "commentable_id": text, "title": text}, {"path": f"/{text}/"}),
        record("edx.completion.block_completion.changed", {"block_id": key, "completion": 1}),
        record("edx.course.enrollment.activated", {"course_id": f"course-v1:edX+{text}+1", "mode": text}),
        record("edx.special_exam.timed.attempt.created", {"exam_content_id": key, "exam_name": text, "attempt_code": text}),
    ]


def longest_text(value: object) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    return max(map(longest_text, value), default=0) if isinstance(value, (tuple, frozenset)) else 0


def test_no_memory_keeps_a_long_value_of_a_record() -> None:
    access = Access(
        courses=AccessRule(block=["x"]), orgs=AccessRule(block=["y"]), users=UserRule(block=["nobody-else", 9]),
        sites=AccessRule(block=["z"]), enterprises=AccessRule(block=["e"]),
    )
    wishes = {"session": {"not": "s"}, "referer": {"not": "r"}, "username": {"not": "u"}}
    match = Matcher([Consumer(name="c", protocol="xapi", url="https://x", access=access, match_params=wishes)])
    translators = [example_translator(protocol, dialect) for protocol in ("xapi", "caliper") for dialect in ("standard", "erb")]  # type: ignore[arg-type]
    for number in range(3):
        for each in long_records(number):
            event = parse(json.dumps(each).encode())
            if isinstance(event, Event):
                match(event)
                for translator in translators:
                    translator.translate(event)
    memories = [each for each in gc.get_objects() if type(each) is module._Memory]
    assert len(memories) > 10
    assert max((longest_text(key) for memory in memories for key in memory), default=0) <= LONGEST
