"""What a mapping makes of an event."""

from __future__ import annotations

import msgspec


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One finished xAPI statement or Caliper event: the text of its UUID, and its JSON, without a line break."""

    id: str
    body: bytes
    left_out: tuple[str, ...] = ()
    """The places of values that the record has and the statement cannot have: ``result.score``."""
