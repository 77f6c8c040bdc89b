"""A record in the form that the graph takes: its bytes, and where the record was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from edx2lrs.io.sources.position import Position
from edx2lrs.io.sources.source import Message
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure


class Record(msgspec.Struct, frozen=True, gc=False):
    """One line that is not blank, without its end; or one message. ``source``, ``line`` and ``offset``: the fields of the record's
    ``Position``, which is made only where somebody asks for it."""

    source: str
    line: int | None
    offset: int | str | None
    body: bytes
    attributes: Mapping[str, str] = {}
    only: str | None = None  # the one consumer that is to get it

    @property
    def position(self) -> str:
        """Where the record was read, in the form for people."""
        return str(Position(self.source, self.line, self.offset))


def record_of(message: Message) -> Record:
    """The record that ``message`` holds."""
    at = message.position
    return Record(at.source, at.line, at.offset, message.body, message.attributes)


def tally_of(failures: Sequence[Failure]) -> Counter[Counted]:
    """The counts of records that failed before they were matched."""
    tally = Counter(Counted("", "dead", failure.cause) for failure in failures)
    tally[Counted("", "read")] = len(failures)
    return tally
