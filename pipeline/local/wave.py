"""A wave: a bounded piece of input on its way through the graph, in the memory of its worker.

Nothing of it is needed after a kill: what counts is what the state directory has kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edx2lrs.io.dead_letters.spool import is_spool, spooled_record
from edx2lrs.io.sources.file_reader import Polled
from edx2lrs.io.sources.lines import Lines
from edx2lrs.io.sources.source import Message
from edx2lrs.io.state.waves import Reached
from edx2lrs.pipeline.records import Record
from edx2lrs.transforms.failure import Failure


class Stretch(NamedTuple):
    """What a wave has of one piece: from ``start`` (bytes of text of the piece that are done) to ``end``, after which ``end_line``
    lines are done.

    ``lines`` are those of ``file``. ``skipped`` bytes after ``start`` belong to another piece. ``by_offset``: nobody has counted the
    lines before the piece, so that a line is named by the byte that it begins at (``path@1234``)."""

    piece: str
    start: int
    end: int
    end_line: int
    done: bool
    lines: Sequence[Lines]
    file: str
    skipped: int = 0
    by_offset: bool = False

    @property
    def size(self) -> int:
        """Bytes of text."""
        return self.end - self.start - self.skipped


class Wave(NamedTuple):
    """Stretches of one piece or more, and what could not be read of them."""

    stretches: Sequence[Stretch]
    failures: Sequence[Failure]

    @property
    def size(self) -> int:
        """Bytes of text."""
        return sum(stretch.size for stretch in self.stretches)


class MessageWave(NamedTuple):
    """A wave over messages of a stream. ``ids`` are those of its messages and ``failures``. The rest is as in
    ``io.state.waves.KeptMessages``."""

    source: str
    ids: Sequence[str]
    messages: Sequence[Message]
    since: float
    before: str | None
    position: str | None
    failures: Sequence[Failure]

    @property
    def size(self) -> int:
        """Bytes of the messages' bodies."""
        return sum(len(message.body) for message in self.messages)


def stretch_of(piece: str, start: int, polled: Polled, file: str | None = None) -> Stretch:
    """The stretch that was polled from ``piece``, a part of ``file`` (None: the whole of it)."""
    reached = (polled.offset, polled.line, polled.done)
    return Stretch(piece, start, *reached, polled.lines, file or piece, polled.skipped, polled.by_offset)


def failures_of(file: str, polled: Polled) -> list[Failure]:
    """Lines over the bound and damage, as failures of the step ``read``."""
    mark = "@" if polled.by_offset else ":"
    failures = [
        Failure(
            "read",
            "line_too_long",
            f"the line has {long.length} bytes; only its head is kept",
            f"{file}{mark}{long.line}",
            long.head,
        )
        for long in polled.long_lines
    ]
    if polled.damage:
        damage = polled.damage
        failures.append(Failure("read", damage.cause, damage.message, f"{file}:{damage.line}", damage.payload))
    return failures


def reached(wave: Wave) -> list[Reached]:
    """How far the wave reads each of its pieces."""
    return [Reached(each.piece, each.start, each.end, each.end_line, each.done) for each in wave.stretches]


def records(wave: Wave | MessageWave) -> Iterator[Record]:
    """The wave's records, in order; blank lines are counted in the line numbers and left out."""
    if isinstance(wave, MessageWave):
        for message in wave.messages:
            yield Record(message.position, 0, message.body, message.attributes)
        return
    for stretch in wave.stretches:
        found = records_of(stretch)
        yield from map(_of_letter, found) if is_spool(stretch.file) else found


def records_of(stretch: Stretch) -> Iterator[Record]:
    """The records in the stretch's lines."""
    file = stretch.file
    for lines in stretch.lines:
        bodies = lines.data.split(b"\n")
        for line, body in _by_offset(bodies, lines.first_line) if stretch.by_offset else enumerate(bodies, lines.first_line):
            stripped = body.rstrip(b"\r")
            if stripped and not stripped.isspace():
                yield Record(f"{file}@{line}", 0, stripped) if stretch.by_offset else Record(file, line, stripped)


def _of_letter(line: Record) -> Record:
    """The record of a dead letter, where it was read at first."""
    record = spooled_record(line.body)
    return Record(record.position, 0, record.body, record.attributes, record.consumer)


def _by_offset(bodies: list[bytes], first: int) -> Iterator[tuple[int, bytes]]:
    offset = first
    for body in bodies:
        yield offset, body
        offset += len(body) + 1
