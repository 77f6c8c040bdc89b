"""Ids of statements: the values were computed by event-routing-backends 9.3.8 for the same events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.people.actor import Actor, account_actor
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator


def test_ids_are_those_of_erb(translate: Callable[..., Any], record: Callable[..., Any]) -> None:
    submission = {key: {"question": "?", "answer": "a", "response_type": "stringresponse"} for key in ("aa_2_1", "aa_3_1")}
    data = {"problem_id": "block-v1:edX+DemoX+2020+type@problem+block@aa", "submission": submission}
    assert [statement["id"] for statement in translate(record("problem_check", data))] == [
        "038c53f7-1882-5473-9176-9bdf363e81fb",
        "5baee660-f8b5-5b56-b271-ce23ec4b0651",
        "7da727d1-5170-54bc-91f5-e87336a4fa63",
    ]


def test_strict_ids_tell_objects_apart(translate: Callable[..., Any], record: Callable[..., Any]) -> None:
    lines = [record("play_video", {"id": name}) for name in ("v", "w")]
    erb, strict = ([translate(line, statement_ids=kind)[0]["id"] for line in lines] for kind in ("erb", "strict"))
    assert erb[0] == erb[1]
    assert strict[0] != strict[1]
    assert {UUID(id_).version for id_ in (*erb, *strict)} == {5}


def nobody(_: Event) -> Actor:
    return account_actor("https://x.example", "a")


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_the_id_is_the_one_in_the_body(protocol: Any) -> None:
    translator = Translator(protocol, "https://x.example", nobody, {}.get)
    line = b'{"name": "play_video", "time": 0, "event": {"id": "v"}, "context": {"course_id": "course-v1:a+b+c"}}'
    made = translator.translate(parse(line))  # type: ignore[arg-type]
    assert isinstance(made, tuple)
    assert str(UUID(made[0].id)).encode() in made[0].body
