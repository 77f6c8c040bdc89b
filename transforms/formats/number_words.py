"""Numbers with their nouns, in the plural where it is one."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2,000 files``, ``0 entries``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{number:,} {noun}s"
