"""Where a record was read, and how far a file is read."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Position(msgspec.Struct, frozen=True, gc=False):
    """``source``: a file's path, a partition, a stream, or (without ``line`` and ``offset``) the id of a message. ``offset``: the byte
    at which the record begins, if the lines before were not counted; or the record's place in a partition or a stream."""

    source: str
    line: int | None = None
    offset: int | str | None = None

    def __str__(self) -> str:
        """The position for people: ``path:12``, ``path@4096``, ``topic[3]@1234``, the id of a message."""
        if self.line is not None:
            return f"{self.source}:{self.line}"
        return self.source if self.offset is None else f"{self.source}@{self.offset}"


class Reached(NamedTuple):
    """How far a file, or a part, is read: bytes of the file's text (inflated), lines of the part; ``done``: the part is at its end."""

    offset: int = 0
    lines: int = 0
    done: bool = False


NOTHING = Reached()
