"""Reads tracking logs or a stream and delivers what is in them to every consumer that is entitled to it."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any

from edx2lrs.io.sources import files
from edx2lrs.io.sources.opening import forms
from edx2lrs.pipeline.app.run import run
from edx2lrs.pipeline.beam_options import engine_of, follow
from edx2lrs.pipeline.commands.outcomes import told_of_job
from edx2lrs.pipeline.commands.watching import watched
from edx2lrs.pipeline.job import RunRequest
from edx2lrs.pipeline.run_options import SEND_HELD
from edx2lrs.transforms.matching.time_window import moment

TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration (YAML)")
    several = f"{files.SPEC.form}; or a stream, which is read until SIGTERM: {', '.join(forms())}; may be given again"
    parser.add_argument("--input", required=True, action="append", metavar="INPUT", help=several)
    parser.add_argument("--state", metavar="DIR", help="where progress, ids and waiting statements are kept, for a later run to go on")
    processes = "processes that read (default: as many as cores; of a stream one)"
    parser.add_argument("--workers", type=_positive, metavar="N", help=processes)
    of_files = "of files: leave out events {}: a date (its first moment, UTC), or a time with its zone"
    parser.add_argument("--since", type=_moment, metavar="TIME", help=of_files.format("before this"))
    parser.add_argument("--until", type=_moment, metavar="TIME", help=of_files.format("from this on"))
    tables = "of files that are tables (CSV, JSON lines): the column that holds the event, by its name or its number from 1 on"
    parser.add_argument("--event-column", "--event_column", metavar="COLUMN", help=tables)
    parser.add_argument("--report", metavar="PATH", help="write the run's report there, as JSON, every 10 s and at the end")
    parser.add_argument("--send-held", action="store_true", help=SEND_HELD)
    parser.add_argument("--http", metavar="[HOST:]PORT", help="of a stream: serve /healthz and Prometheus /metrics there")
    parser.add_argument("--pubsub_id_label", metavar="NAME", help="on Dataflow: the attribute that tells messages apart")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when there is any dead letter, or a value was left out")
    parser.add_argument("--dry-run", action="store_true", help="of files: do all but send, keep and commit, and say what would happen")
    parser.epilog = (
        "Beam's own options, such as those of its file systems, may follow. --runner=FlinkRunner or DataflowRunner hands the job"
        " to that engine (docs/flink.md, docs/dataflow.md); without it this machine does it all."
    )


def described_options() -> list[tuple[str, str, bool]]:
    """Each option: its name, its meaning, and whether the option is required."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return [(action.dest, action.help or "", action.required) for action in parser._actions]


def main(arguments: argparse.Namespace) -> int:
    """0 done; 1 statements wait, a file could not be read, or it was stopped; with ``--strict`` also when there is a dead letter,
    or a value was left out."""
    follow(arguments.beam, engine_of(arguments.beam))  # the configuration may lie in a file system that follows them
    with watched() as control:
        result = run(request_of(arguments), control)
    return told_of_job(result, arguments.strict, arguments.report)


def request_of(arguments: argparse.Namespace) -> RunRequest:
    """The request of the arguments."""
    named: dict[str, Any] = {field.name: getattr(arguments, field.name, None) for field in fields(RunRequest)}
    return RunRequest(**{**named, "inputs": tuple(arguments.input), "beam": tuple(arguments.beam)})


def _moment(text: str) -> str:
    try:
        return moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return number
