"""A wave: a bounded piece of input on its way through the graph, as two files in a folder of its worker.

``lines`` holds the records' bytes, ``wave.json`` says where they come from. Nothing of it is needed after a kill: what counts
is what the state directory has kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from edx2lrs.io.files import Polled
from edx2lrs.transforms.failure import Failure


class Segment(msgspec.Struct, frozen=True):
    """Lines that follow each other in the file: the number of the first, and their bytes in ``lines`` (some 256 KiB)."""

    first_line: int
    length: int


class Wave(msgspec.Struct, frozen=True):
    """From ``start`` (bytes of text of the piece that are done) to ``end``, after which ``end_line`` lines are done."""

    piece: str
    start: int
    end: int
    end_line: int
    done: bool
    segments: list[Segment]
    failures: list[Failure]


class Record(NamedTuple):
    """One line that is not blank, without its end."""

    path: str
    line: int
    body: bytes

    @property
    def position(self) -> str:
        return f"{self.path}:{self.line}"


def wave_of(piece: str, start: int, polled: Polled) -> Wave:
    """The wave of what was polled from ``piece``; lines over the bound and damage become failures of the step ``read``."""
    failures = [
        Failure(
            "read",
            "line_too_long",
            f"the line has {long.length} bytes; only its head is kept",
            f"{piece}:{long.line}",
            long.head,
        )
        for long in polled.long_lines
    ]
    if polled.damage:
        damage = polled.damage
        failures.append(Failure("read", damage.cause, damage.message, f"{piece}:{damage.line}", damage.payload))
    segments = [Segment(lines.first_line, len(lines.data)) for lines in polled.lines]
    return Wave(piece, start, polled.offset, polled.line, polled.done, segments, failures)


def write(folder: str, wave: Wave, polled: Polled) -> None:
    """Puts the wave where ``records`` finds it. Raises ``OSError``."""
    with open(os.path.join(folder, "lines"), "wb") as file:
        file.writelines(lines.data for lines in polled.lines)
    with open(os.path.join(folder, "wave.json"), "wb") as file:
        file.write(msgspec.json.encode(wave))


def read(folder: str) -> Wave:
    """The wave in ``folder``."""
    with open(os.path.join(folder, "wave.json"), "rb") as file:
        return msgspec.json.decode(file.read(), type=Wave)


def records(folder: str, wave: Wave) -> Iterator[Record]:
    """The wave's records, in order; blank lines are counted in the line numbers and left out."""
    with open(os.path.join(folder, "lines"), "rb") as file:
        for segment in wave.segments:
            for line, body in enumerate(file.read(segment.length).split(b"\n"), segment.first_line):
                stripped = body.rstrip(b"\r")
                if stripped and not stripped.isspace():
                    yield Record(wave.piece, line, stripped)
