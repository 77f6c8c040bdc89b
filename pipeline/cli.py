"""The command line: ``edx2lrs COMMAND``. Each command is a module of its own, imported when it is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import NamedTuple

from edx2lrs.pipeline.commands.outcomes import exit_code_of
from edx2lrs.pipeline.log_lines import set_up_logging


class Command(NamedTuple):
    """``module`` has ``add_arguments(parser)`` and ``main(arguments) -> exit code``."""

    name: str
    module: str
    summary: str


COMMANDS = (
    Command("run", "edx2lrs.pipeline.commands.run", "read tracking logs and deliver to every consumer"),
    Command("translate", "edx2lrs.pipeline.commands.translate", "events on standard input to statements on standard output"),
    Command("validate", "edx2lrs.pipeline.commands.validate", "statements on standard input against xAPI 1.0.3 or Caliper 1.2"),
    Command("explain", "edx2lrs.pipeline.commands.explain", "one event: what each step says, and what each consumer would get"),
    Command("events", "edx2lrs.pipeline.commands.events", "the events that are known, and what they become"),
    Command("check", "edx2lrs.pipeline.commands.check", "check a configuration and show who gets what"),
    Command("deliver", "edx2lrs.pipeline.commands.deliver", "send what waits in a state directory, and nothing else"),
    Command("waiting", "edx2lrs.pipeline.commands.waiting", "statements that wait: show, drop, hand over to another consumer"),
    Command("dead-letters", "edx2lrs.pipeline.commands.dead_letters", "what could not be read, translated or delivered"),
    Command("replay", "edx2lrs.pipeline.commands.replay", "send dead letters again"),
    Command("status", "edx2lrs.pipeline.commands.status", "how a state directory stands: positions, what waits, letters, all runs"),
    Command("lint-fields", "edx2lrs.pipeline.commands.lint_fields", "look for fields whose names resemble personal data"),
    Command("import-erb", "edx2lrs.pipeline.commands.import_erb", "a configuration out of the routers of event-routing-backends"),
    Command("sandbox", "edx2lrs.pipeline.sandbox.command", "a small LRS to try things on"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((each for each in COMMANDS if arguments[:1] == [each.name]), None)
    if command is None:
        _overview().parse_args(arguments or ["--help"])
        return 2
    set_up_logging()
    return exit_code_of(command.name, lambda: _called(command, arguments[1:]))


def _called(command: Command, arguments: list[str]) -> int:
    """An argument that the command does not know is an option of Beam (``beam``) if the command takes Beam's options; else an error."""
    module = import_module(command.module)
    parser = argparse.ArgumentParser(prog=f"edx2lrs {command.name}", description=(module.__doc__ or "").split("\n\n")[0])
    module.add_arguments(parser)
    if getattr(module, "TAKES_BEAM_OPTIONS", False):
        parsed, beam = parser.parse_known_args(arguments)
        parsed.beam = beam
    else:
        parsed = parser.parse_args(arguments)
    code: int = module.main(parsed)
    return code


def _overview() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {command.name:14}{command.summary}" for command in COMMANDS)
    parser = argparse.ArgumentParser(
        prog="edx2lrs",
        description="Open edX tracking events to Learning Record Stores, as xAPI statements and Caliper events.",
        epilog=f"commands:\n{lines}\n\n`edx2lrs COMMAND --help` tells more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"edx2lrs {version('edx2lrs')}")
    parser.add_argument("command", choices=[command.name for command in COMMANDS], metavar="COMMAND", help="what to do")
    return parser
