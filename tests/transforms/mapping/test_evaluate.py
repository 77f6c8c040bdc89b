"""The interpreter of rows is the specification of the compiler: both make the same of every example."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import orjson
import pytest
from msgspec.structs import replace

from edx2lrs.pipeline.reference.examples_site import translator_of_examples
from edx2lrs.transforms.config_types import TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.examples import examples_of, read_example
from edx2lrs.transforms.families.packages import packages
from edx2lrs.transforms.mapping import caliper_event, row_compiler, xapi_statement
from edx2lrs.transforms.mapping.evaluate import evaluate
from edx2lrs.transforms.mapping.row_compiler import Identity, Options
from edx2lrs.transforms.mapping.rows import Constant, Derived, Row, Rows, Scope, Unmappable, value_at
from edx2lrs.transforms.mapping.statement import Statement
from edx2lrs.transforms.people.actor import account_actor
from edx2lrs.transforms.records.parse import parse

EXAMPLES = [path for package in packages() for path in examples_of(package)]
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "strict ids": {"statement_ids": "strict"},
    "redact": {"redact": frozenset({"response", "title"})},
    "override_args": {"override_args": {"verb": {"id": "urn:v"}, "id": "x", "added": [1, {"a": None}]}},
    "formats of the interaction types": {"response_format": "standard", "redact": frozenset({"title"})},
}


def interpreted_whole(rows: Rows, identity: Identity, options: Options) -> Callable[..., Any]:
    def build(*scope: Any) -> tuple[Statement, str, bytes]:
        plain = evaluate(rows, Scope(*scope), identity, options._replace(translation=replace(options.translation, override_args={})))
        made = evaluate(rows, Scope(*scope), identity, options)
        about = plain["object"]
        return Statement(plain["id"].removeprefix(identity.prefix), orjson.dumps(made)), about["id"], orjson.dumps(about)

    return build


def interpreted(rows: Rows, identity: Identity, options: Options) -> Callable[..., Any]:
    build = interpreted_whole(rows, identity, options)
    return lambda *scope: build(*scope)[:1]


def interpreted_derived(derived: Derived) -> Callable[[Event], Any]:
    def value(path: str, event: Event) -> Any:
        above, is_map, below = path.partition(".*.")
        found = value_at(above, Scope(event, None, None), {})  # type: ignore[arg-type]
        return {key: getattr(entry, below, None) for key, entry in (found or {}).items()} if is_map else found

    return lambda event: derived.function(*(value(path, event) for path in derived.sources))


@contextmanager
def no_compiler() -> Iterator[None]:
    with (
        mock.patch.multiple(xapi_statement, compile_rows=interpreted, compile_whole=interpreted_whole),
        mock.patch.object(xapi_statement, "compile_derived", interpreted_derived),
        mock.patch.object(caliper_event, "compile_rows", interpreted),
        mock.patch.object(row_compiler, "compile_derived", interpreted_derived),
    ):
        yield


@pytest.fixture(scope="module", params=[(protocol, name) for protocol in ("xapi", "caliper") for name in OPTIONS], ids=" ".join)
def translators(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """Of one protocol with some options: the compiled functions and the interpreter."""
    protocol, name = request.param
    compiled = translator_of_examples(protocol, **OPTIONS[name])
    with no_compiler():
        return compiled, translator_of_examples(protocol, **OPTIONS[name])


def outcome(translator: Any, event: Event) -> Any:
    made = translator.translate(event)
    if made is None or isinstance(made, Refusal):
        return made and made.cause
    return [(statement.id, json.loads(statement.body)) for statement in made]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_both_make_the_same_of_an_example(translators: tuple[Any, Any], path: Any) -> None:
    compiled, plain = translators
    for source in read_example(path).sources:
        event = parse(orjson.dumps(source))
        assert isinstance(event, Event)
        assert outcome(plain, event) == outcome(compiled, event)


def test_both_refuse_the_same(translators: tuple[Any, Any]) -> None:
    compiled, plain = translators
    for path in EXAMPLES:
        source = read_example(path).sources[0]
        for payload in ({}, "input_a_2_1=b", dict.fromkeys(source.get("event") or source.get("data") or {}, True)):
            event = parse(orjson.dumps({**{key: value for key, value in source.items() if key != "data"}, "event": payload}))
            if isinstance(event, Event):
                assert outcome(plain, event) == outcome(compiled, event)


def test_a_table_is_an_object() -> None:
    rows: Rows = (
        Row(("object", "id"), "data.id", required=True),
        Constant(("object", "type"), "Thing"),
        Row(("result", "response"), "session", str.upper, free_text="response"),
        Row(("object", "page"), "referrer"),
        Row(("object", "page"), "host"),
    )

    class Data:
        id = "a"

    event = Event("n", time="t", session="s", referrer="r", data=Data())  # type: ignore[arg-type]
    scope = Scope(event, account_actor("https://lms.example.com", "somebody"), None)  # type: ignore[arg-type]
    identity, options = Identity(str.upper, "{time}-{object.id}"), Options({}, {})
    made = {"id": "T-A", "object": {"id": "a", "type": "Thing"}, "result": {"response": "S"}}
    assert evaluate(rows, scope, identity, options) == made
    of_consumer = TranslationOptions(redact=["response"], override_args={"id": 1})
    redacted = evaluate(rows, scope, identity, options._replace(translation=of_consumer))
    assert redacted == {"id": 1, "object": {"id": "a", "type": "Thing"}}
    Data.id = ""
    with pytest.raises(Unmappable, match=r"data.id is missing; object.id needs it"):
        evaluate(rows, scope, identity, options)
