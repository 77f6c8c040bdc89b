"""What every xAPI statement has, and how a mapping becomes statements (xAPI 1.0.3, part two)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from edx2lrs.transforms.actor import Actor
from edx2lrs.transforms.mapping import Constant, Course, Row, Rows
from edx2lrs.transforms.parse import Event
from edx2lrs.transforms.row_compiler import Build, compile_rows
from edx2lrs.transforms.statement_id import verb_ids
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
IN_COURSE: Rows = (Row(("context", "contextActivities", "parent"), "course.activities"),)
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
Made = tuple[bytes, dict[str, Any]]
"""The 16 bytes of a statement's id, and the statement."""
Make = Callable[[Event, Actor, Course], list[Made]]
"""Gives the statements of an event. Raises Unmappable."""


def compile_mapping(mapping: XapiMapping, site: Mapping[str, Any], strict_ids: bool) -> Make:
    """The function that makes the statements of one event name."""
    if isinstance(mapping, VariantMapping):
        makers = {name: compile_mapping(variant, site, strict_ids) for name, variant in mapping.variants.items()}
        return _variant_maker(mapping.choose, makers)
    if isinstance(mapping, GroupMapping):
        return _group_maker(mapping, site, strict_ids)
    return _statement_maker(mapping, site, strict_ids)


def _variant_maker(choose: Callable[[Event], str], makers: Mapping[str, Make]) -> Make:
    def make(event: Event, actor: Actor, course: Course) -> list[Made]:
        return makers[choose(event)](event, actor, course)

    return make


def _statement_maker(mapping: StatementMapping, site: Mapping[str, Any], strict_ids: bool) -> Make:
    build, part = _build(mapping, site), mapping.part
    identify = verb_ids(json.dumps(mapping.verb))

    def make(event: Event, actor: Actor, course: Course) -> list[Made]:
        statement = build(event, actor, course, "", part(event)) if part else build(event, actor, course)
        name = f"{actor.hash_text}-{event.time}"
        id_, statement["id"] = identify(f"{name}-{statement['object']['id']}" if strict_ids else name)
        return [(id_, statement)]

    return make


def _group_maker(mapping: GroupMapping, site: Mapping[str, Any], strict_ids: bool) -> Make:
    make_whole = _statement_maker(mapping.whole, site, strict_ids)
    build_part, parts = _build(StatementMapping(mapping.whole.verb, mapping.part_rows), site), mapping.parts
    verb = json.dumps(mapping.whole.verb)

    def make(event: Event, actor: Actor, course: Course) -> list[Made]:
        made = make_whole(event, actor, course)
        _, whole = made[0]
        whole_name = f"{actor.hash_text}-{event.time}"
        for key, value in parts(event):
            statement = build_part(event, actor, course, key, value, whole)
            name = f"{whole_name}-{statement['object']['id']}" if strict_ids else whole_name
            id_, statement["id"] = verb_ids(verb, key)(name)
            made.append((id_, statement))
        return made

    return make


def _build(mapping: StatementMapping, site: Mapping[str, Any]) -> Build:
    return compile_rows((*_EVERY_STATEMENT, Constant(("verb",), mapping.verb), *mapping.rows), site)


def course_as_seen(root: str, key: str, name: str | None) -> Course:
    """The course of an event, with the activity that stands for it as a parent (xAPI 1.0.3, 2.4.6.2)."""
    definition: dict[str, Any] = {"type": COURSE}
    if name is not None:
        definition["name"] = {"en-US": name}
    iri = absolute(root, "course", key)
    return Course(iri, name, orjson.Fragment(orjson.dumps([{"id": iri, "objectType": "Activity", "definition": definition}])))
