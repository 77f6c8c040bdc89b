"""A filter or a rule that crashes lets the event through to nobody: it is a dead letter."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.records import Record
from edx2lrs.pipeline.steps import Chunk, FilterEvents, MatchConsumers, Parsed
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.event import Event


def crash(_: Event) -> Any:
    raise RuntimeError("with data of the record")


@pytest.mark.parametrize("step_type", [FilterEvents, MatchConsumers])
def test_what_crashes_lets_nothing_through(step_type: Any) -> None:
    step = step_type(JobSpec("c.yaml"))
    step.compiled = SimpleNamespace(filter_event=crash, match=crash, names=("c",))
    step.start_bundle()
    outputs = list(step.process(Chunk([Parsed(Record("log", 1, None, b"{}"), Event("play_video"))])))
    (failure,) = [output.value for output in outputs]
    assert (failure.stage, failure.cause) == (step.stage, "crash")
    assert "with data of the record" not in failure.message
    assert {key: number for key, number in step.tally.items() if number} == {Counted("", "dead", "crash"): 1}
