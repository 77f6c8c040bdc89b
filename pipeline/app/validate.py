"""Checks statements or events against xAPI 1.0.3 or Caliper 1.2."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import orjson

from edx2lrs.transforms.validation.caliper import caliper_violations
from edx2lrs.transforms.validation.violations import JsonPath, Violation
from edx2lrs.transforms.validation.xapi import statement_violations

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


@dataclass(frozen=True)
class ValidateRequest:
    """``source``: JSON lines, a JSON array of documents, or one JSON object over several lines. ``strict``: what the standard
    recommends counts too."""

    source: BinaryIO
    standard: Standard
    strict: bool = False


class Validated(NamedTuple):
    """A document with what is wrong in it. ``id``: its own, when it has one that can be shown."""

    document: Document
    id: str | None
    violations: list[Violation]


class Repeating(dict[str, Any]):
    """An object in which properties come more than once; the last of each counts, as JSON parsers take it."""

    repeated: tuple[str, ...] = ()


def validate(request: ValidateRequest) -> Iterator[Validated]:
    """Every document of the source, in its order, as soon as it is read."""
    for document in documents(request.source):
        found = violations_of(document, request.standard)
        violations = [violation for violation in found if violation.required or request.strict]
        yield Validated(document, _identifier(document.value), violations)


def violations_of(document: Document, standard: Standard) -> list[Violation]:
    """What is wrong in one document."""
    if document.violation is not None:
        return [document.violation]
    return [*standard.violations_of(document.value), *_repeated(document.value, (), standard.once)]


def documents(source: BinaryIO) -> Iterator[Document]:
    """What stands in the input, in its order. Everything is read before anything is checked only where the first line is not whole."""
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
