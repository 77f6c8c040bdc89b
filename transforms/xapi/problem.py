"""Submitted and graded problems as xAPI statements.

A browser's event is "attempted", without a result. The server's is "evaluated": one statement for a problem with one question; for
several, a statement with the total and, for each question, one that refers to it (``StatementRef``).
"""

from __future__ import annotations

from typing import Any

from edx2lrs.transforms.events.problem import Submission
from edx2lrs.transforms.mapping import Constant, Row, Rows
from edx2lrs.transforms.problem import display_name, kind, only_submission, problem_iri, submissions
from edx2lrs.transforms.values import number, response_text, success
from edx2lrs.transforms.xapi.statement import IN_COURSE, GroupMapping, StatementMapping, VariantMapping
from edx2lrs.transforms.xapi.vocabulary import (
    ATTEMPT_ID,
    ATTEMPTED,
    CMI_INTERACTION,
    EVALUATED,
    INTERACTION_TYPES,
    definition,
)

MAPPING_VERSION = 1

Submissions = dict[str, "Submission | None"] | None


def attempt(attempts: object) -> dict[str, Any] | None:
    """Which attempt it was, as the definition's extensions; nothing for 0."""
    return {ATTEMPT_ID: attempts} if attempts else None


def interaction_type(submission: Submission | None) -> str:
    """xAPI 1.0.3, 2.4.4.1."""
    response_type = submission.response_type if submission else None
    return INTERACTION_TYPES.get(response_type, "other") if isinstance(response_type, str) else "other"


def question(submission: Submission | None) -> dict[str, str] | None:
    """The question's text, as the definition's description."""
    return {"en-US": submission.question} if submission and submission.question is not None else None


def interaction_type_of_only(submitted: Submissions) -> str:
    return interaction_type(only_submission(submitted))


def question_of_only(submitted: Submissions) -> dict[str, str] | None:
    return question(only_submission(submitted))


def name_without_question(submitted: Submissions, module: Any) -> dict[str, str] | None:
    """The problem's name, where no question says what it is about."""
    return None if only_submission(submitted) else name(module)


def name(module: Any) -> dict[str, str] | None:
    shown = display_name(module) if module else None
    return {"en-US": shown} if shown else None


def name_of_part(submission: Submission, module: Any) -> dict[str, str] | None:
    return name(module) if submission == Submission() else None


def response(submitted: Submissions, answers: object) -> str | None:
    """The answer to the only question; without details about it, all that was answered."""
    only = only_submission(submitted)
    return response_text(only.answer if only else answers)


def success_of_only(submitted: Submissions, whole: object) -> bool | None:
    """Whether the only question was answered right; without details about it, whether the problem was."""
    only = only_submission(submitted)
    return success(only.correct if only else whole)


def score(grade: object, max_grade: object) -> dict[str, float]:
    """xAPI 1.0.3, 2.4.5.1. ``max`` must be greater than ``min``: it is left out where there was nothing to earn."""
    made = {"min": 0.0}
    possible = None if max_grade is None or max_grade == "" else float(number(max_grade))
    earned = None if grade is None or grade == "" else float(number(grade))
    if possible is not None and possible > 0:
        made["max"] = possible
    if earned is not None:
        made["raw"] = earned
        if possible is not None:
            made["scaled"] = earned / possible if possible > 0 else 0.0
    return made


def part_iri(root: str, key: str, whole: dict[str, Any]) -> str:
    """The question's id: the problem's usage key with all after its last ``@`` replaced by the question's input id."""
    before, at, _ = str(whole["object"]["id"]).removeprefix(f"{root}/xblock/").rpartition("@")
    return f"{root}/xblock/{before}{at}{key}"


def reference(whole: dict[str, Any]) -> dict[str, str]:
    """xAPI 1.0.3, 2.4.4.3: the statement that this one is a part of."""
    return {"objectType": "StatementRef", "id": whole["id"]}


def activities_of_part(whole: dict[str, Any]) -> dict[str, Any]:
    """The whole's object as the parent; what was the whole's parent, as a grouping."""
    course = whole["context"].get("contextActivities")
    return {"parent": [whole["object"]], "grouping": course["parent"]} if course else {"parent": [whole["object"]]}


def success_of_part(submission: Submission, whole: object) -> bool | None:
    return success(whole if submission == Submission() else submission.correct)


def response_of_part(submission: Submission) -> str | None:
    return response_text(submission.answer)


ABOUT_THE_PROBLEM: Rows = (
    Row(("object", "id"), ("site.root", "data", "context", "course_id", "referrer"), problem_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), CMI_INTERACTION),
    *IN_COURSE,
)
SUBMITTED: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    Row(definition("name"), "context.module", name),
)
GRADED: Rows = (
    *ABOUT_THE_PROBLEM,
    Row(definition("extensions"), "data.attempts", attempt),
    Row(definition("interactionType"), ("data.submission",), interaction_type_of_only),
    Row(definition("description"), "data.submission", question_of_only),
    Row(definition("name"), ("data.submission", "context.module"), name_without_question),
    Row(("result", "response"), ("data.submission", "data.answers"), response),
    Row(("result", "success"), ("data.submission", "data.success"), success_of_only),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_WHOLE: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    Row(definition("extensions"), "data.attempts", attempt),
    Row(definition("name"), "context.module", name),
    Row(("result", "success"), "data.success", success),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_PART: Rows = (
    Row(("object", "id"), ("site.root", "part_key", "whole"), part_iri),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), CMI_INTERACTION),
    Row(definition("interactionType"), "part", interaction_type),
    Row(definition("extensions"), "data.attempts", attempt),
    Row(definition("description"), "part", question),
    Row(definition("name"), ("part", "context.module"), name_of_part),
    Row(("result", "response"), "part", response_of_part),
    Row(("result", "success"), ("part", "data.success"), success_of_part),
    Row(("context", "statement"), "whole", reference),
    Row(("context", "contextActivities"), "whole", activities_of_part),
)

MAPPINGS = {
    "problem_check": VariantMapping(
        kind,
        {
            "submitted": StatementMapping(ATTEMPTED, SUBMITTED),
            "graded": StatementMapping(EVALUATED, GRADED),
            "graded_group": GroupMapping(StatementMapping(EVALUATED, GRADED_WHOLE), GRADED_PART, submissions),
        },
    ),
}
