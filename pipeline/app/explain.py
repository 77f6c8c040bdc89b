"""Explains one event: what each step says to it, which of its fields were read, what each consumer would get. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from edx2lrs.io.sources.lines import LONGEST_LINE
from edx2lrs.pipeline.app.translate import example_translator
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.causes import FilterReason
from edx2lrs.transforms.config_types import DEFAULT_DIALECT, Consumer, Dialect, Events, Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.mappings import PROTOCOLS, mappings
from edx2lrs.transforms.families.source_events import PACKAGES, SOURCE_EVENTS
from edx2lrs.transforms.families.tables import paths_of, tables
from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.mapping.rows import dialects_of
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.matching.match_reasons import reasons
from edx2lrs.transforms.matching.rules import BY_NAME, Right
from edx2lrs.transforms.matching.shown_courses import site_hosts
from edx2lrs.transforms.records.line_events import events_of_line
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.site_translator import AnyTranslator

_NOT_FIELDS = ("name", "from_event_type")  # of the normal form: they are told apart from the fields


@dataclass(frozen=True)
class ExplainRequest:
    """``record``: the bytes of one event. ``config``: the consumers (None: one of each protocol that sees everything). ``values``:
    whether the explanation holds the event's values, which are personal data; else only their types. ``consumer``: explain for it
    alone."""

    record: bytes
    config: str | None = None
    values: bool = False
    consumer: str | None = None


@dataclass(frozen=True)
class FieldRead:
    """A declared field with what the record has there: JSON types, and the values where they were asked for."""

    path: str
    types: list[str]
    values: list[Any] | None


@dataclass(frozen=True)
class RuleSays:
    """What one rule of a consumer says to the event (``transforms.matching.match_reasons``)."""

    rule: str
    passes: bool
    why: str
    values: list[Any] | None


@dataclass(frozen=True)
class ForConsumer:
    """What a consumer would get. ``matches``: whether all rules let the event pass. ``has_mapping``: whether its protocol has
    statements for events of this name (None: not looked at). ``reads``: what the mapping reads of the event.
    ``left_out``: the places of values that the statements cannot have."""

    name: str
    protocol: Protocol
    sensor: str | None
    rules: list[RuleSays]
    matches: bool
    has_mapping: bool | None = None
    refusal: Refusal | None = None
    reads: list[str] = field(default_factory=list)
    statements: list[msgspec.Raw] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Explanation:
    """What each step says, in their order; a step after the last one that was taken says None.

    ``size``: bytes of the record. ``name``: of the event; None where there is none. ``package``: what brings the event's family, where
    edx2lrs does not.
    """

    size: int
    refusal: Refusal | None = None
    name: str | None = None
    family: str | None = None
    package: str | None = None
    fields: list[FieldRead] | None = None
    filtered: FilterReason | None = None
    consumers: list[ForConsumer] = field(default_factory=list)


class Site(NamedTuple):
    """What explains: the first look at an event, and each consumer with the translator that it has."""

    filter_event: Callable[[Event], FilterReason | None]
    consumers: tuple[tuple[Consumer, AnyTranslator], ...]
    hosts: frozenset[str] = frozenset()
    users: Right = BY_NAME
    believed: bool = False


def explain(request: ExplainRequest) -> Explanation:
    """Raises ``ConfigError``, ``SecretError``, ``TableError``, ``OptionError``."""
    site = _site(request.config)
    names = [consumer.name for consumer, _ in site.consumers]
    if request.consumer is not None and request.consumer not in names:
        raise OptionError(f"--consumer {request.consumer}: no such consumer; there are {', '.join(names)}")
    size = len(request.record)
    if size > LONGEST_LINE:
        return Explanation(size, Refusal("read", "line_too_long", f"an event has {LONGEST_LINE} bytes at most"))
    _, event = events_of_line(request.record, site.believed)[0]
    if isinstance(event, Refusal):
        return Explanation(size, event)
    known = event.data is not None
    package = PACKAGES[event.name] if known else None
    reason = site.filter_event(event)
    chosen = [each for each in site.consumers if request.consumer in (None, each[0].name)]
    return Explanation(
        size,
        name=event.name,
        family=SOURCE_EVENTS[event.name].family if known else None,
        package=package.source if package is not None and not package.is_built_in else None,
        fields=_fields_read(event, request.values) if known else None,
        filtered=reason,
        consumers=[] if reason is not None else [_for_consumer(event, *each, site, request.values) for each in chosen],
    )


def one_record(text: bytes) -> tuple[bytes, int]:
    """The first line that is not blank, and how many more there are; or all of the text, where only that is an event."""
    lines = [line for line in text.split(b"\n") if line and not line.isspace()]
    if len(lines) > 1 and isinstance(parse(lines[0]), Refusal) and not isinstance(parse(text), Refusal):
        return text, 0
    return (lines[0], len(lines) - 1) if lines else (b"", 0)


def _site(path: str | None) -> Site:
    if path is None:
        kinds = [(protocol, dialect) for protocol in PROTOCOLS for dialect in dialects_of(protocol)]
        example = [(_example(protocol, dialect), example_translator(protocol, dialect)) for protocol, dialect in kinds]
        return Site(EventFilter(Events()), tuple(example))
    from edx2lrs.pipeline.compiled_config import CompiledConfig
    from edx2lrs.pipeline.config.reading import load

    config = load(path)
    compiled = CompiledConfig(config)
    translators = [compiled.translators_for((index,))[0][0] for index in range(len(config.consumers))]
    consumers = tuple(zip(config.consumers, translators, strict=True))
    return Site(compiled.filter_event, consumers, site_hosts(config.lms), compiled.users, compiled.believed)


def _example(protocol: Protocol, dialect: Dialect) -> Consumer:
    name = f"any {protocol} consumer" + ("" if dialect == DEFAULT_DIALECT else f" (dialect: {dialect})")
    return Consumer(name=name, protocol=protocol, dialect=dialect, url="https://lrs.example.com", access="all")


def _fields_read(event: Event, with_values: bool) -> list[FieldRead]:
    found: dict[str, list[object]] = {}
    for path, value in _values(event, ""):
        found.setdefault(path, []).append(value)
    if SOURCE_EVENTS[event.name].context is None:
        del found["context"]
    return [FieldRead(path, _types(values), _plain(values) if with_values else None) for path, values in found.items()]


def _values(value: object, path: str) -> Iterator[tuple[str, object]]:
    """The single values within a decoded part, with their paths; ``*`` stands for keys."""
    if isinstance(value, msgspec.Struct):
        for attribute, name in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
            if path or attribute not in _NOT_FIELDS:
                yield from _values(getattr(value, attribute), f"{path}.{name}".lstrip("."))
    elif isinstance(value, dict) and any(isinstance(inner, msgspec.Struct) for inner in value.values()):
        for inner in value.values():
            yield from _values(inner, f"{path}.*")
    else:
        yield path, value


def _plain(values: Sequence[object]) -> list[Any]:
    return [value for value in values if value is not None and value != ""]


def _types(values: Sequence[object]) -> list[str]:
    return list(dict.fromkeys(map(json_type, _plain(values))))


def _for_consumer(
    event: Event, consumer: Consumer, translator: AnyTranslator, site: Site, with_values: bool
) -> ForConsumer:
    said = reasons(event, consumer, site.hosts, site.users)
    rules = [RuleSays(each.rule, each.passes, each.why, _plain(each.found) if with_values and each.found else None) for each in said]
    matches = all(each.passes for each in said)
    made = translator.translate(event) if matches else None
    return ForConsumer(
        consumer.name, consumer.protocol, consumer.sensor, rules, matches,
        has_mapping=made is not None if matches else None,
        refusal=made if isinstance(made, Refusal) else None,
        reads=_read_by(event.name, consumer.protocol, consumer.dialect) if isinstance(made, tuple) else [],
        statements=[msgspec.Raw(each.body) for each in made] if isinstance(made, tuple) else [],
        left_out=[place for each in made for place in each.left_out] if isinstance(made, tuple) else [],
    )


def _read_by(name: str, protocol: Protocol, dialect: Dialect) -> list[str]:
    """What the rows of a mapping read of an event, beside what every statement has."""
    paths = {path for table in tables(mappings(protocol)[name], dialect) for row in table.rows for path in paths_of(row, table)}
    return sorted(path for path in paths if not path.startswith(("site.", "actor.", "whole.")))
