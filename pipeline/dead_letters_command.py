"""Show dead letters: what could not be read, translated or delivered, grouped by cause and consumer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from edx2lrs.io.dead_letters import DeadLetter, DeadLettersMissing, read
from edx2lrs.io.paths import is_remote
from edx2lrs.io.state.database import FILE_NAME
from edx2lrs.io.state.errors import StateError
from edx2lrs.io.state.state import join_state

_PAYLOAD_SHOWN = 500  # bytes
_FORMS = {"redacted": "redacted: its structure without its values", "none": "not kept"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``edx2lrs dead-letters``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print them, grouped by cause, with counts and one example each")
    show.add_argument("path", metavar="PATH", help="an Avro file, a folder of them (local, s3://, gs://), or a state directory")
    show.add_argument(
        "--payload",
        action="store_true",
        help=f"print the first {_PAYLOAD_SHOWN} bytes of each example; holds personal data",
    )


def run(arguments: argparse.Namespace) -> int:
    """``dead-letters show``: 0 when it was printed, 1 when something could not be read, 2 when there is nothing at
    the path."""
    broken: list[str] = []
    try:
        groups = grouped(_letters(arguments.path, broken))
    except (DeadLettersMissing, StateError) as error:
        print(f"edx2lrs: {error}", file=sys.stderr)
        return 2
    for line in described(groups, arguments.payload):
        print(line)
    for warning in broken:
        print(f"edx2lrs: {warning}", file=sys.stderr)
    return 1 if broken else 0


def _letters(path: str, broken: list[str]) -> Iterator[DeadLetter]:
    if is_remote(path) or not (Path(path) / FILE_NAME).exists():
        yield from read(path, broken.append)
        return
    with join_state(Path(path)) as state:
        if Path(state.dead_letters_folder).is_dir():
            yield from read(state.dead_letters_folder, broken.append)
        yield from state.dead_letters.read()


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
        yield f"  example     {_printable(example.position)}"
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
