"""The mapping tables themselves: what they read is declared, and their compiler says what is wrong with a value."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tincan import Activity, Statement, Verb

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.declared_fields import declared_fields
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.families.tables import paths_of, tables
from edx2lrs.transforms.fields import SubmittedText
from edx2lrs.transforms.mapping import xapi_vocabulary as vocabulary
from edx2lrs.transforms.mapping.row_compiler import Identity, Options, compile_rows, source_of
from edx2lrs.transforms.mapping.rows import Constant, Row
from edx2lrs.transforms.people.actor import account_actor


class FrozenArgs(dict[str, Any]):
    """Arguments that can be part of a key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(json.dumps(self, sort_keys=True))


SOMEBODY = account_actor("https://lms.example.com", "somebody")
FIXTURES = sorted((Path(__file__).parents[3] / "transforms" / "families").glob("*/examples/*.json"))


@pytest.mark.parametrize(("name", "mapping"), [*mappings("xapi").items(), *mappings("caliper").items()])
def test_a_table_reads_declared_fields_and_no_person(name: str, mapping: Any) -> None:
    source_event = SOURCE_EVENTS[name]
    payloads = [source_event.data, *([SubmittedText] if source_event.text_allowed else [])]
    fields = [field for payload in payloads for field in declared_fields(payload, "data", ("data",))]
    fields += declared_fields(source_event.context, "context", ("context",)) if source_event.context else ()
    people = {"user_id", "username", "data.user_id", "data.username"}  # only ``anonymise`` reads who it was
    declared = {*Event.__struct_fields__, *(".".join(field.attributes) for field in fields)} - people - {"data", "context"}
    declared |= {"course.id", "course.name", "course.activities", "object.id", "actor.anonymous_id", "actor.person"}
    declared |= {"site.root", "site.plain_links"}
    declared |= {"whole.id", "whole.object_id", "whole.activities"}
    for table in tables(mapping):
        assert {*table.choices, *(path for row in table.rows for path in paths_of(row, table))} <= declared


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
        assert printed == {**statement, "version": "1.0.3"}  # tincan adds a version


def test_the_vocabulary_is_made_of_verbs_and_iris() -> None:
    for name, term in vars(vocabulary).items():
        if name.isupper() and isinstance(term, dict) and "display" in term:
            assert json.loads(Verb(term).to_json()) == term
        elif name.isupper() and isinstance(term, str) and not name.startswith("_"):
            assert Activity(id=term).id.startswith(("http://", "https://"))


def test_a_complaint_names_the_field_and_not_its_value(translate: Callable[..., Any], record: Callable[..., Any]) -> None:
    refusal = translate(record("edx.ui.lms.link_clicked", {"target_url": "http://[secret", "current_url": "/"}))
    assert refusal == Refusal("guard", "invalid", refusal.message)
    assert "secret" not in refusal.message
    refusal = translate(record("play_video", {}))
    assert refusal == Refusal("translate", "missing", "course_id or data.id is missing; object.id needs it")
