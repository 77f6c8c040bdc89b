"""How a long operation reports its progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

OnProgress: TypeAlias = Callable[[str], None]
"""Is called with a short text for a person, as often as there is something new."""


def silent(*_: object) -> None:
    """An ``OnProgress``, or another callback, that reports nothing."""
