"""Sends what waits in a state directory, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path

from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.local import run_lifecycle
from edx2lrs.pipeline.run_options import follow_beam_options

TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration (YAML)")
    parser.add_argument("--state", required=True, metavar="DIR", help="the state directory of an earlier run")
    parser.add_argument("--report", metavar="PATH", help="write the run's report there, as JSON, every 10 s and at the end")
    parser.epilog = "Beam's own options, such as those of its file systems, may follow."


def run(arguments: argparse.Namespace) -> int:
    return run_lifecycle.exit_code_of(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    follow_beam_options(arguments.beam)
    config = load(arguments.config)
    with run_lifecycle.owned_state(arguments.state, config, create=False) as state:
        run = run_lifecycle.begun(config, state, arguments.report, Path(arguments.config).stem)
        with run_lifecycle.stopped_by_signals(run), run_lifecycle.abandoned_on_fault(run):
            run.deliver()
        return run_lifecycle.ended(run)
