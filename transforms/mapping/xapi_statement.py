"""What every xAPI statement has, and how a mapping becomes statements (xAPI 1.0.3, part two)."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, NamedTuple

from edx2lrs.transforms.config_types import StatementIds
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.formats.json_text import remembered_json_text
from edx2lrs.transforms.mapping.row_compiler import (
    Identity,
    Make,
    Options,
    compile_derived,
    compile_rows,
    compile_variants,
    compile_whole,
)
from edx2lrs.transforms.mapping.rows import AS_ERB, Constant, Course, Derived, Row, Rows, Unmappable, VariantMapping, Whole
from edx2lrs.transforms.mapping.statement import Statement
from edx2lrs.transforms.mapping.statement_id import spaced, verb_ids
from edx2lrs.transforms.mapping.values import absolute
from edx2lrs.transforms.mapping.xapi_vocabulary import COURSE, SESSION_ID, TRANSFORMER_VERSION, context_extension
from edx2lrs.transforms.people.actor import Actor

EVERY_STATEMENT: Rows = (
    Constant(("version",), "1.0.3", AS_ERB),  # a provider should not set a version (2.4.10)
    Row(("timestamp",), "time"),
    Row(("actor",), "actor.xapi"),
    Row(context_extension(TRANSFORMER_VERSION), "site.transformer_version"),
    Row(context_extension(SESSION_ID), "session"),
)
MOST_PARTS = 1_000
"""Statements about parts of one event. Each statement is longer than its part, so a record of some megabytes would fill the memory."""
_NAME = "{actor.hash_text}-{time}"
_STRICT_END = "-{object.id}"
IN_COURSE: Rows = (Row(("context", "contextActivities", "parent"), "course.activities"),)
"""The course as the parent activity: for every statement whose object is not the course itself."""


class StatementMapping(NamedTuple):
    """One statement for one event: its verb (``xapi.vocabulary``) and its rows, on top of what every statement has. ``part``
    gives the key and value that ``part_key`` and ``part`` in the rows stand for, alone in a list."""

    verb: dict[str, Any]
    rows: Rows
    part: Derived | None = None


class GroupMapping(NamedTuple):
    """A statement about the whole and one for each part: ``parts`` gives a list of the parts' keys and values, of the map that is
    its source. Both have the whole's verb; the key goes into a part's id."""

    whole: StatementMapping
    part_rows: Rows
    parts: Derived


XapiMapping = StatementMapping | GroupMapping | VariantMapping


def compile_mapping(mapping: XapiMapping, options: Options, ids: StatementIds) -> Make:
    """The function that makes the statements of one event name."""
    if isinstance(mapping, VariantMapping):
        return compile_variants(mapping, lambda variant: compile_mapping(variant, options, ids))
    if isinstance(mapping, GroupMapping):
        return _group_maker(mapping, options, ids)
    return _statement_maker(mapping, options, ids)


def _statement_maker(mapping: StatementMapping, options: Options, ids: StatementIds) -> Make:
    build = compile_rows(_rows(mapping), _identity(mapping.verb, ids), options)
    if mapping.part is None:
        return build
    part = compile_derived(mapping.part)

    def make(event: Event, actor: Actor, course: Course) -> tuple[Statement, ...]:
        ((key, value),) = part(event)
        return build(event, actor, course, key, value)

    return make


def _group_maker(mapping: GroupMapping, options: Options, ids: StatementIds) -> Make:
    verb, parts = mapping.whole.verb, compile_derived(mapping.parts)
    build_whole = compile_whole(_rows(mapping.whole), _identity(verb, ids), options)
    build_part = compile_rows(_rows(StatementMapping(verb, mapping.part_rows)), _part_identity(verb, ids), options)

    def make(event: Event, actor: Actor, course: Course) -> tuple[Statement, ...]:
        parts_of_event = parts(event)
        if len(parts_of_event) > MOST_PARTS:
            raise Unmappable(f"expected at most {MOST_PARTS:,} parts of one event, found more", "too_many")
        made, object_id, object_ = build_whole(event, actor, course)
        grouping = b',"grouping":' + course.activities if course.activities else b""
        whole = Whole(made.id, object_id, object_, b'{"parent":[%b]%b}' % (object_, grouping))
        made_parts = [build_part(event, actor, course, key, value, whole) for key, value in parts_of_event]
        return made, *[part for (part,) in made_parts]

    return make


def _rows(mapping: StatementMapping) -> Rows:
    return (*EVERY_STATEMENT, Constant(("verb",), mapping.verb), *mapping.rows)


def _identity(verb: dict[str, Any], ids: StatementIds) -> Identity:
    """See ``transforms.mapping.statement_id``."""
    return Identity(verb_ids(json.dumps(verb)), _name(ids), time=spaced if ids == "erb_live" else None)


def _part_identity(verb: dict[str, Any], ids: StatementIds) -> Identity:
    identify = partial(verb_ids, json.dumps(verb))
    return Identity(identify, _name(ids), by_key=True, time=spaced if ids == "erb_live" else None)


def _name(ids: StatementIds) -> str:
    return _NAME + _STRICT_END if ids == "strict" else _NAME


def course_as_seen(root: str, key: str, name: str | None) -> Course:
    """The course of an event, with the activity that stands for it as a parent (xAPI 1.0.3, 2.4.6.2)."""
    definition: dict[str, Any] = {"type": COURSE}
    if name is not None:
        definition["name"] = {"en-US": name}
    iri = absolute(root, "course", key)
    return Course(iri, name, remembered_json_text([{"id": iri, "objectType": "Activity", "definition": definition}]))
