"""A wave: a bounded piece of input on its way through the graph, in the memory of its worker.

After a kill, no part of a wave is needed: only the state directory counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from edx2lrs.io.dead_letters.spool import spooled_record
from edx2lrs.io.sources.file_reader import FileChunk
from edx2lrs.io.sources.source import Message
from edx2lrs.io.state.messages import StreamPart
from edx2lrs.io.state.pieces import PieceKey, PieceKind
from edx2lrs.io.state.waves import ReadPiece
from edx2lrs.pipeline.file_records import failures_of, records_of
from edx2lrs.pipeline.records import Record, record_of
from edx2lrs.transforms.failure import Failure

_DAMAGED = "the record of a dead letter was damaged on the disk of the state directory; run the job over its file with another --state"


class Stretch(NamedTuple):
    """The part of a piece that belongs to a wave."""

    piece: PieceKey
    chunk: FileChunk
    kind: PieceKind = "log"


class Wave(NamedTuple):
    """Stretches of one piece or more."""

    stretches: Sequence[Stretch]

    @property
    def size(self) -> int:
        """Bytes of text."""
        return sum(stretch.chunk.size for stretch in self.stretches)

    @property
    def failures(self) -> list[Failure]:
        """The failures of pieces that could not be read, and of dead letters that were damaged on their way."""
        unread = [failure for each in self.stretches for failure in failures_of(each.piece.file, each.chunk)]
        letters = (each for each in self.stretches if each.kind == "letters")
        lines = (line for each in letters for line in records_of(each.piece.file, each.chunk))
        damaged = (line for line in lines if spooled_record(line.body) is None)
        return unread + [Failure("read", "damaged", _DAMAGED, line.position, b"") for line in damaged]

    @property
    def read(self) -> list[ReadPiece]:
        """How far the wave reads each of its pieces."""
        return [ReadPiece(each.piece, each.chunk.start, each.chunk.kept) for each in self.stretches]


class MessageWave(NamedTuple):
    """A wave over messages of a stream. The keys of ``read`` are those of ``messages`` and ``failures``."""

    read: StreamPart
    messages: Sequence[Message]
    failures: Sequence[Failure]

    @property
    def size(self) -> int:
        """Bytes of the messages' bodies."""
        return sum(len(message.body) for message in self.messages)


def records(wave: Wave | MessageWave) -> Iterator[Record]:
    """The wave's records, in order."""
    if isinstance(wave, MessageWave):
        yield from map(record_of, wave.messages)
        return
    for stretch in wave.stretches:
        found = records_of(stretch.piece.file, stretch.chunk)
        yield from _of_letters(found) if stretch.kind == "letters" else found


def _of_letters(lines: Iterable[Record]) -> Iterator[Record]:
    """The records of dead letters, with the positions at which the records were read first."""
    for line in lines:
        record = spooled_record(line.body)
        if record is not None:
            yield Record(record.position, None, None, record.body, record.attributes, record.consumer)
