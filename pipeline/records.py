"""A record as the graph takes it: what was read, and where."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from edx2lrs.io.sources.position import Position


class Record(msgspec.Struct, frozen=True, gc=False):
    """One line that is not blank, without its end; or one message. ``at``: where it was read."""

    at: Position
    body: bytes
    attributes: Mapping[str, str] = {}
    only: str | None = None  # the one consumer that is to get it

    @property
    def position(self) -> str:
        """``at`` as people are told."""
        return str(self.at)
