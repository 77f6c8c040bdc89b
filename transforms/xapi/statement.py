"""What every xAPI statement has, and how a mapping becomes statements (xAPI 1.0.3, part two)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from edx2lrs.transforms.mapping import Constant, Course, Row, Rows, Scope
from edx2lrs.transforms.parse import Event
from edx2lrs.transforms.row_compiler import Build, compile_rows
from edx2lrs.transforms.statement_id import Uuid5, verb_ids
from edx2lrs.transforms.values import absolute
from edx2lrs.transforms.xapi.vocabulary import COURSE, SESSION_ID, TRANSFORMER_VERSION, context_extension

_EVERY_STATEMENT: Rows = (
    Constant(("id",), ""),  # its place in the statement; the value comes last, for it may need the object
    Constant(("version",), "1.0.3"),
    Row(("actor",), "actor.xapi"),
    Row(("timestamp",), "time"),
    Row(context_extension(TRANSFORMER_VERSION), "site.transformer_version"),
    Row(context_extension(SESSION_ID), "session"),
)
IN_COURSE: Rows = (Row(("context", "contextActivities"), "course.context_activities"),)
"""The course as the parent activity: for every statement whose object is not the course itself."""


class StatementMapping(NamedTuple):
    """One statement for one event: its verb (``xapi.vocabulary``) and its rows, on top of what every statement has. ``part``
    picks the part of the event that ``part`` in the rows stands for."""

    verb: dict[str, Any]
    rows: Rows
    part: Callable[[Event], Any] | None = None


class GroupMapping(NamedTuple):
    """A statement about the whole and one for each part: ``parts`` gives the parts' keys and values. Both have the whole's verb;
    the key goes into a part's id."""

    whole: StatementMapping
    part_rows: Rows
    parts: Callable[[Event], Iterable[tuple[str, Any]]]


class VariantMapping(NamedTuple):
    """Different statements for events of one name: ``choose`` names the variant."""

    choose: Callable[[Event], str]
    variants: Mapping[str, StatementMapping | GroupMapping]


XapiMapping = StatementMapping | GroupMapping | VariantMapping
Made = tuple[str, dict[str, Any]]
"""The text of a statement's id, and the statement."""
Make = Callable[[Scope], list[Made]]
"""Gives the statements of an event. Raises Unmappable."""


def compile_mapping(mapping: XapiMapping, site: Mapping[str, Any], strict_ids: bool) -> Make:
    """The function that makes the statements of one event name."""
    if isinstance(mapping, VariantMapping):
        makers = {name: compile_mapping(variant, site, strict_ids) for name, variant in mapping.variants.items()}
        return partial(_make_variant, mapping.choose, makers)
    if isinstance(mapping, StatementMapping):
        make = partial(_make_statement, _build(mapping, site), verb_ids(json.dumps(mapping.verb)), strict_ids)
        return partial(_make_with_part, mapping.part, make) if mapping.part else make
    return partial(
        _make_group,
        partial(_make_statement, _build(mapping.whole, site), verb_ids(json.dumps(mapping.whole.verb)), strict_ids),
        _build(StatementMapping(mapping.whole.verb, mapping.part_rows), site),
        json.dumps(mapping.whole.verb),
        mapping.parts,
        strict_ids,
    )


def _build(mapping: StatementMapping, site: Mapping[str, Any]) -> Build:
    return compile_rows((*_EVERY_STATEMENT, Constant(("verb",), mapping.verb), *mapping.rows), site)


def _make_statement(build: Build, ids: Uuid5, strict_ids: bool, scope: Scope) -> list[Made]:
    statement = build(scope)
    name = f"{scope.actor.hash_text}-{scope.event.time}"
    id_ = statement["id"] = ids(f"{name}-{statement['object']['id']}" if strict_ids else name)
    return [(id_, statement)]


def _make_with_part(part: Callable[[Event], Any], make: Make, scope: Scope) -> list[Made]:
    return make(Scope(scope.event, scope.actor, scope.course, "", part(scope.event)))


def _make_variant(choose: Callable[[Event], str], makers: Mapping[str, Make], scope: Scope) -> list[Made]:
    return makers[choose(scope.event)](scope)


def _make_group(
    make_whole: Make,
    build_part: Build,
    verb: str,
    parts: Callable[[Event], Iterable[tuple[str, Any]]],
    strict_ids: bool,
    scope: Scope,
) -> list[Made]:
    made = make_whole(scope)
    _, whole = made[0]
    for key, value in parts(scope.event):
        part = Scope(scope.event, scope.actor, scope.course, key, value, whole)
        made += _make_statement(build_part, verb_ids(verb, key), strict_ids, part)
    return made


def course_as_seen(root: str, key: str, name: str | None) -> Course:
    """The course of an event, with the activity that stands for it as a parent (xAPI 1.0.3, 2.4.6.2)."""
    definition: dict[str, Any] = {"type": COURSE}
    if name is not None:
        definition["name"] = {"en-US": name}
    iri = absolute(root, "course", key)
    return Course(iri, name, {"parent": [{"id": iri, "objectType": "Activity", "definition": definition}]})
