"""Send dead letters again: records through the whole job, statements to their consumer.

A letter is sent from the state directory that took it over, once: the same command goes on after a kill.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from edx2lrs.pipeline.app.replay import ReplayRequest, execute, plan
from edx2lrs.pipeline.app.replay_plan import NAMED, ReplayTally
from edx2lrs.pipeline.beam_options import follow
from edx2lrs.pipeline.commands.dead_letters import listed
from edx2lrs.pipeline.commands.letter_options import add_letter_arguments, filter_of
from edx2lrs.pipeline.commands.outcomes import DONE, IN_PART, for_persons, say, told_of_job
from edx2lrs.pipeline.commands.watching import watched
from edx2lrs.pipeline.run_options import SEND_HELD
from edx2lrs.transforms.formats.printable import printable

TAKES_BEAM_OPTIONS = True

_REASONS = {
    "redacted": "their payload is redacted: mend the reason, and run the log that `position` names again with a new --state",
    "none": "they have no payload: mend the reason, and run the log that `position` names again with a new --state",
    "file": "the fault is a file's, not a record's: run the file again",
    "no_consumer": "the configuration does not have their consumer",
    "incomplete": "they lack what is to be sent",
    "other_terms": "other options of the configuration decided when they were made; --send-held sends them all the same",
    "other_protocol": "they are of another protocol than their consumer is today",
    "no_source": "their record is not at its position any more: the file is gone, has changed, or was a message",
    "too_long": "the record is too long to be read",
    "not_ours": "edx2lrs does not write such letters: a statement is one JSON object on one line, with the letter's statement id",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration (YAML)")
    add_letter_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and change nothing")
    own = "the state directory that the letters lie in, else a new one here, which the same command finds again"
    parser.add_argument("--state", metavar="DIR", help=f"what sends them, and knows how far it is; default: {own}")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes that read records")
    parser.add_argument("--report", metavar="PATH", help="write the run's report there, as JSON, every 10 s and at the end")
    anew = "make statements, and letters without their payload, anew of the record that their position names, with today's mapping"
    parser.add_argument("--again-from-source", action="store_true", help=anew)
    parser.add_argument("--send-held", action="store_true", help=SEND_HELD)
    parser.epilog = "Beam's own options, such as those of its file systems, may follow."


def main(arguments: argparse.Namespace) -> int:
    """0: all dead letters were sent. 1: statements wait, it was stopped, or files or letters are none of edx2lrs."""
    follow(arguments.beam)
    given = arguments
    request = ReplayRequest(
        given.config, given.path, filter_of(given), given.state, given.workers, given.report, tuple(given.beam), given.send_held,
        given.again_from_source,
    )
    if arguments.dry_run:
        planned = plan(request)
        _warn(planned)
        for line in described(planned, will=True):
            say(printable(line))
        return IN_PART if planned.not_read else DONE
    with watched() as control:
        replayed = execute(request, control)
    _warn(replayed.letters)
    out = for_persons(replayed.job)
    for line in described(replayed.letters, will=False):
        say(printable(line), out)
    say("", out)
    code = told_of_job(replayed.job)
    return IN_PART if code == DONE and replayed.letters.not_read else code


def _warn(letters: ReplayTally) -> None:
    for text in letters.unreadable:
        print(printable(f"edx2lrs: {text}"), file=sys.stderr)


def described(letters: ReplayTally, will: bool) -> Iterator[str]:
    """For a person; ``will``: nothing was done yet."""
    be = "would be" if will else "were"
    for consumer, number in sorted(letters.statements.items()):
        yield f"{number:,} statement{_s(number)} {be} sent to {consumer}"
    for consumer, number in sorted(letters.records.items()):
        to = f"for {consumer} alone" if consumer else "for all consumers that are entitled"
        yield f"{number:,} record{_s(number)} {be} read again, {to}"
    for consumer, number in sorted(letters.left.items()):
        yield f"{number:,} letter{_s(number)} stay for now: too much waits for {consumer} already (outbox.statements)"
    if letters.sent_again:
        yield f"{letters.sent_again:,} letter{_s(letters.sent_again)} were sent again before, and stay out"
    for reason, number in sorted(letters.skips.items()):
        yield f"{number:,} letter{_s(number)} cannot be sent again: {_REASONS[reason]}"
        yield from (f"  {listed(letter)}" for letter in letters.skipped[reason])
        if number > NAMED:
            yield f"  and {number - NAMED:,} more, which `edx2lrs dead-letters list` names"
    if not (letters.statements or letters.records or letters.left or letters.skips or letters.sent_again):
        yield "there is no dead letter to be sent again"


def _s(number: int) -> str:
    return "" if number == 1 else "s"
