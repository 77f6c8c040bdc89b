"""A record as the graph takes it: what was read, and where."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """One line that is not blank, without its end; or one message, whose ``path`` is its position and whose ``line`` is 0."""

    path: str
    line: int
    body: bytes
    attributes: Mapping[str, str] = {}
    only: str | None = None  # the one consumer that is to get it

    @property
    def position(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path
