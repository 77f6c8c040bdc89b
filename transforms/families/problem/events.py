"""Problems that learners answer (capa)."""

from __future__ import annotations

import msgspec

from edx2lrs.transforms.fields import EventData, JsonValue, Scalar, SourceEvent, Text


class Module(msgspec.Struct, gc=False):
    """``context.module``: the block that sent the event."""

    display_name: Text = None
    usage_key: Scalar = None


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

    problem_id: Scalar = None
    module_id: Scalar = None


class ProblemCheckData(ProblemData, gc=False):
    """A graded attempt. ``submission`` has one entry for each question, keyed by the question's input id."""

    attempts: Scalar = None
    success: Scalar = None
    grade: Scalar = None
    max_grade: Scalar = None
    answers: JsonValue = None
    submission: dict[str, Submission | None] | None = None


EVENTS = {"problem_check": SourceEvent("problem", ProblemCheckData, ProblemContext, text_allowed=True)}
