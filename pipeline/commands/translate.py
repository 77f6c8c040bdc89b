"""Translate events on standard input, one a line, to statements on standard output: no configuration needed, nothing sent.

Caliper events are printed bare, without an envelope. With ``--trace`` there is one JSON object for every line that is not blank.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import get_args

import orjson

from edx2lrs.pipeline.app.translate import EXAMPLE_ROOT, LineOutcome, TranslateRequest, traced, translated, translator_of
from edx2lrs.pipeline.commands.outcomes import DONE
from edx2lrs.pipeline.commands.status_line import steps_shown
from edx2lrs.transforms.config_types import DEFAULT_DIALECT, Dialect

_PIECE = 256 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, choices=["xapi", "caliper"], help="what the events become")
    parser.add_argument("--dialect", choices=get_args(Dialect), default=DEFAULT_DIALECT, help="how the store wants them")
    parser.add_argument("--config", metavar="c.yaml", help="the site's root, tables and key; without it: an example site")
    parser.add_argument("--trace", action="store_true", help="one JSON object per line: statements, or the reason why there are none")


def main(arguments: argparse.Namespace) -> int:
    """Translates standard input; gives 0, or 2 when the configuration or a table is wrong."""
    if arguments.config is None:
        used = f"using the root {EXAMPLE_ROOT} and a public test key: for trying things on"
        print(f"edx2lrs translate: no --config; {used}", file=sys.stderr)
    with steps_shown("lms.external_ids") as on_progress:
        translator = translator_of(TranslateRequest(arguments.to, arguments.config, arguments.dialect), on_progress)
    pieces = _pieces(sys.stdin.fileno())
    if arguments.trace:
        for outcomes in traced(pieces, translator):
            _write(b"".join(_trace(*numbered) for numbered in outcomes))
        return DONE
    failed = 0
    for block in translated(pieces, translator):
        failed += block.failed
        _write(block.data)
    if failed:
        events = "1 event" if failed == 1 else f"{failed} events"
        print(f"edx2lrs translate: {events} could not be translated; --trace says why", file=sys.stderr)
    return DONE


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _write(data: bytes) -> None:
    if sys.stdout.isatty():  # a terminal obeys signs that JSON does not have to escape
        sys.stdout.write(data.decode(errors="backslashreplace"))
        sys.stdout.flush()
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _trace(number: int, outcome: LineOutcome) -> bytes:
    failure = outcome.failure
    told = {
        "line": number,
        "name": outcome.name,
        "statements": [orjson.Fragment(body) for body in outcome.bodies],
        "skipped": outcome.skipped,
        "left_out": list(outcome.left_out),
        "failure": failure and {"stage": failure.stage, "cause": failure.cause, "message": failure.message},
    }
    return orjson.dumps(told) + b"\n"
