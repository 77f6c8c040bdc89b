"""Outcomes and errors in an exit code and words: the one place where a command line differs from another user of ``pipeline.app``."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from edx2lrs.pipeline.commands.guarded_output import guarded_output

if TYPE_CHECKING:
    from edx2lrs.pipeline.job import JobResult

DONE, IN_PART, WRONG, FAILED = 0, 1, 2, 3
"""Exit codes: done; done in part (statements wait, something could not be read, or it was stopped); wrong usage or configuration;
the job failed."""

_NAMED = 100  # files of which nothing could be read
_JOBS = ("run", "deliver", "replay")
_PREFIXES: Mapping[str, str] = {"dead-letters": "edx2lrs: ", "import-erb": "edx2lrs import-erb: "}


def exit_code_of(command: str, call: Callable[[], int]) -> int:
    """Calls what a command does; an error that is for a person becomes its text on standard error and an exit code."""
    with guarded_output():
        return _exit_code_of(command, call)


def _exit_code_of(command: str, call: Callable[[], int]) -> int:
    try:
        code = call()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        say(f"edx2lrs {command}: stopped", sys.stderr)
        return 128 + signal.SIGINT
    except Exception as error:
        if isinstance(error, BrokenPipeError) and command not in _JOBS:  # `edx2lrs translate | head`: the reader has what it wants
            _to_nowhere(sys.stdout)
            return DONE
        told = _words_of(command, error)
        if told is None:
            raise
        code, text = told
        say(text, sys.stderr)
        return code


def _words_of(command: str, error: Exception) -> tuple[int, str] | None:
    """The exit code and the words of an error; None: a fault of the program."""
    from edx2lrs.transforms.families.packages import OwnEventsError

    if isinstance(error, OwnEventsError):  # before other imports: some of them would load the same events again
        return WRONG, str(error) if command in _JOBS else f"edx2lrs {command}: {error}"
    # Only where something went wrong: a command that translates needs no state directory, and starts at once.
    from edx2lrs.io.dead_letters.letters import DeadLettersMissing
    from edx2lrs.io.secrets import SecretError
    from edx2lrs.io.sources.address import SourceUrlError
    from edx2lrs.io.sources.files import InputError
    from edx2lrs.io.state.errors import StateError, StateInUse, StateUnusable
    from edx2lrs.io.tables import TableError
    from edx2lrs.pipeline.app.dead_letters import UnknownConsumer
    from edx2lrs.pipeline.config.faults import ConfigError
    from edx2lrs.pipeline.from_erb.rows import RowsError
    from edx2lrs.pipeline.from_erb.settings import SettingsError
    from edx2lrs.pipeline.job import JobFailed
    from edx2lrs.pipeline.run_options import OptionError
    from edx2lrs.pipeline.source_records import NoSuchRecord

    of_usage = (
        ConfigError, DeadLettersMissing, InputError, OptionError, RowsError, SecretError,
        SettingsError, UnknownConsumer, NoSuchRecord,
    )
    if isinstance(error, (*of_usage, SourceUrlError, StateInUse, StateUnusable, TableError)):
        prefix = "edx2lrs: " if isinstance(error, DeadLettersMissing) else _PREFIXES.get(command, "")
        return WRONG, f"{prefix}{error}"
    if command in _JOBS:
        if isinstance(error, (JobFailed, StateError, OSError)):
            return FAILED, f"the job failed: {error}"
        place = traceback.extract_tb(error.__traceback__)[-1]  # the error's text may hold data of a record
        return FAILED, f"the job failed: unexpected {type(error).__name__} in {place.name}, {place.filename}:{place.lineno}"
    prefix = _PREFIXES.get(command, f"edx2lrs {command}: ")
    if isinstance(error, UnicodeDecodeError):
        return WRONG, f"{prefix}bytes that are not UTF-8"
    if isinstance(error, (StateError, OSError)):
        reason = getattr(error, "strerror", None) if command == "import-erb" else None
        return WRONG, f"{prefix}{reason or error}"
    return None


def say(text: str = "", out: TextIO | None = None) -> None:
    """Prints for a person. A reader that has gone (``| head``) has what it wants: it costs the job nothing, and not its exit code."""
    out = out or sys.stdout
    try:
        print(text, file=out, flush=True)
    except BrokenPipeError:
        _to_nowhere(out)


def _to_nowhere(out: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def told_of_job(result: JobResult, strict: bool = False, report_path: str | None = None) -> int:
    """Prints what came of a job; gives the exit code. ``strict``: any dead letter makes it 1."""
    if result.engine_job is not None:
        say(f"job {result.engine_job} is with Dataflow; its report: {report_path or 'none (--report gs://...)'}")
    if result.report is None:
        return DONE
    for message in result.unreadable[:_NAMED]:
        say(message, sys.stderr)
    if len(result.unreadable) > _NAMED:
        say(f"and {len(result.unreadable) - _NAMED:,} more, which are dead letters of the stage read or parse", sys.stderr)
    from edx2lrs.pipeline import report

    out = for_persons(result)
    if result.why_nothing:
        say(f"nothing was read: {result.why_nothing}", out)
    say(report.summary(result.report), out)
    if nothing_usable := report.nothing_usable(result.report):
        say(nothing_usable, sys.stderr)
    if "dry_run" in result.report:
        return code_of_report(result.report, strict, result.unreadable, waiting_counts=False)
    if result.stopped or result.is_stream:
        before = "" if result.is_stream else " before the end"
        say(f"stopped{before}; the same command with the same --state goes on", out)
        return DONE if result.is_stream and not nothing_usable else IN_PART
    return code_of_report(result.report, strict, result.unreadable)


def for_persons(result: JobResult) -> TextIO:
    """Where a person reads: standard error, when standard output has the statements of a consumer."""
    return sys.stderr if result.writes_stdout else sys.stdout


def code_of_report(content: Mapping[str, Any], strict: bool, unreadable: Sequence[str] = (), waiting_counts: bool = True) -> int:
    """``DONE``, or ``IN_PART``; ``strict``: any dead letter, or a value that was left out, makes it that."""
    from edx2lrs.pipeline.report import shortcomings

    found = shortcomings(content)
    short = bool(unreadable) or found.nothing_but_dead or found.nothing_usable or found.refused_files
    incomplete = short or (found.waiting and waiting_counts) or (strict and (found.any_dead or found.left_out))
    return IN_PART if incomplete else DONE
