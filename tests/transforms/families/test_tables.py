"""The mapping tables themselves: what they read is declared, and their compiler says what is wrong with a value."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tincan import Activity, Statement, Verb

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.problem.events import Submission
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.mapping import xapi_vocabulary as vocabulary
from edx2lrs.transforms.mapping.caliper_event import EventMapping
from edx2lrs.transforms.mapping.row_compiler import Identity, Options, compile_rows, source_of, sources
from edx2lrs.transforms.mapping.rows import Constant, Row
from edx2lrs.transforms.mapping.xapi_statement import GroupMapping, StatementMapping
from edx2lrs.transforms.people.actor import account_actor


class FrozenArgs(dict[str, Any]):
    """Arguments that can be part of a key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(json.dumps(self, sort_keys=True))


SOMEBODY = account_actor("https://lms.example.com", "somebody")
FIXTURES = sorted((Path(__file__).parents[3] / "transforms" / "families").glob("*/examples/*.json"))


def tables(mapping: Any) -> Iterator[tuple[Row | Constant, ...]]:
    if isinstance(mapping, (StatementMapping, EventMapping)):
        yield mapping.rows
    elif isinstance(mapping, GroupMapping):
        yield mapping.whole.rows
        yield mapping.part_rows
    else:
        for variant in mapping.variants.values():
            yield from tables(variant)


@pytest.mark.parametrize(("name", "mapping"), [*mappings("xapi").items(), *mappings("caliper").items()])
def test_a_table_reads_declared_fields_and_no_person(name: str, mapping: Any) -> None:
    source_event = SOURCE_EVENTS[name]
    people = {"user_id", "username"}  # only ``anonymise`` reads who it was
    declared = {
        *(field for field in Event.__struct_fields__ if field not in people),
        *(f"data.{field}" for field in source_event.data.__struct_fields__ if field not in people),
        *(f"context.{field}" for field in getattr(source_event.context, "__struct_fields__", ())),
        *(
            "course.id",
            "course.name",
            "course.activities",
            "actor.anonymous_id",
            "actor.person",
            "site.root",
            *(f"part.{field}" for field in Submission.__struct_fields__),
            "part",
            "part_key",
            "whole.id",
            "whole.object_id",
            "whole.activities",
        ),
    }
    read = {path for rows in tables(mapping) for row in rows for path in sources(row)}
    assert read <= declared


def test_a_function_is_generated_for_a_table() -> None:
    rows = (Constant(("a", "b"), "it's {1}"), Row(("a", "session"), "session"), Row(("root",), "site.root"))
    identity = Identity(str, "{time}")
    options = Options({"root": "r"}, {})
    assert ',"session":' in source_of(rows, identity, options)
    build = compile_rows(rows, identity, options)
    assert json.loads(build(Event("n", time="t"), SOMEBODY, None)[0].body) == {"id": "t", "a": {"b": "it's {1}"}, "root": "r"}
    made = build(Event("n", time="t", session='"'), SOMEBODY, None)[0]
    assert json.loads(made.body)["a"] == {"b": "it's {1}", "session": '"'}
    with pytest.raises(KeyError):
        compile_rows(rows, identity, Options({}, {}))


def test_what_learners_wrote_is_left_out_where_it_is_redacted(translate: Callable[..., Any], record: Callable[..., Any]) -> None:
    line = record("problem_check", {"problem_id": "p", "answers": "mine", "success": "correct"})
    assert translate(line)[0]["result"]["response"] == "mine"
    assert "response" not in translate(line, redact=("response",))[0]["result"]


def test_override_args_replace_what_is_at_the_top(translate: Callable[..., Any], record: Callable[..., Any]) -> None:
    line = record("play_video", {"id": "v"})
    usual, overridden = translate(line)[0], translate(line, override_args=FrozenArgs({"verb": {"id": "urn:v"}, "new": 1}))[0]
    assert overridden == {**usual, "verb": {"id": "urn:v"}, "new": 1}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_tincan_reads_our_statements_and_prints_them_unchanged(translate: Callable[..., Any], path: Path) -> None:
    for statement in translate(json.loads(path.read_text(encoding="utf-8"))["sources"][0]) or ():
        printed = json.loads(Statement(json.loads(json.dumps(statement))).to_json())
        assert printed == statement


def test_the_vocabulary_is_made_of_verbs_and_iris() -> None:
    for name, term in vars(vocabulary).items():
        if name.isupper() and isinstance(term, dict) and "display" in term:
            assert json.loads(Verb(term).to_json()) == term
        elif name.isupper() and isinstance(term, str) and not name.startswith("_"):
            assert Activity(id=term).id.startswith(("http://", "https://"))


def test_a_complaint_names_the_field_and_not_its_value(translate: Callable[..., Any], record: Callable[..., Any]) -> None:
    refusal = translate(record("play_video", {"id": "v", "currentTime": "secret"}))
    assert refusal == Refusal(
        "translate", "wrong_type", "data.current_time, data.currentTime: expected a number of seconds, found a text"
    )
    refusal = translate(record("play_video", {}))
    assert refusal == Refusal("translate", "missing", "course_id or data.id is missing; object.id needs it")
