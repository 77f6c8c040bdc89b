"""Show how a state directory stands: positions, lag, what waits for whom and why, dead letters, the sums of all runs.

The directory is only read, and no lock is taken: a job may be at work on it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import msgspec

from edx2lrs.pipeline import report
from edx2lrs.pipeline.app.status import Status, WaitingFor, status
from edx2lrs.pipeline.commands.outcomes import DONE
from edx2lrs.pipeline.page_parts import columns
from edx2lrs.transforms.formats.number_words import counted
from edx2lrs.transforms.formats.printable import printable

_UNITS = ((86400, "days"), (3600, "h"), (60, "min"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("state", metavar="STATE", help="the state directory of a run")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def main(arguments: argparse.Namespace) -> int:
    """Prints it; gives 0, or 2 where there is no state directory that can be read."""
    found = status(arguments.state)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
        return DONE
    for line in described(found):
        print(printable(line))
    return DONE


def described(found: Status) -> Iterator[str]:
    """The lines for a person."""
    job = "no job is at work on it" if found.job is None else f"process {found.job} is at work on it"
    yield f"{found.state}: {job}; {counted(found.runs, 'run')}" + _ago(found.last_run_age, ", the last one began {} ago")
    files = found.files
    if files.listed:
        read = f"{files.read / 1e6:,.1f} of {files.size / 1e6:,.1f} MB"
        yield f"files: {files.done:,} of {files.listed:,} are read to their end ({read}), of the last run over files"
        yield from (f"  {each.file}: kept up to byte {each.offset:,}, of {each.size:,} as stored" for each in found.unread)
        if files.listed - files.done > len(found.unread):
            yield f"  and {files.listed - files.done - len(found.unread):,} more"
    for stream in found.streams:
        behind = "" if stream.behind is None else f"; {counted(stream.behind, 'byte')} behind"
        position = stream.position or "kept by the source itself"
        yield f"stream {stream.source}: position {position}" + _ago(stream.age, "; the last records came {} ago") + behind
    yield ""
    yield from columns([("consumer", "waiting", "oldest", "why"), *map(_row, found.waiting)])
    yield from report.held_in_words(found.held, found.state)
    yield ""
    letters = f"dead letters of all runs: {found.dead_letters:,}"
    if found.dead_letters:
        letters += f" ({found.unexported:,} in no file yet); `edx2lrs dead-letters stats {found.state}` shows which are left"
    yield letters
    yield from report.all_runs(found.all_runs, found.state)


def _row(each: WaitingFor) -> tuple[str, ...]:
    return each.consumer, f"{each.statements:,}", _age(each.oldest_age) if each.statements else "-", each.reason or "-"


def _ago(seconds: float | None, text: str) -> str:
    return "" if seconds is None else text.format(_age(seconds))


def _age(seconds: float) -> str:
    """In the largest unit in which the number is at least two: ``90 s``, ``3 min``."""
    unit, name = next((each for each in _UNITS if seconds >= 2 * each[0]), (1, "s"))
    return f"{int(seconds // unit):,} {name}"
