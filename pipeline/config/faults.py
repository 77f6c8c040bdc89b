"""What is wrong with a configuration: all of it at once, each fault with its place and its fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

UNUSABLE: Any = object()
"""Stands where a required value is missing or wrong, so that the rest can still be checked."""


class ConfigFault(NamedTuple):
    """One thing that is wrong. ``line``: from 1; 0 when the file could not be read at all. ``key``: a dotted path such as
    ``consumers[0].batch.size`` ("" for the whole file). ``found`` never holds what may be a secret."""

    file: str
    line: int
    key: str
    found: str
    expected: str = ""
    fix: str = ""

    def text(self) -> str:
        """The fault as one line: ``c.yaml:12: consumers[0].batch.sise: unknown key; did you mean size?``"""
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"found {self.found}, expected {self.expected}" if self.expected else self.found
        return ": ".join(part for part in (place, self.key, what) if part) + (f"; {self.fix}" if self.fix else "")


class Misfit(NamedTuple):
    """A value that does not go with another, or not with its block. ``key`` is relative to the block ("" for all of it)."""

    key: str
    found: str
    expected: str = ""
    fix: str = ""


class ConfigError(Exception):
    """A configuration that cannot be used; ``faults`` are in the order of their lines, and there is at least one."""

    def __init__(self, faults: Iterable[ConfigFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.key)))
        super().__init__("\n".join(fault.text() for fault in self.faults))


def nearest(word: str, known: Iterable[str]) -> str:
    """The fix for a word that is not among ``known``: the one that was probably meant, or all of them."""
    from difflib import get_close_matches  # only when something is wrong: costs 5 ms

    choices = list(known)
    by_lower = {choice.lower(): choice for choice in choices}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {by_lower[near[0]]}?"
    return f"known here: {', '.join(choices)}"
