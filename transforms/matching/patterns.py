"""Names in a configuration: exact names, or ``/regex/``. An expression is searched for (``re.search``), and may begin with ``^``
and end with ``$``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edx2lrs.transforms.formats.unfit import UnfitError, kind_of


def is_regex(text: str) -> bool:
    """Whether ``text`` is ``/regex/`` and not an exact name."""
    return len(text) > 1 and text[0] == "/" == text[-1]


def compile_regex(text: str) -> re.Pattern[str]:
    """The expression of ``/regex/``. Raises re.error, also for an empty expression, which would match everything."""
    if text == "//":
        raise re.error("empty expression")
    return re.compile(text[1:-1])


def pattern(value: object) -> str:
    """An exact name, or a ``/regex/`` that compiles. Raises UnfitError for every other text."""
    expected = "a name or /regex/"
    if not isinstance(value, str):
        raise UnfitError(kind_of(value), expected, "" if isinstance(value, (list, dict)) else "put it in quotes")
    if not value:
        raise UnfitError("empty text", expected)
    if is_regex(value):
        try:
            compile_regex(value)
        except (re.error, RecursionError, OverflowError) as error:
            raise UnfitError(f"a bad regular expression: {error}", fix="an exact name stands without slashes") from None
    return value


class Names:
    """A list of names: ``"x" in names`` is true if a name is equal to the text, or if an expression is found in the text."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = list(texts)
        self._exact = frozenset(text for text in texts if not is_regex(text))
        self._regexes = [compile_regex(text) for text in texts if is_regex(text)]

    def __contains__(self, name: str) -> bool:
        return name in self._exact or any(regex.search(name) for regex in self._regexes)
