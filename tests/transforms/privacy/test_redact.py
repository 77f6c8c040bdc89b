"""``redact``: what learners write is taken out of all statements of a translator, wherever a mapping puts it; nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.pipeline.app.translate import EXAMPLE_KEY, EXAMPLE_ROOT
from edx2lrs.transforms.config_types import ActorOptions, TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.mappings import PROTOCOLS
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.people.anonymise import Actors
from edx2lrs.transforms.people.course_names import CourseNames
from edx2lrs.transforms.privacy.field_destinations import fields_of, of_event, use_of
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator

FIXTURES = sorted((Path(__file__).parents[3] / "transforms" / "families").glob("*/examples/*.json"))
WORDS = "written by a learner"


def translator(protocol: Any, redact: frozenset[Any] = frozenset()) -> Translator:
    actors = Actors(ActorOptions("hmac", "XAPI", "dead_letter"), EXAMPLE_ROOT, None, EXAMPLE_KEY)
    return Translator(protocol, EXAMPLE_ROOT, actors, CourseNames({}), TranslationOptions(redact=list(redact)))


def statements(record: dict[str, Any], by: Translator) -> list[Any]:
    event = parse(json.dumps(record).encode())
    assert isinstance(event, Event)
    made = by.translate(event)
    assert not isinstance(made, Refusal)
    return [json.loads(statement.body) for statement in made or ()]


def written(value: Any, way: tuple[str, ...]) -> Any:
    """``value`` with the learner's words at the end of ``way``; ``*`` is every key."""
    if not way:
        return WORDS
    if not isinstance(value, dict):
        return value
    keys = value if way[0] == "*" else [way[0]]
    return {**value, **{key: written(value.get(key), way[1:]) for key in keys}}


def free_texts() -> list[Any]:
    """Each fixture that has fields with free text: with the learner's words in all of them that ``redact`` calls by one name."""
    cases = []
    for path in FIXTURES:
        source = json.loads(path.read_text(encoding="utf-8"))["sources"][0]
        name = source["name"]
        payloads: dict[str, Any] = {}
        for field in fields_of(SOURCE_EVENTS[name]):
            for kind in {kind for protocol in PROTOCOLS for kind in use_of(field, of_event(protocol, name)).free_text}:
                payloads[kind] = written(payloads.get(kind, source["event"]), field.attributes[1:])
        cases += [pytest.param({**source, "event": made}, kind, id=f"{path.stem}: {kind}") for kind, made in payloads.items()]
    return cases


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
@pytest.mark.parametrize(("record", "kind"), free_texts())
def test_the_words_are_gone_and_the_rest_is_as_it_was(record: dict[str, Any], kind: Any, protocol: str) -> None:
    plain = statements(record, translator(protocol))
    redacted = statements(record, translator(protocol, frozenset({kind})))
    assert WORDS not in json.dumps(redacted)
    assert [without(WORDS, statement) for statement in plain] == redacted


def without(words: str, value: Any) -> Any:
    """``value`` without keys whose values are ``words``, and without objects that are empty then."""
    if not isinstance(value, dict):
        return value
    kept = {key: without(words, inner) for key, inner in value.items() if inner != words}
    return {key: inner for key, inner in kept.items() if inner != {} or value[key] == {}}


def test_answers_and_titles_are_among_them() -> None:
    found = {case.id for case in free_texts()}
    problems = {"problem_check (one question): response", "problem_check (two questions): response"}
    assert {*problems, "edx.forum.thread.created: title"} <= found


def test_what_is_free_text_in_one_event_is_so_in_every_event() -> None:
    uses = [
        (field.key, use_of(field, of_event(protocol, name)), name)
        for name, source in SOURCE_EVENTS.items()
        for field in fields_of(source)
        for protocol in PROTOCOLS
    ]
    free = {key for key, use, _ in uses if use.free_text}
    assert {"problem.ProblemCheckData.answers", "forum.ForumData.title"} <= free
    assert [(key, name) for key, use, name in uses if key in free and use.destinations and not use.free_text] == []


def test_each_word_takes_out_its_own_alone() -> None:
    thread = {"id": "5f2a", "title": WORDS, "commentable_id": "c"}
    context = {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020", "path": "/api/discussion/v1/threads/"}
    record = {"name": "edx.forum.thread.created", "event": thread, "context": context, "time": "2026-01-01T00:00:00Z"}
    for protocol in ("xapi", "caliper"):
        assert WORDS in json.dumps(statements(record, translator(protocol, frozenset({"response"}))))
        assert WORDS not in json.dumps(statements(record, translator(protocol, frozenset({"response", "title"}))))
