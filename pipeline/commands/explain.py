"""Explain one event on standard input: what each step says to it, which of its fields were read, what each consumer would get.

Nothing is sent. Without a configuration: what any xAPI and any Caliper consumer of an example site would get. The fields' values
are shown with ``--values``; the statements always are as a consumer would see them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import orjson

from edx2lrs.io.sources.lines import LONGEST_LINE
from edx2lrs.pipeline.commands.translate import example_translator
from edx2lrs.transforms.causes import FILTERED, FilterReason
from edx2lrs.transforms.config_types import Config, Consumer, Events, Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.mappings import PROTOCOLS, mappings
from edx2lrs.transforms.families.source_events import PACKAGES, SOURCE_EVENTS
from edx2lrs.transforms.families.tables import paths_of, tables
from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.matching.match_reasons import reasons
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.site_translator import AnyTranslator

_OK, _WRONG = 0, 2
_FILTERED: Mapping[FilterReason, str] = {each.reason: each.meaning for each in FILTERED}


_NOT_FIELDS = ("name", "from_event_type")  # of the normal form: what is said before the fields


class Site(NamedTuple):
    """What explains: the first look at an event, and each consumer with the translator that it has."""

    filter_event: Callable[[Event], FilterReason | None]
    consumers: tuple[tuple[Consumer, AnyTranslator], ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``edx2lrs explain``."""
    parser.add_argument("--config", metavar="c.yaml", help="the consumers; without it: one of each protocol that sees everything")
    parser.add_argument("--values", action="store_true", help="show the values of the fields, not only their types")


def main(arguments: argparse.Namespace) -> int:
    """Explains standard input; gives 0, or 2 when there is no event or the configuration is wrong."""
    record, further = one_record(sys.stdin.buffer.read(LONGEST_LINE + 1))
    if not record:
        print("edx2lrs explain: found nothing on standard input, expected one event", file=sys.stderr)
        return _WRONG
    site = _site(arguments.config)
    if isinstance(site, str):
        print(site, file=sys.stderr)
        return _WRONG
    if further:
        print(f"edx2lrs explain: this is the first line; {further} more were not looked at", file=sys.stderr)
    for line in explained(record, site, arguments.values):
        print(line)
    return _OK


def one_record(text: bytes) -> tuple[bytes, int]:
    """The first line that is not blank, and how many more there are; or all of the text, where only that is an event."""
    lines = [line for line in text.split(b"\n") if line and not line.isspace()]
    if len(lines) > 1 and isinstance(parse(lines[0]), Refusal) and not isinstance(parse(text), Refusal):
        return text, 0
    return (lines[0], len(lines) - 1) if lines else (b"", 0)


def _site(path: str | None) -> Site | str:
    """By the configuration; a text for people when that is wrong."""
    if path is None:
        example = [(_example(protocol), example_translator(protocol)) for protocol in PROTOCOLS]
        return Site(EventFilter(Events()), tuple(example))
    from edx2lrs.io.secrets import SecretError
    from edx2lrs.io.tables import TableError
    from edx2lrs.pipeline.compiled_config import CompiledConfig
    from edx2lrs.pipeline.config.faults import ConfigError
    from edx2lrs.pipeline.config.reading import load

    try:
        config: Config = load(path)
        job = CompiledConfig(config)
    except (ConfigError, SecretError, TableError, ValueError) as error:
        return str(error)
    translators = [job.translators_for((index,))[0][0] for index in range(len(config.consumers))]
    return Site(job.filter_event, tuple(zip(config.consumers, translators, strict=True)))


def _example(protocol: Protocol) -> Consumer:
    return Consumer(name=f"any {protocol} consumer", protocol=protocol, url="https://lrs.example.com", access="all")


def explained(record: bytes, site: Site, with_values: bool) -> Iterator[str]:
    """The lines that explain a record, in the order of the steps."""
    yield f"read       {len(record)} bytes"
    if len(record) > LONGEST_LINE:
        yield f"           refused: line_too_long: an event has {LONGEST_LINE} bytes at most; a dead letter"
        return
    event = parse(record)
    if isinstance(event, Refusal):
        yield f"parse      {_refused(event)}"
        return
    yield f"parse      {event.name or 'an event without a name'}"
    yield from _fields_read(event, with_values)
    reason = site.filter_event(event)
    yield f"filter     {'goes on' if reason is None else f'{reason}: {_FILTERED[reason]}; nobody gets it'}"
    if reason is None:
        for consumer, translator in site.consumers:
            yield ""
            yield from _for_consumer(event, consumer, translator, with_values)


def _fields_read(event: Event, with_values: bool) -> Iterator[str]:
    """Every declared field with what the record has there."""
    if event.data is None:
        return
    source = SOURCE_EVENTS[event.name]
    package = PACKAGES[event.name]
    owner = "" if package.is_built_in else f", from {package.source}"
    yield f"           family {source.family}{owner}; of the record, only these fields were read:"
    found: dict[str, list[object]] = {}
    for path, value in _values(event, ""):
        found.setdefault(path, []).append(value)
    if source.context is None:
        del found["context"]
    width = max(map(len, found))
    for path, values in found.items():
        yield f"             {path:{width}}  {_shown(values, with_values)}"


def _values(value: object, path: str) -> Iterator[tuple[str, object]]:
    """The single values within a decoded part, with their paths; ``*`` stands for keys."""
    if isinstance(value, msgspec.Struct):
        for field, name in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
            if path or field not in _NOT_FIELDS:
                yield from _values(getattr(value, field), f"{path}.{name}".lstrip("."))
    elif isinstance(value, dict) and any(isinstance(inner, msgspec.Struct) for inner in value.values()):
        for inner in value.values():
            yield from _values(inner, f"{path}.*")
    else:
        yield path, value


def _shown(values: list[object], with_values: bool) -> str:
    there = [value for value in values if value is not None and value != ""]
    if not there:
        return "-"
    if with_values:
        return ", ".join(orjson.dumps(value).decode() for value in there)
    return ", ".join(dict.fromkeys(map(json_type, there)))


def _for_consumer(event: Event, consumer: Consumer, translator: AnyTranslator, with_values: bool) -> Iterator[str]:
    said = reasons(event, consumer)
    made = translator.translate(event) if all(reason.passes for reason in said) else ()
    yield f"{consumer.name} ({consumer.protocol}): gets {_number_of(made)}"
    for place, reason in zip(("match", *[""] * len(said)), said, strict=False):
        values = f" ({_shown(list(reason.found), True)})" if with_values and reason.found else ""
        yield f"  {place:9}  {'yes' if reason.passes else 'no'}, {reason.rule}: {reason.why}{values}"
    if made == ():
        return
    if made is None:
        yield f"  translate  no {consumer.protocol} mapping for events of this name: skipped"
    elif isinstance(made, Refusal):
        yield f"  {made.stage:9}  {_refused(made)}"
    else:
        yield f"  translate  its mapping reads {', '.join(_read_by(event.name, consumer.protocol))}"
        yield "  guard      passed"
        for statement in made:
            yield from _indented(statement.body)
        if consumer.protocol == "caliper":
            yield f"  deliver    in an envelope, with sensor {consumer.sensor or 'lms.root_url'}"


def _number_of(made: object) -> str:
    if not isinstance(made, tuple) or not made:
        return "nothing"
    return "1 statement" if len(made) == 1 else f"{len(made)} statements"


def _refused(refusal: Refusal) -> str:
    return f"refused: {refusal.cause}: {refusal.message}; a dead letter"


def _read_by(name: str, protocol: Protocol) -> list[str]:
    """What the rows of a mapping read of an event, beside what every statement has."""
    paths = {path for table in tables(mappings(protocol)[name]) for row in table.rows for path in paths_of(row, table)}
    return sorted(path for path in paths if not path.startswith(("site.", "actor.", "whole.")))


def _indented(body: bytes) -> Iterator[str]:
    for line in orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode().splitlines():
        yield f"    {line}"
