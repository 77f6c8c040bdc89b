"""A fault of a statement or event: its place, what was found, what was expected, and the clause."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from edx2lrs.transforms.formats.json_type import json_type

Path = tuple[str | int, ...]
_LONGEST_KEY = 60
_plain = re.compile(r"[A-Za-z_@][\w@-]*").fullmatch
_word = re.compile(r"[\w#.:/-]{1,40}", re.ASCII).fullmatch


class Fault(NamedTuple):
    """One fault. ``found`` names types, and of values no more than a short word where a word of a list belongs."""

    path: Path
    found: str
    expected: str
    clause: str
    required: bool = True
    """False: the standard recommends it (SHOULD), and what does otherwise is still valid."""


Faults = tuple[Fault, ...]
Check = Callable[[Any], Faults]
FINE: Faults = ()


def wrong(value: object, expected: str, clause: str, required: bool = True) -> Faults:
    """The one fault of a value, which is not what was expected."""
    found = "an empty text" if value == "" else json_type(value)
    return (Fault((), found, expected, clause, required),)


def wrong_word(value: object, expected: str, clause: str) -> Faults:
    """As ``wrong``, for a word of a list. A short word is shown."""
    if isinstance(value, str) and _word(value):
        return (Fault((), f'"{value}"', expected, clause),)
    return wrong(value, expected, clause)


def missing(name: str, expected: str, clause: str, required: bool = True) -> Fault:
    return Fault((name,), "nothing", expected, clause, required)


def within(place: str | int, faults: Iterable[Fault]) -> Faults:
    """The faults of a part, as faults of the whole."""
    return tuple([fault._replace(path=(place, *fault.path)) for fault in faults])


def path_text(path: Path) -> str:
    """The path in the form ``context.contextActivities.parent[0].id``. Keys that are no plain names stand in quotes; long keys are
    cut."""
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


def sentence(fault: Fault) -> str:
    """The fault on one line."""
    where = f"{path_text(fault.path)}: " if fault.path else ""
    verb = "expected" if fault.required else "recommended"
    return f"{where}found {fault.found}, {verb} {fault.expected} ({fault.clause})"
