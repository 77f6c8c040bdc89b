"""The size of the next wave of a piece, if a process died in the last wave.

Exceptions of a record are caught in the steps. Halving is for failures that no ``except`` can catch: a crash of the interpreter, or
memory that ran out. The wave is halved until the record that kills the process is alone. A record that was alone at three deaths
becomes a dead letter.
"""

from __future__ import annotations

from typing import NamedTuple

from edx2lrs.pipeline.records import Record
from edx2lrs.transforms.failure import Failure

ALONE_AT_MOST = 3


class Attempt(NamedTuple):
    """The next attempt: a wave of at most ``records`` (None: as many as fit). ``give_up``: no wave, since a single record kills the
    process."""

    records: int | None
    give_up: bool = False


def next_attempt(starts: int, records_limit: int | None) -> Attempt:
    """The next attempt after ``starts`` starts of a wave of ``records_limit`` records at the kept position; none of these waves was
    kept."""
    if not starts or records_limit is None:
        return Attempt(None)
    if records_limit > 1:
        return Attempt(records_limit // 2)
    return Attempt(1, give_up=starts >= ALONE_AT_MOST)


def dead_letter_for(record: Record) -> Failure:
    """The dead letter for a record that was alone in a wave each time that its process died."""
    message = f"the process died {ALONE_AT_MOST} times with this record alone in its wave; please report it (with a made-up record)"
    return Failure("parse", "crash", message, record.position, record.body, attributes=record.attributes)
