"""The size of the next wave of a piece, if a process died in the last wave, or was ended since the wave did not move on.

Exceptions of a record are caught in the steps. Halving is for failures that no ``except`` can catch: a crash of the interpreter, or
memory that ran out. The wave is halved until the record that kills the process is alone. A record that was alone at three deaths
becomes a dead letter.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from edx2lrs.io.state.waves import KeptWave
from edx2lrs.pipeline.local.wave import MessageWave, Wave, records
from edx2lrs.pipeline.records import Record, tally_of
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure

ALONE_AT_MOST = 3


class Attempt(NamedTuple):
    """The next attempt: a wave of at most ``records`` (None: as many as fit). ``give_up``: no wave, since a single record kills the
    process."""

    records: int | None
    give_up: bool = False


def next_attempt(starts: int, records_limit: int | None) -> Attempt:
    """The next attempt after ``starts`` starts of a wave of ``records_limit`` records, none of which was kept."""
    if not starts or records_limit is None:
        return Attempt(None)
    if records_limit > 1:
        return Attempt(records_limit // 2)
    return Attempt(1, give_up=starts >= ALONE_AT_MOST)


def given_up(wave: Wave | MessageWave) -> KeptWave:
    """What is kept of ``wave`` without a run: each record is a dead letter."""
    letters = [*wave.failures, *map(_dead_letter, records(wave))]
    return KeptWave(wave.read, [], letters, tally_of(letters) + Counter({Counted("", "bytes"): wave.size}))


def _dead_letter(record: Record) -> Failure:
    message = (
        f"the process died, or did not end in time, {ALONE_AT_MOST} times with this record alone in its wave; please report it (with a"
        " made-up record)"
    )
    return Failure("parse", "crash", message, record.position, record.body, attributes=record.attributes)
