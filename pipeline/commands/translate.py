"""Translate events on standard input, one a line, to statements on standard output: no configuration needed, nothing sent.

Caliper events are printed bare, without an envelope. With ``--trace`` there is one JSON object for every line that is not blank.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import orjson

from edx2lrs.io.sources.lines import LONGEST_LINE, Lines, LongLine, cut
from edx2lrs.transforms.config_types import Actor, ActorOptions, Events, Lms, Protocol
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.people.anonymise import Actors
from edx2lrs.transforms.people.course_names import CourseNames
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.site_translator import AnyTranslator, by_site
from edx2lrs.transforms.translate import Translator

EXAMPLE_ROOT = "https://lms.example.com"
EXAMPLE_KEY = b"edx2lrs: a public key, for trying things on"
_PIECE = 256 * 1024
_OK, _WRONG = 0, 2


class Outcome(NamedTuple):
    """What became of one line: the bodies of its statements, or why there are none."""

    name: str | None
    bodies: list[bytes]
    skipped: str | None = None
    failure: Refusal | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``edx2lrs translate``."""
    parser.add_argument("--to", required=True, choices=["xapi", "caliper"], help="what the events become")
    parser.add_argument("--config", metavar="c.yaml", help="the site's root, tables and key; without it: an example site")
    parser.add_argument(
        "--trace", action="store_true", help="one JSON object per line: statements, or the reason why there are none"
    )


def main(arguments: argparse.Namespace) -> int:
    """Translates standard input; gives 0, or 2 when the configuration or a table is wrong."""
    if arguments.config is None:
        print(
            f"edx2lrs translate: no --config; using the root {EXAMPLE_ROOT} and a public test key: for trying things on",
            file=sys.stderr,
        )
        translator: AnyTranslator = example_translator(arguments.to)
    else:
        made = _configured_translator(arguments.config, arguments.to)
        if isinstance(made, str):
            print(made, file=sys.stderr)
            return _WRONG
        translator = made
    filter_event = EventFilter(Events())
    failed = 0
    for lines in cut(_pieces(sys.stdin.fileno()), 1):
        output = _traced(lines, translator, filter_event) if arguments.trace else _plain(lines, translator)
        failed += output.failed
        sys.stdout.buffer.write(output.data)
        sys.stdout.buffer.flush()
    if failed and not arguments.trace:
        events = "1 event" if failed == 1 else f"{failed} events"
        print(f"edx2lrs translate: {events} could not be translated; --trace says why", file=sys.stderr)
    return _OK


def example_translator(protocol: Protocol) -> Translator:
    """For a site that is not there: a public key names its people."""
    options = ActorOptions("hmac", "XAPI" if protocol == "xapi" else "CALIPER", "dead_letter")
    return Translator(protocol, EXAMPLE_ROOT, Actors(options, EXAMPLE_ROOT, None, EXAMPLE_KEY).find, CourseNames({}))


def _configured_translator(path: str, protocol: Protocol) -> AnyTranslator | str:
    """By the configuration's ``lms``; a text for people when that is wrong."""
    from edx2lrs.io.secrets import SecretError
    from edx2lrs.io.tables import TableError
    from edx2lrs.pipeline.commands.status_line import steps_shown
    from edx2lrs.pipeline.config.faults import ConfigError
    from edx2lrs.pipeline.config.reading import load_site
    from edx2lrs.pipeline.identities import identities
    from edx2lrs.pipeline.variants import actor_options

    try:
        lms: Lms = load_site(path)
        with steps_shown("lms.external_ids") as step:
            actors, course_name = identities(lms, [actor_options(protocol, Actor(), lms)], step)
    except (ConfigError, SecretError, TableError, ValueError) as error:
        return str(error)

    def make(root_url: str) -> Translator:
        actor_of = actors[0].at(root_url).find
        return Translator(protocol, root_url, actor_of, course_name, lms.statement_ids, lms.transformer_version)

    return by_site(lms.root_url, lms.sites, make)


class Output(NamedTuple):
    """What a piece of the input became, and how many of its events failed."""

    data: bytes
    failed: int


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _plain(lines: Lines | LongLine, translator: AnyTranslator) -> Output:
    return Output(b"", 1) if isinstance(lines, LongLine) else translated_block(lines.data, translator)


def translated_block(lines: bytes, translator: AnyTranslator) -> Output:
    """The statements of some hundred lines, one a line. One stage after the other, since each keeps the processor's caches warm."""
    translate = translator.translate
    bodies: list[bytes] = []
    failed = 0
    events = [parse(line) for line in BytesIO(lines) if not line.isspace()]  # BytesIO splits faster than split
    for event in events:
        made = event if isinstance(event, Refusal) else translate(event)
        if isinstance(made, tuple):
            for statement in made:
                bodies.append(statement.body)  # noqa: PERF401 -- nearly always one
        elif made is not None:
            failed += 1
    bodies.append(b"")
    return Output(b"\n".join(bodies), failed)


def _traced(lines: Lines | LongLine, translator: AnyTranslator, filter_event: EventFilter) -> Output:
    """One JSON object for each line that is not blank."""
    if isinstance(lines, LongLine):
        return Output(_trace(lines.line, too_long(lines.length)) + b"\n", 1)
    texts = enumerate(lines.data.split(b"\n"), lines.first_line)
    outcomes = [(n, translate_line(text, translator, filter_event)) for n, text in texts if text and not text.isspace()]
    traces = [_trace(number, outcome) + b"\n" for number, outcome in outcomes]
    return Output(b"".join(traces), sum(outcome.failure is not None for _, outcome in outcomes))


def translate_line(line: bytes, translator: AnyTranslator, filter_event: EventFilter) -> Outcome:
    """One line, through parse, filter and translate."""
    event = parse(line)
    if isinstance(event, Refusal):
        return Outcome(None, [], failure=event)
    reason = filter_event(event)
    if reason is not None:
        return Outcome(event.name, [], skipped=reason)
    statements = translator.translate(event)
    if statements is None:
        return Outcome(event.name, [], skipped="no_mapping")
    if isinstance(statements, Refusal):
        return Outcome(event.name, [], failure=statements)
    return Outcome(event.name, [statement.body for statement in statements])


def too_long(length: int) -> Outcome:
    """A line that is longer than any event."""
    message = f"the line has {length} bytes; an event has {LONGEST_LINE} at most"
    return Outcome(None, [], failure=Refusal("read", "line_too_long", message))


def _trace(number: int, outcome: Outcome) -> bytes:
    failure = outcome.failure
    return orjson.dumps(
        {
            "line": number,
            "name": outcome.name,
            "statements": [orjson.Fragment(body) for body in outcome.bodies],
            "skipped": outcome.skipped,
            "failure": failure and {"stage": failure.stage, "cause": failure.cause, "message": failure.message},
        }
    )
