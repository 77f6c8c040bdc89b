"""A value that its standard does not allow costs the value, not the statement."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from edx2lrs.pipeline.reference.examples_site import translator_of_examples
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.parse import parse

PROBLEM = "block-v1:edX+DemoX+2020+type@problem+block@aa"
GRADED = {"problem_id": PROBLEM, "attempts": 1, "success": "correct"}


def left_out(record: dict[str, Any], protocol: Any = "xapi") -> list[str]:
    event = parse(json.dumps(record).encode())
    assert not isinstance(event, Refusal)
    made = translator_of_examples(protocol).translate(event)
    assert isinstance(made, tuple)
    return [place for statement in made for place in statement.left_out]


@pytest.mark.parametrize(
    ("name", "payload", "protocol", "places"),
    [
        ("play_video", {"id": "v", "currentTime": 1.5}, "xapi", []),
        ("play_video", {"id": "v", "currentTime": "soon"}, "xapi", ["result.extensions.time"]),
        ("complete_video", {"id": "v", "duration": -1}, "caliper", ["object.duration"]),
        ("problem_check", {**GRADED, "grade": 3, "max_grade": 2}, "xapi", ["result.score"]),
        ("problem_check", {**GRADED, "grade": True, "max_grade": 2}, "caliper", ["generated.scoreGiven"]),
        (
            "edx.completion.block_completion.changed", {"block_id": PROBLEM, "completion": 7}, "xapi",
            ["result.completion", "result.extensions.progress"],
        ),
        ("edx.ui.lms.link_clicked", {"target_url": "http://[x]/", "current_url": "https://x.org/"}, "xapi", ["object.id"]),
    ],
)
def test_what_a_statement_cannot_have_is_left_out_and_named(
    record: Callable[..., Any], name: str, payload: dict[str, Any], protocol: str, places: list[str]
) -> None:
    assert left_out(record(name, payload), protocol) == places


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_a_statement_without_an_object_is_refused(translate: Callable[..., Any], record: Callable[..., Any], protocol: str) -> None:
    for name, payload in (("play_video", {"id": "a b"}), ("edx.ui.lms.link_clicked", {"target_url": "http://[x]/"})):
        assert isinstance(translate(record(name, payload), protocol), Refusal)
