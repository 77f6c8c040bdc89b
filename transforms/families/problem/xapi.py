"""Submitted and graded problems as xAPI statements.

A browser's event is "attempted", without a result. The server's is "evaluated": one statement for a problem with one question;
for several, a statement with the total and, for each question, one that refers to it (``StatementRef``).
"""

from __future__ import annotations

from edx2lrs.transforms.event_sources import is_posted
from edx2lrs.transforms.families.problem.events import Submission
from edx2lrs.transforms.families.problem.response_format import formatted
from edx2lrs.transforms.families.problem.shared import FORM, NO_FORM, PROBLEM, problem_iri, problem_iri_of_form
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.mapping.rows import ASPECTS, ERB, STANDARD, Constant, Derived, Row, Rows, Unmappable, VariantMapping
from edx2lrs.transforms.mapping.values import response_text, success
from edx2lrs.transforms.mapping.xapi_score import score
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, GroupMapping, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import (
    ATTEMPT_ID,
    ATTEMPTED,
    CMI_INTERACTION,
    EVALUATED,
    INTERACTION_TYPES,
    context_extension,
    definition,
)

MAPPING_VERSION = 2


def attempt(attempts: object) -> object:
    """Which attempt it was; nothing for 0."""
    return attempts or None


def small_number(attempts: object) -> int:
    """Which attempt it was, as the SQL of Aspects reads it (``CAST(... AS Int16)``). Raises Unmappable for what the SQL cannot read:
    one such statement spoils the whole block of an insert."""
    if type(attempts) is int and 0 < attempts < 2**15:
        return attempts
    raise Unmappable("data.attempts: expected a whole number from 1 to 32,767, which Aspects needs, found another", "unfit_for_aspects")


def judged(found: bool | None) -> bool:
    """Whether an answer was right, which the SQL of Aspects needs (``CAST(... AS Bool)``). Raises Unmappable for what is not told."""
    if found is None:
        raise Unmappable("expected whether the answer was right, which Aspects needs, found nothing", "unfit_for_aspects")
    return found


def success_of_aspects(value: object) -> bool:
    return judged(success(value))


def interaction_type(response_type: object) -> str:
    """xAPI 1.0.3, 2.4.4.1."""
    return INTERACTION_TYPES.get(response_type, "other") if type(response_type) is str else "other"


def formatted_answer(response_type: object, answer: object, key: str, answers: object) -> str | None:
    """In the interaction type's format. ``answers``: what the page sent, by the questions' input ids."""
    chosen = answers.get(key) if isinstance(answers, dict) else None
    return formatted(interaction_type(response_type), answer, chosen)


@remembered(16_384)  # a site has few questions, and many answers to each
def part_iri(root: str, key: str, problem: str) -> str:
    """The question's id: the problem's usage key with all after its last ``@`` replaced by the question's input id. Raises
    Unmappable for an empty one."""
    if not key:
        raise Unmappable("data.submission: expected the input id of each question, found an empty text", "missing")
    before, at, _ = problem.removeprefix(f"{root}/xblock/").rpartition("@")
    return f"{root}/xblock/{before}{at}{key}"


def kind(source: object, form: str | None, response_types: dict[str, object]) -> str:
    """``submitted``, or ``submitted_form`` for a payload that is a form's text: a browser sent answers. ``graded_question`` or
    ``graded_group``: the server judged one question, or several; ``graded``: the record does not tell about questions. Raises
    Unmappable where a server's payload is a text."""
    if is_posted(source):
        return "submitted" if form is None else "submitted_form"
    if form is not None:
        raise Unmappable(NO_FORM)
    if len(response_types) > 1:
        return "graded_group"
    return "graded_question" if any(response_types.values()) else "graded"


def questions(submitted: dict[str, Submission | None]) -> list[tuple[str, Submission]]:
    """The questions of a problem, each by its input id (``NAME_2_1``), in their order."""
    return [(key, submission or Submission()) for key, submission in submitted.items()]


_QUESTION = ("part.question", "part.answer", "part.response_type", "part.correct")


def name_of_part(name: str | None, question: object, answer: object, response_type: object, correct: object) -> str | None:
    """The problem's name for a question about which the record tells nothing."""
    return name or None if question is answer is response_type is correct is None else None


def part_answered_right(whole: object, question: object, answer: object, response_type: object, correct: object) -> bool | None:
    """Whether the question was answered right; the whole problem, where the record tells nothing about the question."""
    return success(whole if question is answer is response_type is correct is None else correct)


def part_judged(whole: object, question: object, answer: object, response_type: object, correct: object) -> bool:
    """As ``part_answered_right``, as Aspects needs it."""
    return judged(part_answered_right(whole, question, answer, response_type, correct))


ABOUT_THE_PROBLEM: Rows = (
    Row(("object", "id"), PROBLEM, problem_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), CMI_INTERACTION),
    *IN_COURSE,
)
WHICH_ATTEMPT: Rows = (
    Row(context_extension(ATTEMPT_ID), "data.attempts", attempt, dialects=STANDARD),
    Row((*definition("extensions"), ATTEMPT_ID), "data.attempts", attempt, dialects=ERB),
    Row((*definition("extensions"), ATTEMPT_ID), ("data.attempts",), small_number, dialects=ASPECTS),
)
SUBMITTED: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    Row((*definition("name"), "en-US"), "context.module.display_name"),
)
SUBMITTED_FORM: Rows = (*SUBMITTED, Row(("object", "id"), FORM, problem_iri_of_form, required=True))
GRADED: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    *WHICH_ATTEMPT,
    Row((*definition("name"), "en-US"), "context.module.display_name"),
    Row(("result", "response"), "data.answers", response_text, free_text="response"),
    Row(("result", "success"), "data.success", success),
    Row(("result", "success"), ("data.success",), success_of_aspects, dialects=ASPECTS),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_QUESTION: Rows = (
    *ABOUT_THE_PROBLEM,
    Row(definition("interactionType"), ("part.response_type",), interaction_type),
    *WHICH_ATTEMPT,
    Row((*definition("description"), "en-US"), "part.question"),
    Row(("result", "response"), "part.answer", response_text, free_text="response"),
    Row(("result", "success"), "part.correct", success),
    Row(("result", "success"), ("part.correct",), success_of_aspects, dialects=ASPECTS),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_WHOLE: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("interactionType"), "other"),
    *WHICH_ATTEMPT,
    Row((*definition("name"), "en-US"), "context.module.display_name"),
    Row(("result", "success"), "data.success", success),
    Row(("result", "success"), ("data.success",), success_of_aspects, dialects=ASPECTS),
    Row(("result", "score"), ("data.grade", "data.max_grade"), score),
)
GRADED_PART: Rows = (
    Row(("object", "id"), ("site.root", "part_key", "whole.object_id"), part_iri),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), CMI_INTERACTION),
    Row(definition("interactionType"), ("part.response_type",), interaction_type),
    *WHICH_ATTEMPT,
    Row((*definition("description"), "en-US"), "part.question"),
    Row((*definition("name"), "en-US"), ("context.module.display_name", *_QUESTION), name_of_part),
    Row(("result", "response"), "part.answer", response_text, free_text="response"),
    Row(("result", "success"), ("data.success", *_QUESTION), part_answered_right),
    Row(("result", "success"), ("data.success", *_QUESTION), part_judged, dialects=ASPECTS),
    Constant(("context", "statement", "objectType"), "StatementRef"),
    Row(("context", "statement", "id"), "whole.id"),
    Row(("context", "contextActivities"), "whole.activities"),
)

FORMATTED: Rows = (
    Row(
        ("result", "response"), ("part.response_type", "part.answer", "part_key", "data.answers"), formatted_answer,
        free_text="response",
    ),
)

_KIND = Derived(("source", "data.text", "data.submission.*.response_type"), kind)
_QUESTIONS = Derived(("data.submission",), questions)
_VARIANTS: dict[str, StatementMapping | GroupMapping] = {
    "submitted": StatementMapping(ATTEMPTED, SUBMITTED),
    "submitted_form": StatementMapping(ATTEMPTED, SUBMITTED_FORM),
    "graded": StatementMapping(EVALUATED, GRADED),
    "graded_question": StatementMapping(EVALUATED, GRADED_QUESTION, part=_QUESTIONS),
    "graded_group": GroupMapping(StatementMapping(EVALUATED, GRADED_WHOLE), GRADED_PART, _QUESTIONS),
}
MAPPINGS = {"problem_check": VariantMapping(_KIND, _VARIANTS)}
MAPPINGS_WITH_STANDARD_RESPONSES = {
    "problem_check": VariantMapping(
        _KIND,
        {
            **_VARIANTS,
            "graded_question": StatementMapping(EVALUATED, (*GRADED_QUESTION, *FORMATTED), part=_QUESTIONS),
            "graded_group": GroupMapping(StatementMapping(EVALUATED, GRADED_WHOLE), (*GRADED_PART, *FORMATTED), _QUESTIONS),
        },
    )
}
"""Instead of those in ``MAPPINGS``, for who wants responses in the formats of the interaction types."""
