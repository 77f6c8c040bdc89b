"""Look at dead letters: what could not be read, translated or delivered, and is still to be sent again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime

import msgspec

from edx2lrs.io.dead_letters.letters import DeadLetter
from edx2lrs.pipeline.app.dead_letters import LetterCount, LetterGroup, Letters, LettersRequest, check_consumers, counted, grouped
from edx2lrs.pipeline.beam_options import follow
from edx2lrs.pipeline.commands.letter_options import add_letter_arguments, filter_of
from edx2lrs.pipeline.commands.outcomes import DONE, IN_PART
from edx2lrs.pipeline.page_parts import columns
from edx2lrs.transforms.formats.printable import printable

TAKES_BEAM_OPTIONS = True

_PAYLOAD_SHOWN = 500  # bytes
_FORMS = {"redacted": "redacted: its structure without its values", "none": "not kept"}
_ACTIONS = (
    ("list", "print one line for each: id, time, consumer, cause, position"),
    ("show", "print them, grouped by cause, with counts and one example each"),
    ("stats", "print how many there are by consumer, stage, cause and event"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, meaning in _ACTIONS:
        action = actions.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}.")
        add_letter_arguments(action)
        if name == "show":
            more = f"print the first {_PAYLOAD_SHOWN} bytes of each example; holds personal data"
            action.add_argument("--payload", action="store_true", help=more)
            whole = "print all of each example's payload and of the consumer's answer; holds personal data"
            action.add_argument("--full", action="store_true", help=whole)
        else:
            action.add_argument("--json", action="store_true", help="as JSON" + (", an object a line" if name == "list" else ""))
    parser.epilog = "Beam's own options, such as those of its file systems, may follow."


def main(arguments: argparse.Namespace) -> int:
    """0: the dead letters were printed. 1: something could not be read. 2: the path has no dead letters."""
    follow(arguments.beam)
    letters = Letters(LettersRequest(arguments.path, filter_of(arguments)))
    check_consumers(letters.request)
    for line in _lines(arguments, letters):
        print(printable(line))
    for warning in letters.unreadable:
        print(printable(f"edx2lrs: {warning}"), file=sys.stderr)
    return IN_PART if letters.unreadable else DONE


def _lines(arguments: argparse.Namespace, letters: Letters) -> Iterator[str]:
    if arguments.action == "list":
        return map(_listed_as_json if arguments.json else listed, letters)
    if arguments.action == "stats":
        counts = counted(letters)
        return stats(counts, letters.sent_again, arguments.json)
    return described(grouped(letters), arguments.payload, arguments.full)


def listed(letter: DeadLetter) -> str:
    """One line, for a person or for tools that cut at white space. The position comes last, since a position may hold white space."""
    when = f"{letter.time:%Y-%m-%dT%H:%M:%SZ}"
    return f"{letter.id}  {when}  {letter.consumer or '-'}  {letter.cause}  {letter.position}"


def _listed_as_json(letter: DeadLetter) -> str:
    """All but what it holds of the record and of the answer."""
    left_out = ("payload", "http_body", "attributes")
    fields = {name: value for name, value in msgspec.structs.asdict(letter).items() if name not in left_out}
    return msgspec.json.encode(fields).decode()


def stats(counts: list[LetterCount], sent_again: int, as_json: bool) -> Iterator[str]:
    """A table of how many there are of each kind and when they failed; or one JSON object."""
    total = sum(each.letters for each in counts)
    if as_json:
        yield msgspec.json.encode({"letters": total, "sent_again": sent_again, "groups": counts}).decode()
        return
    if counts:
        rows: list[tuple[str, ...]] = [("letters", "consumer", "stage", "cause", "event", "first", "last")]
        rows += [(f"{n.letters:,}", n.consumer or "-", n.stage, n.cause, n.event or "-", _day(n.first), _day(n.last)) for n in counts]
        yield from columns(rows, numbers=1)
        yield ""
    yield f"{total:,} dead letter{'' if total == 1 else 's'}, {sent_again:,} more were sent again"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def described(groups: list[LetterGroup], payload: bool, full: bool = False) -> Iterator[str]:
    """Lines for a person; with ``payload`` the start of each example's payload too, with ``full`` all of it, and the whole answer."""
    total = sum(group.letters for group in groups)
    yield f"{total} dead letter{'' if total == 1 else 's'}"
    for group in groups:
        example = group.example
        yield ""
        yield f"{group.cause}: {group.letters}" + (f" for {group.consumer}" if group.consumer else "")
        yield f"  failed at   {example.stage}, {example.time:%Y-%m-%d %H:%M:%S} UTC, edx2lrs {example.edx2lrs_version}"
        yield f"  example     {example.position}" + (f", {example.event_name}" if example.event_name else "")
        yield f"  letter      {example.id}"
        yield f"  why         {example.message}"
        if example.statement_id is not None:
            yield f"  statement   {example.statement_id}"
        if example.http_status is not None:
            yield f"  answer      HTTP {example.http_status} after {example.attempts} attempt{'' if example.attempts == 1 else 's'}"
        if example.payload_form != "full":
            yield f"  payload     {_FORMS.get(example.payload_form, example.payload_form)}; it cannot be sent again"
        if full:
            yield from _whole(example)
        elif payload:
            if example.http_body:
                yield f"  said        {example.http_body}"
            if example.payload_form != "none":
                yield f"  {example.payload_kind:10}  {_excerpt(example.payload)}"


def _whole(letter: DeadLetter) -> Iterator[str]:
    for name, content in (("said", (letter.http_body or "").encode()), (letter.payload_kind, letter.payload)):
        if content:
            yield f"  {name}:"
            yield from (f"    {line}" for line in _indented(content).split("\n"))


def _indented(content: bytes) -> str:
    """JSON by its parts, everything else as it is."""
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return content.decode(errors="backslashreplace")


def _excerpt(payload: bytes) -> str:
    text = payload[:_PAYLOAD_SHOWN].decode(errors="backslashreplace")
    return text + (f" ... ({len(payload)} bytes)" if len(payload) > _PAYLOAD_SHOWN else "")
