"""A violation of a statement or event: its place, what was found, what was expected, and the clause."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from edx2lrs.transforms.formats.json_type import json_type

JsonPath = tuple[str | int, ...]
_LONGEST_KEY = 60
_plain = re.compile(r"[A-Za-z_@][\w@-]*").fullmatch
_word = re.compile(r"[\w#.:/-]{1,40}", re.ASCII).fullmatch


class Violation(NamedTuple):
    """One violation. ``found`` names types, and of values no more than a short word where a word of a list belongs."""

    path: JsonPath
    found: str
    expected: str
    clause: str
    required: bool = True
    """False: the standard recommends it (SHOULD), and what does otherwise is still valid."""
    near: str = ""
    """Of a property that the standard does not know: the property with the nearest name."""


UNKNOWN_PROPERTY = "an unknown property"
ANOTHER_KEY = "another key"
Violations = tuple[Violation, ...]
Validator = Callable[[Any], Violations]
FINE: Violations = ()


def wrong(value: object, expected: str, clause: str, required: bool = True) -> Violations:
    """The one violation of a value, which is not what was expected."""
    found = "an empty text" if value == "" else json_type(value)
    return (Violation((), found, expected, clause, required),)


def wrong_word(value: object, expected: str, clause: str) -> Violations:
    """As ``wrong``, for a word of a list. A short word is shown."""
    if isinstance(value, str) and _word(value):
        return (Violation((), f'"{value}"', expected, clause),)
    return wrong(value, expected, clause)


def missing(name: str, expected: str, clause: str, required: bool = True) -> Violation:
    return Violation((name,), "nothing", expected, clause, required)


def within(place: str | int, violations: Iterable[Violation]) -> Violations:
    """The violations of a part, as violations of the whole."""
    return tuple([violation._replace(path=(place, *violation.path)) for violation in violations])


def path_text(path: JsonPath) -> str:
    """The path as ``context.contextActivities.parent[0].id``. Keys that are no plain names are quoted; long keys are cut."""
    text = ""
    for place in path:
        if isinstance(place, int):
            text += f"[{place}]"
        elif _plain(place) and len(place) <= _LONGEST_KEY:
            text += f".{place}" if text else place
        else:
            cut = place if len(place) <= _LONGEST_KEY else place[:_LONGEST_KEY] + "..."
            text += f"[{json.dumps(cut)}]"
    return text


def sentence(violation: Violation) -> str:
    """The violation on one line."""
    where = f"{path_text(violation.path)}: " if violation.path else ""
    verb = "expected" if violation.required else "recommended"
    return f"{where}found {violation.found}, {verb} {violation.expected} ({violation.clause})"
