"""``docs/fields.md``: every field that is read of an event and where it goes, from the events' types and the mappings' tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import inspect

from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.families.declared_fields import DeclaredField, members
from edx2lrs.transforms.families.mappings import PROTOCOLS
from edx2lrs.transforms.families.source_events import PACKAGES, SOURCE_EVENTS
from edx2lrs.transforms.families.tables import Table
from edx2lrs.transforms.fields import SourceEvent
from edx2lrs.transforms.mapping.rows import Path
from edx2lrs.transforms.privacy.field_destinations import EVERY, Use, common_fields, fields_of, of_event, use_of
from edx2lrs.transforms.privacy.personal_fields import PERSONAL

_INTRODUCTION = """\
# The fields that are read

<!-- written by edx2lrs.pipeline.reference.fields -->

Only the fields on this page are decoded. A field that is not on this page cannot reach a statement, a log line or an error.
The tables show for each field: its type, its destination in xAPI and in Caliper, and whether the field is personal.
A personal field tells who a person is, or what the person wrote or looked at.
(Every other field tells what an actor did, and is as personal as the actor's id.)

- A **value** is a text, a number or a boolean.
- **only for matching**: `match_params` and `access` of a consumer may ask for the field. The field goes into no statement.
- **decides**: the field decides which kind of statement the event becomes.
- **the actor's id**: an external id, or a keyed hash ([privacy](privacy.md)).
- `*` stands for the keys of a map. A field with two names is one value. A field at the record's top and in `context` is one value.
- Where the context of a record names no course, the key of the course is taken from `page` (also in `context`) or `data.course_id`.
  Nothing else of these two fields is kept.
- Older records have other names for some fields: `data.module_id` of a video is its `data.id`; in navigation within a sequence before
  2016, `data.old` and `data.new` are `data.current_tab` and `data.target_tab`.
- A destination stands beside every field that a row gives to its function. The function may look only whether the field has a value.
"""
_ALSO = {
    "record.name": "which mapping",
    "record.event_type": "the name of a record that has none",
    "record.event_source": "decides, for some events",
    "fields.Context.event_source": "decides, for some events",
    "record.session": "an anonymous visitor's id",
    "fields.Context.session": "an anonymous visitor's id",
    "record.time": "the statement's id",
    "record.timestamp": "the statement's id",
    "record.username": "the actor's id",
    "fields.Context.user_id": "the actor's id",
    "fields.Context.username": "the actor's id",
    "fields.EventData.user_id": "the actor's id",
    "fields.EventData.username": "the actor's id",
}
"""What becomes of a field beside the mappings' rows."""
_BELOW = "with some events: below"
_TYPES = {
    inspect.StrType: "text",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.AnyType: "any JSON",
    inspect.ListType: "list",
    inspect.DictType: "object",
}
_NOTHING = "No field of their own.\n"
_HEAD = "| Field | Type | xAPI | Caliper | Personal |\n|---|---|---|---|---|\n"


class _Line(NamedTuple):
    """A field and what each protocol does with it: in every event, or in events of one name."""

    field: DeclaredField
    uses: tuple[Use, ...]
    every_event: bool = False


def page() -> str:
    """The whole page."""
    every = [_Line(field, tuple(use_of(field, [Table(rows)]) for rows in EVERY.values()), True) for field in common_fields()]
    families = "".join(_family(family) for family in dict.fromkeys(source.family for source in _built_in().values()))
    return f"{_INTRODUCTION}\n## Every event\n\n{_table(every)}{families}"


def _built_in() -> dict[str, SourceEvent]:
    return {name: source for name, source in SOURCE_EVENTS.items() if PACKAGES[name].is_built_in}


def _family(family: str) -> str:
    """A table for all events of the family that have the same fields with the same destinations."""
    groups: dict[str, list[str]] = {}
    for name, source in _built_in().items():
        if source.family == family:
            groups.setdefault(_table(_lines(name, source)), []).append(name)
    parts = (f"\n{', '.join(f'`{name}`' for name in names)}\n\n{table or _NOTHING}" for table, names in groups.items())
    return f"\n## {family}\n{''.join(parts)}"


def _lines(name: str, source: SourceEvent) -> list[_Line]:
    """The event's own fields, and the common ones that its mappings use in a way of their own."""
    found = {protocol: of_event(protocol, name) for protocol in PROTOCOLS}
    own = [_Line(field, tuple(use_of(field, tables) for tables in found.values())) for field in fields_of(source)]
    common = [_Line(field, tuple(use_of(field, tables) for tables in found.values())) for field in common_fields()]
    return own + [line for line in common if any(use.destinations for use in line.uses)]


def _table(lines: Iterable[_Line]) -> str:
    rows = "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(line)) + " |\n" for line in lines)
    return _HEAD + rows if rows else ""


def _cells(line: _Line) -> Iterator[str]:
    yield f"`{line.field.path}`"
    yield _type(line.field)
    used = any(use.destinations or use.decides for use in line.uses)
    for protocol, use in zip(PROTOCOLS, line.uses, strict=True):
        words = [f"`{_dotted(path)}`" for path in use.destinations]
        if line.every_event:
            words += [_ALSO[line.field.key]] if line.field.key in _ALSO else []
            words += [_BELOW] if _is_used_by_some(line.field, protocol) else []
        elif use.decides:
            words.append("decides")
        yield ", ".join(words) or ("not used" if used else "only for matching")
    yield _personal(line.field, line.uses)


def _is_used_by_some(field: DeclaredField, protocol: Protocol) -> bool:
    return any(use_of(field, of_event(protocol, name)).destinations for name in _built_in())


def _dotted(path: Path) -> str:
    """The path with the last part of IRIs alone."""
    return ".".join(f"[…/{key.rstrip('/').rpartition('/')[2]}]" if "://" in key else key for key in path).replace(".[", "[")


def _type(field: DeclaredField) -> str:
    if field.path.endswith(".*"):
        return "key"
    words = list(dict.fromkeys(_TYPES[type(member)] for member in members(field.type) if type(member) in _TYPES))
    if set(words) == {"text", "number", "boolean"}:
        return "value"
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _personal(field: DeclaredField, uses: tuple[Use, ...]) -> str:
    free_text = sorted({name for use in uses for name in use.free_text})
    reasons = [f"what a learner writes (`redact: [{', '.join(free_text)}]`)"] if free_text else []
    reasons += [PERSONAL[field.key]] if field.key in PERSONAL else []
    return f"**yes**: {'; '.join(reasons)}" if reasons else "no"
