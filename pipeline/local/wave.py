"""A wave: a bounded piece of input on its way through the graph, as two files in a folder of its worker.

``lines`` holds the records' bytes, ``wave.json`` says where they come from. Nothing of it is needed after a kill: what counts
is what the state directory has kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from edx2lrs.io.dead_letters.spool import is_spool, spooled_record
from edx2lrs.io.sources.file_reader import Polled
from edx2lrs.io.state.waves import Reached
from edx2lrs.pipeline.local.message_wave import MessageWave, read_messages
from edx2lrs.transforms.failure import Failure


class Segment(msgspec.Struct, frozen=True):
    """Lines that follow each other in the file: the number of the first (or its offset, if the wave is ``by_offset``), and their
    bytes in ``lines`` (some 256 KiB)."""

    first_line: int
    length: int


class Stretch(msgspec.Struct, frozen=True):
    """What a wave has of one piece: from ``start`` (bytes of text of the piece that are done) to ``end``, after which ``end_line``
    lines are done.

    Lines are those of ``file``. ``skipped`` bytes after ``start`` belong to another piece. ``by_offset``: nobody has counted the
    lines before the piece, so that a line is named by the byte that it begins at (``path@1234``)."""

    piece: str
    start: int
    end: int
    end_line: int
    done: bool
    segments: list[Segment]
    file: str
    skipped: int = 0
    by_offset: bool = False

    @property
    def size(self) -> int:
        """Bytes of text."""
        return self.end - self.start - self.skipped


class Wave(msgspec.Struct, frozen=True, tag="pieces"):
    """Stretches of one piece or more, and what could not be read of them."""

    stretches: list[Stretch]
    failures: list[Failure]

    @property
    def size(self) -> int:
        """Bytes of text."""
        return sum(stretch.size for stretch in self.stretches)


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


def stretch_of(piece: str, start: int, polled: Polled, file: str | None = None) -> Stretch:
    """The stretch that was polled from ``piece``, a part of ``file`` (None: the whole of it)."""
    segments = [Segment(lines.first_line, len(lines.data)) for lines in polled.lines]
    reached = (polled.offset, polled.line, polled.done)
    return Stretch(piece, start, *reached, segments, file or piece, polled.skipped, polled.by_offset)


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


def write(folder: str, wave: Wave, polled: Iterable[Polled]) -> None:
    """Puts the wave, whose stretches were ``polled``, where ``records`` finds it. Raises ``OSError``."""
    with open(os.path.join(folder, "lines"), "wb") as file:
        file.writelines(lines.data for stretch in polled for lines in stretch.lines)
    with open(os.path.join(folder, "wave.json"), "wb") as file:
        file.write(msgspec.json.encode(wave))


def read(folder: str) -> Wave | MessageWave:
    """The wave in ``folder``."""
    with open(os.path.join(folder, "wave.json"), "rb") as file:
        return msgspec.json.decode(file.read(), type=Wave | MessageWave)


def records(folder: str, wave: Wave | MessageWave) -> Iterator[Record]:
    """The wave's records, in order; blank lines are counted in the line numbers and left out."""
    if isinstance(wave, MessageWave):
        for message in read_messages(folder):
            yield Record(message.position, 0, message.body, message.attributes)
        return
    with open(os.path.join(folder, "lines"), "rb") as file:
        for stretch in wave.stretches:
            found = records_of(stretch, (file.read(segment.length) for segment in stretch.segments))
            yield from map(_of_letter, found) if is_spool(stretch.file) else found


def records_of(stretch: Stretch, texts: Iterable[bytes]) -> Iterator[Record]:
    """The records in ``texts``, which are those of the stretch's segments."""
    file = stretch.file
    for segment, text in zip(stretch.segments, texts, strict=True):
        bodies = text.split(b"\n")
        for line, body in _by_offset(bodies, segment) if stretch.by_offset else enumerate(bodies, segment.first_line):
            stripped = body.rstrip(b"\r")
            if stripped and not stripped.isspace():
                yield Record(f"{file}@{line}", 0, stripped) if stretch.by_offset else Record(file, line, stripped)


def _of_letter(line: Record) -> Record:
    """The record of a dead letter, where it was read at first."""
    record = spooled_record(line.body)
    return Record(record.position, 0, record.body, record.attributes, record.consumer)


def _by_offset(bodies: list[bytes], segment: Segment) -> Iterator[tuple[int, bytes]]:
    offset = segment.first_line
    for body in bodies:
        yield offset, body
        offset += len(body) + 1
