"""A value that a person has written and that does not do."""

from __future__ import annotations


class UnfitError(Exception):
    """Says what was found, what was expected and how to mend it, the last two where there is something to say. ``found`` never
    holds what may be a secret. ``at``: the keys and indexes that lead from the value that was read to the one that is unfit."""

    def __init__(self, found: str, expected: str = "", fix: str = "", at: tuple[str | int, ...] = ()) -> None:
        self.found, self.expected, self.fix, self.at = found, expected, fix, at
        super().__init__(found)


def kind_of(value: object) -> str:
    """The type of a YAML value in words, without the value."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return "nothing" if value is None else names[type(value)]
