"""How large the next wave of a piece may be, when a process died in the last one.

An exception of one record is caught where it happens; this is for what no ``except`` sees: a crash of the interpreter, memory
that ran out. The wave is halved until the record that kills stands alone; alone three times, it is a dead letter.
"""

from __future__ import annotations

from typing import NamedTuple

from edx2lrs.pipeline.records import Record
from edx2lrs.transforms.failure import Failure

ALONE_AT_MOST = 3


class Attempt(NamedTuple):
    """What to do next: a wave of at most ``records`` (None: as many as fit); or none, since one record kills (``give_up``)."""

    records: int | None
    give_up: bool = False


def next_attempt(starts: int, records_limit: int | None) -> Attempt:
    """After ``starts`` starts of a wave of ``records_limit`` records at the kept place, none of which was kept."""
    if not starts or records_limit is None:
        return Attempt(None)
    if records_limit > 1:
        return Attempt(records_limit // 2)
    return Attempt(1, give_up=starts >= ALONE_AT_MOST)


def dead_letter_for(record: Record) -> Failure:
    """The dead letter for a record that was alone in a wave each time that its process died."""
    message = f"the process died {ALONE_AT_MOST} times with this record alone in its wave; please report it (with a made-up record)"
    return Failure("parse", "crash", message, record.position, record.body, attributes=record.attributes)
