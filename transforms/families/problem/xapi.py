"""Submitted and graded problems as xAPI statements.

A browser's event is "attempted", without a result. The server's is "evaluated": one statement for a problem with one question;
for several, a statement with the total and, for each question, one that refers to it (``StatementRef``).
"""

from __future__ import annotations

from functools import lru_cache

from edx2lrs.transforms.families.problem.events import Module, Submission
from edx2lrs.transforms.families.problem.response_format import formatted
from edx2lrs.transforms.families.problem.shared import kind, only_submission, problem_iri, submissions
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows, Unmappable
from edx2lrs.transforms.mapping.values import response_text, success
from edx2lrs.transforms.mapping.xapi_score import score
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, GroupMapping, StatementMapping, VariantMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import (
    ATTEMPT_ID,
    ATTEMPTED,
    CMI_INTERACTION,
    EVALUATED,
    INTERACTION_TYPES,
    definition,
)

MAPPING_VERSION = 1


def attempt(attempts: object) -> object:
    """Which attempt it was; nothing for 0."""
    return attempts or None


def interaction_type(response_type: object) -> str:
    """xAPI 1.0.3, 2.4.4.1."""
    return INTERACTION_TYPES.get(response_type, "other") if type(response_type) is str else "other"


def name(module: Module) -> str | None:
    """The problem's name, as its author gave it."""
    return module.display_name or None


def formatted_answer(submission: Submission, key: str, answers: object) -> str | None:
    """In the interaction type's format. ``answers``: what the page sent, by the questions' input ids."""
    chosen = answers.get(key) if isinstance(answers, dict) else None
    return formatted(interaction_type(submission.response_type), submission.answer, chosen)


def formatted_answer_to_only(submission: Submission, submitted: dict[str, Submission | None], answers: object) -> str | None:
    return formatted_answer(submission, next(iter(submitted)), answers)


@lru_cache(16_384)  # a site has few questions, and many answers to each
def part_iri(root: str, key: str, problem: str) -> str:
    """The question's id: the problem's usage key with all after its last ``@`` replaced by the question's input id. Raises
    Unmappable for an empty one."""
    if not key:
        raise Unmappable("data.submission: expected the input id of each question, found an empty text", "missing")
    before, at, _ = problem.removeprefix(f"{root}/xblock/").rpartition("@")
    return f"{root}/xblock/{before}{at}{key}"


_NOTHING = Submission()


def _tells_nothing(submission: Submission) -> bool:
    return submission.question is None and submission == _NOTHING


def name_of_part(submission: Submission, module: Module | None) -> str | None:
    """The problem's name for a question about which the record tells nothing."""
    return name(module) if module and _tells_nothing(submission) else None


def part_answered_right(submission: Submission, whole: object) -> bool | None:
    return success(whole if _tells_nothing(submission) else submission.correct)


ABOUT_THE_PROBLEM: Rows = (
    Row(("object", "id"), ("site.root", "data", "context", "course_id", "referrer"), problem_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), CMI_INTERACTION),
    *IN_COURSE,
)
SUBMITTED: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    Row((*definition("name"), "en-US"), "context.module", name),
)
GRADED: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    Row((*definition("extensions"), ATTEMPT_ID), "data.attempts", attempt),
    Row((*definition("name"), "en-US"), "context.module", name),
    Row(("result", "response"), "data.answers", response_text, free_text="response"),
    Row(("result", "success"), "data.success", success),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_QUESTION: Rows = (
    *ABOUT_THE_PROBLEM,
    Row(definition("interactionType"), ("part.response_type",), interaction_type),
    Row((*definition("extensions"), ATTEMPT_ID), "data.attempts", attempt),
    Row((*definition("description"), "en-US"), "part.question"),
    Row(("result", "response"), "part.answer", response_text, free_text="response"),
    Row(("result", "success"), "part.correct", success),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_WHOLE: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    Row((*definition("extensions"), ATTEMPT_ID), "data.attempts", attempt),
    Row((*definition("name"), "en-US"), "context.module", name),
    Row(("result", "success"), "data.success", success),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_PART: Rows = (
    Row(("object", "id"), ("site.root", "part_key", "whole.object_id"), part_iri),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), CMI_INTERACTION),
    Row(definition("interactionType"), ("part.response_type",), interaction_type),
    Row((*definition("extensions"), ATTEMPT_ID), "data.attempts", attempt),
    Row((*definition("description"), "en-US"), "part.question"),
    Row((*definition("name"), "en-US"), ("part", "context.module"), name_of_part),
    Row(("result", "response"), "part.answer", response_text, free_text="response"),
    Row(("result", "success"), ("part", "data.success"), part_answered_right),
    Constant(("context", "statement", "objectType"), "StatementRef"),
    Row(("context", "statement", "id"), "whole.id"),
    Row(("context", "contextActivities"), "whole.activities"),
)

FORMATTED_QUESTION: Rows = (
    *GRADED_QUESTION,
    Row(("result", "response"), ("part", "data.submission", "data.answers"), formatted_answer_to_only, free_text="response"),
)
FORMATTED_PART: Rows = (
    *GRADED_PART,
    Row(("result", "response"), ("part", "part_key", "data.answers"), formatted_answer, free_text="response"),
)

_VARIANTS: dict[str, StatementMapping | GroupMapping] = {
    "submitted": StatementMapping(ATTEMPTED, SUBMITTED),
    "graded": StatementMapping(EVALUATED, GRADED),
    "graded_question": StatementMapping(EVALUATED, GRADED_QUESTION, part=only_submission),
    "graded_group": GroupMapping(StatementMapping(EVALUATED, GRADED_WHOLE), GRADED_PART, submissions),
}
MAPPINGS = {"problem_check": VariantMapping(kind, _VARIANTS)}
MAPPINGS_WITH_STANDARD_RESPONSES = {
    "problem_check": VariantMapping(
        kind,
        {
            **_VARIANTS,
            "graded_question": StatementMapping(EVALUATED, FORMATTED_QUESTION, part=only_submission),
            "graded_group": GroupMapping(StatementMapping(EVALUATED, GRADED_WHOLE), FORMATTED_PART, submissions),
        },
    ),
}
"""Instead of those in ``MAPPINGS``, for who wants responses in the formats of the interaction types."""
