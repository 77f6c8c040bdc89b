"""Translate events on standard input, one a line, to statements on standard output: no configuration needed, nothing sent.

Caliper events are printed bare, without an envelope. With ``--trace`` there is one JSON object for every line that is not blank.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import orjson
from edx2lrs.io.lines import LONGEST_LINE, LongLine, cut
from edx2lrs.transforms.anonymise import Actors
from edx2lrs.transforms.config_types import Actor, ActorOptions, Events, Lms, Protocol
from edx2lrs.transforms.course_names import CourseNames
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.filter import EventFilter
from edx2lrs.transforms.parse import parse
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


def run(arguments: argparse.Namespace) -> int:
    """Translates standard input; gives 0, or 2 when the configuration or a table is wrong."""
    if arguments.config is None:
        print(
            f"edx2lrs translate: no --config; using the root {EXAMPLE_ROOT} and a public test key: for trying things on",
            file=sys.stderr,
        )
        translator = example_translator(arguments.to)
    else:
        made = _configured_translator(arguments.config, arguments.to)
        if isinstance(made, str):
            print(made, file=sys.stderr)
            return _WRONG
        translator = made
    write = sys.stdout.buffer.write
    failed = 0
    for piece in _translated(_pieces(sys.stdin.fileno()), translator, arguments.trace):
        failed += piece.failed
        write(piece.output)
        sys.stdout.buffer.flush()
    if failed and not arguments.trace:
        events = "1 event" if failed == 1 else f"{failed} events"
        print(f"edx2lrs translate: {events} could not be translated; --trace says why", file=sys.stderr)
    return _OK


def example_translator(protocol: Protocol) -> Translator:
    """For a site that is not there: a public key names its people."""
    options = ActorOptions("hmac", "XAPI" if protocol == "xapi" else "CALIPER", "dead_letter")
    return Translator(protocol, EXAMPLE_ROOT, Actors(options, EXAMPLE_ROOT, None, EXAMPLE_KEY), CourseNames({}))


def _configured_translator(path: str, protocol: Protocol) -> Translator | str:
    """By the configuration's ``lms``; a text for people when that is wrong."""
    from edx2lrs.io.secrets import SecretError
    from edx2lrs.io.tables import TableError
    from edx2lrs.pipeline.config import ConfigError, load_site
    from edx2lrs.pipeline.identities import identities
    from edx2lrs.pipeline.variants import actor_options

    try:
        lms: Lms = load_site(path)
        actors, course_name = identities(lms, [actor_options(protocol, Actor(), lms)])
    except (ConfigError, SecretError, TableError, ValueError) as error:
        return str(error)
    return Translator(protocol, lms.root_url, actors[0], course_name, lms.statement_ids, lms.transformer_version)


class _Piece(NamedTuple):
    output: bytes
    failed: int


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _translated(pieces: Iterator[bytes], translator: Translator, trace: bool) -> Iterator[_Piece]:
    """The output of each piece of input as soon as it is there."""
    filter_event = EventFilter(Events())
    for lines in cut(pieces, 1):
        out: list[bytes] = []
        failed = 0
        texts = [lines.head] if isinstance(lines, LongLine) else lines.data.split(b"\n")
        for number, text in enumerate(texts, lines.line if isinstance(lines, LongLine) else lines.first_line):
            if not text or text.isspace():
                continue
            outcome = too_long(lines.length) if isinstance(lines, LongLine) else translate_line(text, translator, filter_event)
            failed += outcome.failure is not None
            if trace:
                out.append(_trace(number, outcome))
            else:
                out.extend(outcome.bodies)
        if out or failed:
            out.append(b"")
            yield _Piece(b"\n".join(out), failed)


def translate_line(line: bytes, translator: Translator, filter_event: EventFilter) -> Outcome:
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
