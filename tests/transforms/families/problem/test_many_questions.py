"""One record never becomes hundreds of thousands of statements."""

from __future__ import annotations

import json

import pytest

from edx2lrs.pipeline.reference.examples_site import translator_of_examples
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.mapping.xapi_statement import MOST_PARTS
from edx2lrs.transforms.records.parse import parse


@pytest.mark.parametrize("questions", [MOST_PARTS, MOST_PARTS + 1, 300_000])
def test_a_problem_of_many_questions(questions: int) -> None:
    data = {"problem_id": "block-v1:edX+DemoX+2020+type@problem+block@x", "submission": dict.fromkeys(map(str, range(questions)))}
    context = {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"}
    record = {"name": "problem_check", "event_source": "server", "time": "2026-01-01T00:00:00Z", "context": context, "event": data}
    event = parse(json.dumps(record).encode())
    assert isinstance(event, Event)
    made = translator_of_examples("xapi").translate(event)
    if questions <= MOST_PARTS:
        assert isinstance(made, tuple)
        assert len(made) == questions + 1
    else:
        assert isinstance(made, Refusal)
        assert made.cause == "too_many"
    assert isinstance(translator_of_examples("caliper").translate(event), tuple)
