"""Look at the statements that wait in a state directory, drop them, or hand them over to another consumer."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import msgspec

from edx2lrs.pipeline.app.waiting import HandOverRequest, WaitingStatements, drop, hand_over, waiting
from edx2lrs.pipeline.commands.outcomes import DONE
from edx2lrs.pipeline.report import held_in_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print how many wait for whom, how long, and which are held and why")
    dropping = actions.add_parser("drop", help="drop what waits for a consumer; it is never sent")
    handing = actions.add_parser("hand-over", help="give what waits for a consumer to another one, such as one with a new name")
    for action in (show, dropping, handing):
        action.add_argument("state", metavar="STATE", help="the state directory")
    show.add_argument("--json", action="store_true", help="as JSON")
    for action in (dropping, handing):
        action.add_argument("--consumer", required=True, metavar="NAME", help="whose statements; in a configuration or not")
        action.add_argument("--dry-run", action="store_true", help="say how many there are, and change nothing")
    dropping.add_argument("--held", action="store_true", help="only those that were made under other options than today's")
    handing.add_argument("--to", required=True, metavar="NAME", help="the consumer that is to get them")
    handing.add_argument("--config", required=True, metavar="FILE", help="the configuration that has this consumer (YAML)")


def main(arguments: argparse.Namespace) -> int:
    """0: it was done. 2: there is no such state directory or consumer, or a job owns the directory."""
    consumer = getattr(arguments, "consumer", "")
    if arguments.action == "show":
        _print(waiting(arguments.state), arguments.state, arguments.json)
        return DONE
    be = "would be" if arguments.dry_run else "were"
    if arguments.action == "drop":
        number = drop(arguments.state, consumer, arguments.held, arguments.dry_run)
        print(f"{_statements(number)} for {consumer} {be} dropped")
    else:
        request = HandOverRequest(arguments.state, consumer, arguments.to, arguments.config, arguments.dry_run)
        number = hand_over(request)
        print(f"{_statements(number)} for {consumer} {be} handed over to {arguments.to}")
    return DONE


def _print(found: Sequence[WaitingStatements], state: str, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    for each in found:
        print(f"{_statements(each.statements)} for {each.consumer}, the oldest for {each.oldest_age:,.0f} s")
        for text in held_in_words(each.held, state):
            print(f"  {text}")
    if not found:
        print("nothing waits")


def _statements(number: int) -> str:
    return f"{number:,} statement{'' if number == 1 else 's'}"
