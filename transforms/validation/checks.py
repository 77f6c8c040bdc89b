"""The parts of which the standards' tables are made: each function makes a check, and a check gives the violations of a value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from math import inf, isfinite
from typing import Any

from edx2lrs.transforms.formats.texts import Matches
from edx2lrs.transforms.validation.violations import (
    ANOTHER_KEY,
    FINE,
    UNKNOWN_PROPERTY,
    Validator,
    Violation,
    Violations,
    missing,
    within,
    wrong,
    wrong_word,
)

Rule = Callable[[dict[str, Any]], Violations]


def anything(_: object) -> Violations:
    return FINE


def fitting(fits: Callable[[Any], object], expected: str, clause: str) -> Validator:
    """A value for which ``fits`` gives something true; ``expected`` says what the value is to be."""

    def check(value: Any) -> Violations:
        return FINE if fits(value) else wrong(value, expected, clause)

    return check


def text(clause: str, filled: bool = False) -> Validator:
    """A text. With ``filled``, a text that is not empty."""
    expected = "a text that is not empty" if filled else "a text"
    return fitting(lambda value: isinstance(value, str) and (value or not filled), expected, clause)


def formatted(matches: Matches, expected: str, clause: str) -> Validator:
    """A text of a format."""
    return fitting(lambda value: isinstance(value, str) and matches(value), expected, clause)


def word_of(words: Collection[str], clause: str, called: str | None = None) -> Validator:
    """A word of a list, spelled exactly as in the list. ``called``: the words for a list that is too long to be shown."""
    expected = called or (" or ".join(f'"{word}"' for word in words) if len(words) < 4 else f"one of {', '.join(words)}")
    known = frozenset(words)

    def check(value: object) -> Violations:
        return FINE if isinstance(value, str) and value in known else wrong_word(value, expected, clause)

    return check


def boolean(clause: str) -> Validator:
    return fitting(lambda value: isinstance(value, bool), "a boolean", clause)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def number(clause: str, low: float = -inf, high: float = inf) -> Validator:
    """A number, from ``low`` to ``high``."""
    expected = "a number" if low == -inf else f"a number from {low} to {high}"
    return fitting(lambda value: is_number(value) and low <= value <= high, expected, clause)


def integer(clause: str, low: float = -inf) -> Validator:
    """A whole number (in JSON, ``2.0`` is a whole number), not below ``low``."""
    expected = "a whole number" if low == -inf else f"a whole number, {low} or more"
    return fitting(lambda value: is_number(value) and value == int(value) and low <= value, expected, clause)


def array(check_item: Validator, of: str, clause: str) -> Validator:
    """An array, each item checked."""

    def check(value: object) -> Violations:
        if not isinstance(value, list):
            return wrong(value, f"an array of {of}", clause)
        return tuple(violation for place, item in enumerate(value) for violation in within(place, check_item(item)))

    return check


def keyed(is_key: Matches, key: str, clause: str, check_item: Validator = anything) -> Validator:
    """An object whose keys have a format, each value checked."""

    def check(value: object) -> Violations:
        if not isinstance(value, dict):
            return wrong(value, f"an object whose keys are {key}", clause)
        violations: list[Violation] = []
        for name, item in value.items():
            if not is_key(name):
                violations.append(Violation((name,), ANOTHER_KEY, f"keys that are {key}", clause))
            violations += within(name, check_item(item))
        return tuple(violations)

    return check


def record(
    what: str, clause: str, properties: Mapping[str, Validator], *, unknown: str, required: Sequence[str] = (),
    recommended: Mapping[str, str] | None = None, rules: Sequence[Rule] = (), elsewhere: str = "", nulls: str | None = None,
) -> Validator:
    """An object with these properties and no other. ``recommended``: properties that the object should have, each with its clause.
    ``rules``: rules over several properties. ``unknown``: the clause that allows no other property (``elsewhere``: the place for a
    site's own properties). ``nulls``: the clause that allows no null."""

    def check(value: object) -> Violations:
        if not isinstance(value, dict):
            return wrong(value, what, clause)
        violations = [missing(name, f"a value: {what} has one", clause) for name in required if name not in value]
        for name, by in (recommended or {}).items():
            if name not in value:
                violations.append(missing(name, f"a value in {what}", by, required=False))
        for name, item in value.items():
            check_item = properties.get(name)
            found = _unknown(name, properties, f"{what}{elsewhere}", unknown) if check_item is None else check_item(item)
            if found:
                if item is None and nulls is not None and check_item is not None:
                    found = tuple(violation._replace(clause=nulls) for violation in found)
                violations += within(name, found)
        for rule in rules:
            violations += rule(value)
        return tuple(violations)

    return check


def _unknown(name: str, properties: Collection[str], what: str, clause: str) -> Violations:
    """The violation of a property that ``what`` does not have. The violation names a property that differs only in case."""
    meant = next((each for each in properties if each.casefold() == name.casefold()), None)
    expected = f"no such property in {what}" if meant is None else f"{meant}, in this case of letters"
    near = get_close_matches(name, properties, 1) if meant is None else [meant]
    return (Violation((), UNKNOWN_PROPERTY, expected, clause, near="".join(near)),)
