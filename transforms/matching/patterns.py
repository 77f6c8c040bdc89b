"""Names in a configuration: exact, or ``/regex/``, which is searched for (``re.search``), anchored as written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edx2lrs.transforms.formats.unfit import UnfitError, kind_of


def is_regex(text: str) -> bool:
    """Whether ``text`` is ``/regex/`` and not an exact name."""
    return len(text) > 1 and text[0] == "/" == text[-1]


def compile_regex(text: str) -> re.Pattern[str]:
    """The expression of ``/regex/``. Raises re.error; an empty one, which would match everything, is an error too."""
    if text == "//":
        raise re.error("empty expression")
    return re.compile(text[1:-1])


def pattern(value: object) -> str:
    """An exact name, or ``/regex/`` that compiles. Raises UnfitError for all else."""
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
    """A list of names: ``"x" in names`` is true when one of them is it, or one of the expressions is found in it."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = list(texts)
        self._exact = frozenset(text for text in texts if not is_regex(text))
        self._regexes = [compile_regex(text) for text in texts if is_regex(text)]

    def __contains__(self, name: str) -> bool:
        return name in self._exact or any(regex.search(name) for regex in self._regexes)
