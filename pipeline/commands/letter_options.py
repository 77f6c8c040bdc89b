"""The options that select the dead letters of a command."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta, timezone

from edx2lrs.pipeline.app.letter_filters import LetterFilter
from edx2lrs.transforms.formats import durations
from edx2lrs.transforms.formats.unfit import UnfitError

_SEVERAL = (
    ("--consumer", "consumers", "NAME", "only those of this consumer"),
    ("--cause", "causes", "CAUSE", "only those of this cause"),
    ("--stage", "stages", "STAGE", "only those of this step: read, parse, filter, match, translate, guard, deliver"),
    ("--event", "events", "NAME", "only those of this event, by its name"),
    ("--id", "ids", "ID", "only this letter"),
    ("--statement", "statements", "ID", "only those of this statement, by its id"),
    ("--position", "positions", "POSITION", "only those of this place, such as tracking.log:12, or of all of this file"),
)


def add_letter_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the letters lie, and filters as options; those that name something may be given again, for one more."""
    where = "an Avro file, a glob or folder of them (local, s3://, gs://), or a state directory"
    parser.add_argument("path", metavar="PATH", help=where)
    for option, destination, metavar, meaning in _SEVERAL:
        parser.add_argument(option, dest=destination, metavar=metavar, action="append", default=[], help=meaning)
    forms = "a day or moment (2026-03-11, 2026-03-11T06:00:00Z; UTC unless it says otherwise), or so long ago (36h)"
    parser.add_argument("--since", type=_moment, metavar="TIME", help=f"only those that failed then or later: {forms}")
    parser.add_argument("--until", type=_moment, metavar="TIME", help="only those that failed before it")


def filter_of(arguments: argparse.Namespace) -> LetterFilter:
    named = {destination: frozenset(getattr(arguments, destination)) for _, destination, _, _ in _SEVERAL}
    named["statements"] = frozenset(each.lower().removeprefix("urn:uuid:") for each in named["statements"])
    return LetterFilter(**named, since=arguments.since, until=arguments.until)


def _moment(text: str) -> datetime:
    try:
        return datetime.now(timezone.utc) - timedelta(seconds=durations.seconds(text))
    except (UnfitError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-03-11, 2026-03-11T06:00:00Z or 36h") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
