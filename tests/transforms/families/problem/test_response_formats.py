"""The option ``response_format: standard``: answers in their interaction types' formats (xAPI 1.0.3, 2.4.4.1, appendix C)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from edx2lrs.transforms.config_types import TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.people.actor import account_actor
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator

PROBLEM = "block-v1:edX+DemoX+2020+type@problem+block@aa"
Responses = Callable[..., list[Any]]


@pytest.fixture
def responses(record: Callable[..., Any]) -> Responses:
    """The responses of all statements about a graded problem: ``{input id: (response type, answer, what the page sent)}``."""
    actor = account_actor("https://lms.example.com", "somebody")

    def run(questions: dict[str, tuple[str, Any, Any]], **options: Any) -> list[Any]:
        submission = {key: {"response_type": kind, "answer": answer} for key, (kind, answer, _) in questions.items()}
        answers = {key: chosen for key, (_, _, chosen) in questions.items()}
        data = {"problem_id": PROBLEM, "grade": 1, "max_grade": 2, "submission": submission, "answers": answers}
        event = parse(json.dumps(record("problem_check", data)).encode())
        assert isinstance(event, Event)
        of_consumer = TranslationOptions(**{"response_format": "standard", **options})
        made = Translator("xapi", "https://lms.example.com", lambda _: actor, lambda _: None, of_consumer).translate(event)
        assert isinstance(made, tuple)
        return [json.loads(statement.body)["result"].get("response") for statement in made]

    return run


CASES = [
    ("choiceresponse", ["tuple", "str"], ["choice_0", "choice_2"], "choice_0[,]choice_2"),
    ("multiplechoiceresponse", "O(log n)", "choice_1", "choice_1"),
    ("optionresponse", "DNA", "DNA", "DNA"),
    ("choiceresponse", ["one", "two"], None, "one[,]two"),
    ("choiceresponse", ["one[,]", "two"], None, '["one[,]", "two"]'),
    ("choiceresponse", [], [], "[]"),
    ("numericalresponse", " 1.2e1 ", "1.2e1 ", "1.2e1"),
    ("numericalresponse", 12.5, "12.5", "12.5"),
    ("numericalresponse", "3/4 m", "3/4 m", "3/4 m"),
    ("truefalseresponse", "True", "choice_0", "true"),
    ("truefalseresponse", ["False"], ["choice_1"], "false"),
    ("truefalseresponse", "perhaps", "choice_1", "perhaps"),
    ("stringresponse", ["a", "b"], ["a", "b"], "a[,]b"),
    ("stringresponse", "l'œuvre", "l'œuvre", "l'œuvre"),
    ("imageresponse", {"flag": "pole", "sun": "sky"}, None, "flag[.]pole[,]sun[.]sky"),
    ("imageresponse", "[174,130]", "[174,130]", "[174,130]"),
    ("customresponse", ["a", "b"], ["a", "b"], '["a", "b"]'),
    ("choiceresponse", "", "", None),
]


@pytest.mark.parametrize(("kind", "answer", "chosen", "response"), CASES)
def test_an_answer_has_its_types_format(responses: Responses, kind: str, answer: Any, chosen: Any, response: Any) -> None:
    assert responses({"aa_2_1": (kind, answer, chosen)}) == [response]


def test_each_of_several_questions_has_its_own_format(responses: Responses) -> None:
    questions = {f"aa_{n + 2}_1": case[:3] for n, case in enumerate(CASES[:3])}
    assert responses(questions) == [None, *(case[3] for case in CASES[:3])]


def test_a_consumer_may_do_without_them(responses: Responses) -> None:
    assert responses({"aa_2_1": CASES[0][:3]}, redact=("response",)) == [None]


def test_without_the_option_answers_are_as_consumers_of_erb_know_them(
    translate: Callable[..., Any], record: Callable[..., Any]
) -> None:
    data = {
        "problem_id": PROBLEM,
        "answers": {"aa_2_1": ["choice_0", "choice_2"]},
        "submission": {"aa_2_1": {"response_type": "choiceresponse", "answer": ["tuple", "str"]}},
    }
    assert translate(record("problem_check", data))[0]["result"]["response"] == '["tuple", "str"]'
