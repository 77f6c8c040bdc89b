"""Reads tracking logs or a stream and delivers what is in them to every consumer that is entitled to it.

The parent process owns the state directory, sends and reports; worker processes read, translate and keep.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
from pathlib import Path

from edx2lrs.io.paths import is_remote
from edx2lrs.io.sources import files
from edx2lrs.io.sources.opening import forms, streams
from edx2lrs.io.sources.path_dates import within
from edx2lrs.io.sources.spec import LOCAL
from edx2lrs.pipeline.compiled_config import CompiledConfig
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.engines.options import NO_ID_LABEL, engine_of
from edx2lrs.pipeline.local import run_lifecycle
from edx2lrs.pipeline.local.input_pieces import register, warn_of_what_was_left_out
from edx2lrs.pipeline.local.worker_messages import WorkerPlan
from edx2lrs.pipeline.local.workers import Workers
from edx2lrs.pipeline.run_options import OptionError, check_report, local_beam_arguments, time_window
from edx2lrs.pipeline.status_line import steps_shown
from edx2lrs.transforms.matching.time_window import moment

TAKES_BEAM_OPTIONS = True
_LOG = logging.getLogger("edx2lrs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration (YAML)")
    several = (
        f"{files.SPEC.form}; or a stream, which is read until SIGTERM: {', '.join(forms())}; may be given again"
    )
    parser.add_argument("--input", required=True, action="append", metavar="INPUT", help=several)
    parser.add_argument(
        "--state", metavar="DIR", help="where progress, ids and waiting statements are kept, for a later run to go on"
    )
    parser.add_argument(
        "--workers", type=_positive, metavar="N", help="processes that read (default: as many as cores; of a stream one)"
    )
    of_files = "of files: leave out events {}: a date (its first moment, UTC), or a time with its zone"
    parser.add_argument("--since", type=_moment, metavar="TIME", help=of_files.format("before this"))
    parser.add_argument("--until", type=_moment, metavar="TIME", help=of_files.format("from this on"))
    parser.add_argument("--report", metavar="PATH", help="write the run's report there, as JSON, every 10 s and at the end")
    parser.add_argument("--http", metavar="[HOST:]PORT", help="of a stream: serve /healthz and Prometheus /metrics there")
    parser.add_argument("--pubsub_id_label", metavar="NAME", help="on Dataflow: the attribute that tells messages apart")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when there is any dead letter")
    parser.epilog = (
        "Beam's own options, such as those of its file systems, may follow. --runner=FlinkRunner or DataflowRunner hands the job"
        " to that engine (docs/flink.md, docs/dataflow.md); without it this machine does it all."
    )


def run(arguments: argparse.Namespace) -> int:
    return run_lifecycle.exit_code_of(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    urls = streams(arguments.input)
    if arguments.beam:  # the configuration may lie in a file system that follows them
        files.use_options(arguments.beam)
    config = load(arguments.config)
    window = time_window(arguments.since, arguments.until, of_stream=bool(urls))
    engine = engine_of(arguments.beam)
    if engine != LOCAL:
        from edx2lrs.pipeline.engines import run as engine_run

        return engine_run.run(engine, arguments, config, window, urls)
    if arguments.pubsub_id_label:
        raise OptionError(f"--pubsub_id_label: {NO_ID_LABEL}")
    _LOG.info("engine: this machine (DirectRunner), since --runner names no other")
    if urls:
        from edx2lrs.pipeline.local import stream_run

        return stream_run.run(arguments, config, urls)
    if arguments.http:
        raise OptionError("--http: for streams; of files --report tells how far the run is")
    check_report(arguments.report)
    beam_arguments = local_beam_arguments(arguments.beam)
    found = within(files.find(arguments.input), window)
    with steps_shown("lms.external_ids") as step:
        CompiledConfig(config, step)  # tables and secrets are read in each worker; what is wrong with them is said here, once
    with run_lifecycle.owned_state(arguments.state, config) as state:
        run = run_lifecycle.begun(config, state, arguments.report, Path(arguments.config).stem)
        warn_of_what_was_left_out(window, state.pieces)
        pieces = register(found, state.pieces)
        number_of_workers = min(arguments.workers or os.cpu_count() or 1, pieces)
        plans = [
            WorkerPlan(
                f"worker-{number}",
                arguments.config if is_remote(arguments.config) else os.path.abspath(arguments.config),
                str(state.folder),
                beam_arguments,
                tuple(consumer.name for consumer in config.consumers),
                config.outbox.statements,
                number_of_workers,
                window=window,
            )
            for number in range(1, number_of_workers + 1)
        ]
        workers = Workers(plans)
        with run_lifecycle.stopped_by_signals(run), run_lifecycle.abandoned_on_fault(run), contextlib.ExitStack() as stack:
            stack.callback(workers.kill)
            run.read_and_deliver(workers)
            run.deliver()
        return run_lifecycle.ended(run, arguments.strict, [file.message for file in workers.unreadable])


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
