"""Reads tracking logs and delivers what is in them to every consumer that is entitled to it.

The parent process owns the state directory, sends and reports; worker processes read, translate and keep.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from edx2lrs.io.paths import is_remote
from edx2lrs.pipeline import run_lifecycle
from edx2lrs.pipeline.config import load

TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration (YAML)")
    several = "files, a folder or a glob in quotes; may be given again"
    parser.add_argument("--input", required=True, action="append", metavar="GLOB", help=several)
    parser.add_argument(
        "--state", metavar="DIR", help="where progress, ids and waiting statements are kept, for a later run to go on"
    )
    cores = os.cpu_count() or 1
    parser.add_argument("--workers", type=_positive, default=cores, metavar="N", help="processes that read (default: cores)")
    parser.add_argument("--report", metavar="PATH", help="write the run's report there, as JSON, every 10 s and at the end")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when there is any dead letter")
    parser.epilog = "Beam's own options, such as those of its file systems, may follow."


def run(arguments: argparse.Namespace) -> int:
    return run_lifecycle.exit_code_of(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    # Beam takes a second to import: only after the configuration is known to be right
    from edx2lrs.io import files
    from edx2lrs.pipeline.job import Job
    from edx2lrs.pipeline.local_run import register
    from edx2lrs.pipeline.run_options import check_report, local_beam_arguments
    from edx2lrs.pipeline.status_line import steps_shown
    from edx2lrs.pipeline.worker_process import WorkerPlan
    from edx2lrs.pipeline.workers import Workers

    check_report(arguments.report)
    beam_arguments = local_beam_arguments(arguments.beam)
    found = files.find(arguments.input)
    with steps_shown("lms.external_ids") as step:
        Job(config, step)  # tables and secrets are read in each worker; what is wrong with them is said here, once
    with run_lifecycle.owned_state(arguments.state, config) as state:
        run = run_lifecycle.begun(config, state, arguments.report, Path(arguments.config).stem)
        register(found, state.pieces)
        plans = [
            WorkerPlan(
                f"worker-{number}",
                arguments.config if is_remote(arguments.config) else os.path.abspath(arguments.config),
                str(state.folder),
                beam_arguments,
                tuple(consumer.name for consumer in config.consumers),
                config.outbox.statements,
            )
            for number in range(1, min(arguments.workers, len(found)) + 1)
        ]
        workers = Workers(plans)
        with run_lifecycle.stopped_by_signals(run), run_lifecycle.abandoned_on_fault(run), contextlib.ExitStack() as stack:
            stack.callback(workers.kill)
            run.read_and_deliver(workers)
            run.deliver()
        return run_lifecycle.ended(run, arguments.strict, [file.message for file in workers.unreadable])


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return number
