"""What the checks of whole blocks say."""

from __future__ import annotations

from typing import NamedTuple


class Misfit(NamedTuple):
    """A value that does not go with another, or not with its block. ``key`` is relative to the block ("" for all of it)."""

    key: str
    found: str
    expected: str = ""
    fix: str = ""
