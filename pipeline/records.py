"""A record in the form that the graph takes: its bytes, and where the record was read."""

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
        """``at`` in the form for people."""
        return str(self.at)
