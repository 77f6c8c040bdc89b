"""What every xAPI statement has, and how a mapping becomes statements (xAPI 1.0.3, part two)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from edx2lrs.transforms.mapping import Build, Constant, Course, Row, Rows, Scope, compile_rows
from edx2lrs.transforms.parse import Event
from edx2lrs.transforms.statement_id import Uuid5, uuid_text, verb_ids
from edx2lrs.transforms.values import absolute
from edx2lrs.transforms.xapi.vocabulary import COURSE, SESSION_ID, TRANSFORMER_VERSION, context_extension

_EVERY_STATEMENT: Rows = (
    Constant(("id",), ""),  # its place in the statement; the value comes last, for it may need the object
    Constant(("version",), "1.0.3"),
    Row(("actor",), "actor.xapi"),
    Row(("timestamp",), "time"),
    Row(context_extension(TRANSFORMER_VERSION), ("site.transformer_version",), str),
    Row(context_extension(SESSION_ID), "session"),
)
IN_COURSE: Rows = (Row(("context", "contextActivities"), "course.context_activities"),)
"""The course as the parent activity: for every statement whose object is not the course itself."""


class StatementMapping(NamedTuple):
    """One statement for one event: its verb (``xapi.vocabulary``) and its rows, on top of what every statement has."""

    verb: dict[str, Any]
    rows: Rows


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
Make = Callable[[Scope], "list[tuple[bytes, dict[str, Any]]]"]
"""Gives the statements of an event, each with the 16 bytes of its id. Raises Unmappable."""


def compile_mapping(mapping: XapiMapping, site: Mapping[str, Any], strict_ids: bool) -> Make:
    """The function that makes the statements of one event name."""
    if isinstance(mapping, VariantMapping):
        makers = {name: compile_mapping(variant, site, strict_ids) for name, variant in mapping.variants.items()}
        return partial(_make_variant, mapping.choose, makers)
    identify = _strict_id if strict_ids else _erb_id
    if isinstance(mapping, StatementMapping):
        return partial(_make_statement, _build(mapping.verb, mapping.rows, site), verb_ids(mapping.verb), identify)
    whole = mapping.whole
    return partial(
        _make_group,
        partial(_make_statement, _build(whole.verb, whole.rows, site), verb_ids(whole.verb), identify),
        _build(whole.verb, mapping.part_rows, site),
        mapping,
        identify,
    )


def _build(verb: dict[str, Any], rows: Rows, site: Mapping[str, Any]) -> Build:
    return compile_rows((*_EVERY_STATEMENT, Constant(("verb",), verb), *rows), site)


_Identify = Callable[[Uuid5, Scope, "dict[str, Any]"], bytes]


def _erb_id(ids: Uuid5, scope: Scope, statement: dict[str, Any]) -> bytes:
    return ids(f"{scope.actor.hash_text}-{scope.event.time}")


def _strict_id(ids: Uuid5, scope: Scope, statement: dict[str, Any]) -> bytes:
    return ids(f"{scope.actor.hash_text}-{scope.event.time}-{statement['object']['id']}")


def _make_statement(build: Build, ids: Uuid5, identify: _Identify, scope: Scope) -> list[tuple[bytes, dict[str, Any]]]:
    statement = build(scope)
    id_ = identify(ids, scope, statement)
    statement["id"] = uuid_text(id_)
    return [(id_, statement)]


def _make_variant(choose: Callable[[Event], str], makers: Mapping[str, Make], scope: Scope) -> list[tuple[bytes, dict[str, Any]]]:
    return makers[choose(scope.event)](scope)


def _make_group(
    make_whole: Make, build_part: Build, mapping: GroupMapping, identify: _Identify, scope: Scope
) -> list[tuple[bytes, dict[str, Any]]]:
    made = make_whole(scope)
    _, whole = made[0]
    for key, value in mapping.parts(scope.event):
        part = build_part(Scope(scope.event, scope.actor, scope.course, key, value, whole))
        id_ = identify(verb_ids(mapping.whole.verb, key), scope, part)
        part["id"] = uuid_text(id_)
        made.append((id_, part))
    return made


def course_as_seen(root: str, key: str, name: str | None) -> Course:
    """The course of an event, with the activity that stands for it as a parent (xAPI 1.0.3, 2.4.6.2)."""
    definition: dict[str, Any] = {"type": COURSE}
    if name is not None:
        definition["name"] = {"en-US": name}
    iri = absolute(root, "course", key)
    return Course(iri, name, {"parent": [{"id": iri, "objectType": "Activity", "definition": definition}]})
