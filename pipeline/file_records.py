"""The records of a file's lines, and the failures of the parts that could not be read."""

from __future__ import annotations

from collections.abc import Iterator

from edx2lrs.io.sources.file_reader import FileChunk
from edx2lrs.io.sources.position import Position
from edx2lrs.pipeline.records import Record
from edx2lrs.transforms.failure import Failure


def records_of(file: str, chunk: FileChunk) -> Iterator[Record]:
    """The records in the chunk's lines, in order; blank lines are counted in the line numbers and left out."""
    for lines in chunk.lines:
        bodies = lines.records
        if chunk.by_offset:
            offset = lines.first_line
            for body in bodies:
                stripped = body.rstrip(b"\r\n")
                if stripped and not stripped.isspace():
                    yield Record(file, None, offset, stripped)
                offset += len(body) + 1
        else:
            for line, body in enumerate(bodies, lines.first_line):
                stripped = body.rstrip(b"\r\n")
                if stripped and not stripped.isspace():
                    yield Record(file, line, None, stripped)


def failures_of(file: str, chunk: FileChunk) -> list[Failure]:
    """Lines over the bound and damage, as failures of the step ``read``."""
    failures = []
    for long in chunk.long_lines:
        message = f"the line has {long.length} bytes; only its head is kept"
        position = Position(file, offset=long.line) if chunk.by_offset else Position(file, long.line)
        failures.append(Failure("read", "line_too_long", message, str(position), long.head))
    if chunk.damage:
        damage = chunk.damage
        failures.append(Failure("read", damage.cause, damage.message, str(Position(file, damage.line)), damage.payload))
    return failures


def unreadable(file: str, start: int, lines: int, reason: str) -> Failure:
    """The failure of a file, or of its part from the byte ``start`` on, that cannot be read after ``lines`` lines of the part."""
    position = Position(file, offset=start) if start else Position(file, lines + 1)
    return Failure("read", "unreadable", reason, str(position), b"")
