"""Sends what waits in a state directory, and nothing else."""

from __future__ import annotations

import argparse

from edx2lrs.pipeline.app.deliver import DeliverRequest, deliver, plan
from edx2lrs.pipeline.beam_options import follow
from edx2lrs.pipeline.commands.outcomes import told_of_job
from edx2lrs.pipeline.commands.watching import watched
from edx2lrs.pipeline.run_options import SEND_HELD

TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration (YAML)")
    parser.add_argument("--state", required=True, metavar="DIR", help="the state directory of an earlier run")
    parser.add_argument("--report", metavar="PATH", help="write the run's report there, as JSON, every 10 s and at the end")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent to whom, and change nothing")
    parser.add_argument("--send-held", action="store_true", help=SEND_HELD)
    parser.epilog = "Beam's own options, such as those of its file systems, may follow."


def main(arguments: argparse.Namespace) -> int:
    """0: all statements were sent, or it was a dry run. 1: statements wait, or the command was stopped."""
    follow(arguments.beam)
    request = DeliverRequest(arguments.config, arguments.state, arguments.report, tuple(arguments.beam), arguments.send_held)
    if arguments.dry_run:
        return told_of_job(plan(request))
    with watched() as control:
        result = deliver(request, control)
    return told_of_job(result)
