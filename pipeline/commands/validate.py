"""Check statements or events on standard input against xAPI 1.0.3 or Caliper 1.2: one line for each fault, with its clause.

The input is JSON lines (a statement, event, entity or envelope on each), a JSON array of them, or one JSON object over several
lines. ``--strict`` tells what the standards recommend (SHOULD) too. Exit codes: 0 all valid; 1 some are not; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import orjson

from edx2lrs.transforms.validation.caliper import caliper_violations
from edx2lrs.transforms.validation.violations import JsonPath, Violation, path_text, sentence
from edx2lrs.transforms.validation.xapi import statement_violations

OK, INVALID, WRONG = 0, 1, 2
_LONGEST_ID = 80
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ViolationsOf = Callable[[object], list[Violation]]


class Standard(NamedTuple):
    """``nouns``: what it calls one of its documents, and several. ``once``: the clause by which no property comes twice."""

    nouns: tuple[str, str]
    violations_of: ViolationsOf
    once: str


STANDARDS = {
    "xapi": Standard(("statement", "statements"), statement_violations, "xAPI 1.0.3, 2.2"),
    "caliper": Standard(("document", "documents"), caliper_violations, "Caliper 1.2, Event"),
}


class Document(NamedTuple):
    """One statement, event, entity or envelope: where it stands, and ``value``; or ``violation``, when it is no JSON."""

    line: int
    item: int | None
    value: Any
    violation: Violation | None = None


class Repeating(dict[str, Any]):
    """An object in which properties come more than once; the last of each counts, as JSON parsers take it."""

    repeated: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``edx2lrs validate``."""
    parser.add_argument("--as", dest="standard", required=True, choices=sorted(STANDARDS), help="the standard to check against")
    parser.add_argument("--strict", action="store_true", help="what the standard recommends counts too")
    parser.add_argument("--json", action="store_true", help="one JSON object per fault")


def main(arguments: argparse.Namespace) -> int:
    """Reads standard input; prints faults on standard output and a summary on standard error."""
    standard = STANDARDS[arguments.standard]
    seen = invalid = told = 0
    for document in documents(sys.stdin.buffer):
        seen += 1
        violations = [violation for violation in violations_of(document, standard) if violation.required or arguments.strict]
        invalid += bool(violations)
        told += len(violations)
        for violation in violations:
            print(_as_json(document, violation) if arguments.json else f"{_where(document)}{sentence(violation)}")
    if not seen:
        print("edx2lrs validate: there is nothing on standard input", file=sys.stderr)
        return WRONG
    noun = standard.nouns[seen != 1]
    summary = f"{invalid} not valid, {told} fault{'' if told == 1 else 's'}" if invalid else "all valid"
    print(f"edx2lrs validate: {seen} {noun}, {summary}", file=sys.stderr)
    return INVALID if invalid else OK


def violations_of(document: Document, standard: Standard) -> list[Violation]:
    """What is wrong in one document."""
    if document.violation is not None:
        return [document.violation]
    return [*standard.violations_of(document.value), *_repeated(document.value, (), standard.once)]


def documents(source: BinaryIO) -> Iterator[Document]:
    """What stands in the input, in its order.

    Where the first line is whole, each line is; only where it is not, everything is read before anything is checked.
    """
    number, first = next(_lines(source, 1), (1, b""))
    first = first.removeprefix(_BYTE_ORDER_MARK)
    if not first.strip():
        return
    whole = _read(first)
    if not isinstance(whole, Violation):
        yield from _on_line(number, whole)
        yield from _each_line(source, number + 1)
        return
    rest = source.read()
    everything = _read(first + rest)
    if isinstance(everything, Violation):
        yield Document(number, None, None, whole)
        yield from _each_line(iter(rest.splitlines(keepends=True)), number + 1)
    else:
        yield from _on_line(number, everything)


def _lines(source: Any, first: int) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(source, first) if line.strip())


def _each_line(source: Any, first: int) -> Iterator[Document]:
    for number, line in _lines(source, first):
        value = _read(line)
        yield from [Document(number, None, None, value)] if isinstance(value, Violation) else _on_line(number, value)


def _on_line(number: int, value: Any) -> Iterator[Document]:
    if isinstance(value, list):
        yield from (Document(number, place, item) for place, item in enumerate(value))
    else:
        yield Document(number, None, value)


def _read(text: bytes) -> Any:
    """The decoded JSON, with its repeated properties marked; or the fault of what is no JSON."""
    try:
        orjson.loads(text)  # stricter than the standard library's: no NaN, no half characters
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        size = len(text.strip())
        return Violation((), f"{size} bytes that are no JSON", "a JSON object", "RFC 8259")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    marked = Repeating(plain)
    marked.repeated = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return marked


def _repeated(value: Any, path: JsonPath, clause: str) -> list[Violation]:
    """A fault for each property that comes more than once in one object, at any depth."""
    found: list[Violation] = []
    waiting: list[tuple[JsonPath, Any]] = [(path, value)]
    while waiting:
        at, part = waiting.pop()
        if isinstance(part, Repeating):
            found.extend(Violation((*at, name), "the property more than once", "it once", clause) for name in part.repeated)
        inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        waiting.extend(((*at, key), item) for key, item in inner if isinstance(item, (dict, list)))
    return found


def _identifier(value: Any) -> str | None:
    """The document's own id, when it has one that can be shown."""
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) and found.isprintable() and 0 < len(found) <= _LONGEST_ID else None


def _where(document: Document) -> str:
    item = "" if document.item is None else f", item {document.item}"
    identifier = _identifier(document.value)
    return f"line {document.line}{item}{f' ({identifier})' if identifier else ''}: "


def _as_json(document: Document, violation: Violation) -> str:
    told = {
        "line": document.line,
        "item": document.item,
        "id": _identifier(document.value),
        "path": path_text(violation.path),
        "found": violation.found,
        "expected": violation.expected,
        "clause": violation.clause,
        "required": violation.required,
    }
    return json.dumps(told)
