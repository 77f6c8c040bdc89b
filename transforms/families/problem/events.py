"""Problems that learners answer (capa)."""

from __future__ import annotations

import msgspec

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.fields import BlockKey, EventData, JsonValue, Scalar, SourceEvent, SubmittedText, Text
from edx2lrs.transforms.keys.problem_inputs import named_in_inputs, named_in_referrer


class Module(msgspec.Struct, gc=False):
    """``context.module``: the block that sent the event."""

    display_name: Text = None
    usage_key: BlockKey = None


class ProblemContext(msgspec.Struct, gc=False):
    module: Module | None = None


class Submission(msgspec.Struct, gc=False):
    """The answer to one question of a problem."""

    question: Text = None
    answer: JsonValue = None
    response_type: Scalar = None
    correct: Scalar = None


class ProblemData(EventData, gc=False):
    """The problem's usage key."""

    problem_id: BlockKey = None
    module_id: BlockKey = None


class ProblemCheckData(ProblemData, gc=False):
    """A graded attempt. ``submission`` has one entry for each question, keyed by the question's input id."""

    attempts: Scalar = None
    success: Scalar = None
    grade: Scalar = None
    max_grade: Scalar = None
    answers: JsonValue = None
    submission: dict[str, Submission | None] | None = None


def further_keys(event: Event) -> list[str | None]:
    """The problem that a form's inputs or the page's address name, and the questions' input ids."""
    named = named_in_referrer(event.referrer, "problem")
    if isinstance(event.data, SubmittedText):
        return [named, named_in_inputs(event.data.text)]
    return [named, *(getattr(event.data, "submission", None) or ())]


EVENTS = {
    "problem_check": SourceEvent(
        "problem", ProblemCheckData, ProblemContext, text_allowed=True, aliases=("save_problem_check",), further_keys=further_keys
    )
}
