"""Look at dead letters: what could not be read, translated or delivered, and is still to be sent again."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from edx2lrs.io.dead_letters.letters import DeadLetter, DeadLettersMissing, read
from edx2lrs.io.paths import is_remote
from edx2lrs.io.state.database import FILE_NAME
from edx2lrs.io.state.errors import StateError
from edx2lrs.io.state.state import join_state
from edx2lrs.pipeline.commands.letter_filters import add_filter_arguments, filter_of
from edx2lrs.pipeline.run_options import OptionError, follow_beam_options

TAKES_BEAM_OPTIONS = True

_PAYLOAD_SHOWN = 500  # bytes
_FORMS = {"redacted": "redacted: its structure without its values", "none": "not kept"}
_ACTIONS = (
    ("list", "print one line for each: id, time, consumer, cause, position"),
    ("show", "print them, grouped by cause, with counts and one example each"),
    ("stats", "print how many there are by consumer, stage, cause and event"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``edx2lrs dead-letters``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, meaning in _ACTIONS:
        action = actions.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}.")
        where = "an Avro file, a glob or folder of them (local, s3://, gs://), or a state directory"
        action.add_argument("path", metavar="PATH", help=where)
        add_filter_arguments(action)
        if name == "show":
            more = f"print the first {_PAYLOAD_SHOWN} bytes of each example; holds personal data"
            action.add_argument("--payload", action="store_true", help=more)
        else:
            action.add_argument("--json", action="store_true", help="as JSON" + (", an object a line" if name == "list" else ""))
    parser.epilog = "Beam's own options, such as those of its file systems, may follow."


def run(arguments: argparse.Namespace) -> int:
    """0 when it was printed, 1 when something could not be read, 2 when there is nothing at the path."""
    broken: list[str] = []
    sent_again: Counter[str] = Counter()
    wanted = filter_of(arguments)

    def count(letter: DeadLetter) -> None:
        sent_again["letters"] += wanted(letter)

    try:
        follow_beam_options(getattr(arguments, "beam", []))
        letters = filter(wanted, letters_at(arguments.path, broken.append, count))
        for line in _lines(arguments, letters, sent_again):
            print(line)
    except (DeadLettersMissing, OptionError, StateError, OSError) as error:
        print(f"edx2lrs: {error}", file=sys.stderr)
        return 2
    for warning in broken:
        print(f"edx2lrs: {warning}", file=sys.stderr)
    return 1 if broken else 0


def letters_at(path: str, warn: Callable[[str], None], sent_again: Callable[[DeadLetter], None]) -> Iterator[DeadLetter]:
    """The letters of files, or those of a state directory: in its files, and in no file yet. Raises ``DeadLettersMissing``,
    ``StateError``, ``OSError``."""
    if not is_state_directory(path):
        yield from read(path, warn, sent_again)
        return
    with join_state(Path(path)) as state:
        if any(Path(state.dead_letters_folder).glob("*.avro")):
            yield from read(state.dead_letters_folder, warn, sent_again)
        yield from state.dead_letters.read()


def is_state_directory(path: str) -> bool:
    """Whether a state directory lies there."""
    return not is_remote(path) and (Path(path) / FILE_NAME).exists()


def _lines(arguments: argparse.Namespace, letters: Iterable[DeadLetter], sent_again: Counter[str]) -> Iterator[str]:
    if arguments.action == "list":
        return map(_listed_as_json if arguments.json else listed, letters)
    if arguments.action == "stats":
        return stats(letters, sent_again, arguments.json)
    return described(grouped(letters), arguments.payload)


# list


def listed(letter: DeadLetter) -> str:
    """One line for a person, or for tools that cut at white space: the position, which may hold some, is last."""
    when = f"{letter.time:%Y-%m-%dT%H:%M:%SZ}"
    return f"{letter.id}  {when}  {letter.consumer or '-'}  {letter.cause}  {_printable(letter.position)}"


def _listed_as_json(letter: DeadLetter) -> str:
    """All but what it holds of the record and of the answer."""
    left_out = ("payload", "http_body", "attributes")
    fields = {name: value for name, value in msgspec.structs.asdict(letter).items() if name not in left_out}
    return msgspec.json.encode(fields).decode()


# stats


class Kind(NamedTuple):
    """What letters are counted by."""

    consumer: str | None
    stage: str
    cause: str
    event: str | None


class _Counted(NamedTuple):
    letters: int
    first: datetime
    last: datetime


def stats(letters: Iterable[DeadLetter], sent_again: Counter[str], as_json: bool) -> Iterator[str]:
    """A table of how many there are of each kind and when they failed, the largest number first; or one JSON object."""
    found = _counted(letters)
    total = sum(counted.letters for counted in found.values())
    if as_json:
        groups = [{**kind._asdict(), **counted._asdict()} for kind, counted in found.items()]
        yield msgspec.json.encode({"letters": total, "sent_again": sent_again["letters"], "groups": groups}).decode()
        return
    if found:
        rows: list[tuple[str, ...]] = [("letters", "consumer", "stage", "cause", "event", "first", "last")]
        rows += [(f"{n:,}", *(word or "-" for word in kind), _day(first), _day(last)) for kind, (n, first, last) in found.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for number, *words in rows:
            cells = [number.rjust(widths[0]), *(word.ljust(width) for word, width in zip(words, widths[1:], strict=True))]
            yield "  ".join(cells).rstrip()
        yield ""
    yield f"{total:,} dead letter{'' if total == 1 else 's'}, {sent_again['letters']:,} more were sent again"


def _counted(letters: Iterable[DeadLetter]) -> dict[Kind, _Counted]:
    found: dict[Kind, _Counted] = {}
    for letter in letters:
        kind = Kind(letter.consumer, letter.stage, letter.cause, letter.event_name)
        n, first, last = found.get(kind, _Counted(0, letter.time, letter.time))
        found[kind] = _Counted(n + 1, min(first, letter.time), max(last, letter.time))
    return dict(sorted(found.items(), key=lambda item: (-item[1].letters, [word or "" for word in item[0]])))


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


# show


class Group(NamedTuple):
    """Dead letters of one cause and consumer: how many, and the first of them."""

    size: int
    example: DeadLetter


def grouped(letters: Iterable[DeadLetter]) -> dict[tuple[str, str | None], Group]:
    """The letters by cause and consumer, the largest group first."""
    groups: dict[tuple[str, str | None], Group] = {}
    for letter in letters:
        key = letter.cause, letter.consumer
        known = groups.get(key)
        groups[key] = Group(known.size + 1, known.example) if known else Group(1, letter)
    return dict(sorted(groups.items(), key=lambda item: (-item[1].size, item[0][0], item[0][1] or "")))


def described(groups: dict[tuple[str, str | None], Group], payload: bool) -> Iterator[str]:
    """Lines for a person; with ``payload`` the start of each example's payload too."""
    total = sum(group.size for group in groups.values())
    yield f"{total} dead letter{'' if total == 1 else 's'}"
    for (cause, consumer), (size, example) in groups.items():
        yield ""
        yield f"{cause}: {size}" + (f" for {consumer}" if consumer else "")
        yield f"  failed at   {example.stage}, {example.time:%Y-%m-%d %H:%M:%S} UTC, edx2lrs {example.edx2lrs_version}"
        yield f"  example     {_printable(example.position)}" + (f", {example.event_name}" if example.event_name else "")
        yield f"  letter      {example.id}"
        yield f"  why         {_printable(example.message)}"
        if example.statement_id is not None:
            yield f"  statement   {example.statement_id}"
        if example.http_status is not None:
            yield f"  answer      HTTP {example.http_status} after {example.attempts} attempts"
        if example.payload_form != "full":
            yield f"  payload     {_FORMS.get(example.payload_form, example.payload_form)}; it cannot be sent again"
        if payload:
            if example.http_body:
                yield f"  said        {_printable(example.http_body)}"
            if example.payload_form != "none":
                yield f"  {example.payload_kind:10}  {_excerpt(example.payload)}"


def _excerpt(payload: bytes) -> str:
    text = _printable(payload[:_PAYLOAD_SHOWN].decode(errors="backslashreplace"))
    return text + (f" ... ({len(payload)} bytes)" if len(payload) > _PAYLOAD_SHOWN else "")


def _printable(text: str) -> str:
    """The text on one line, without control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
