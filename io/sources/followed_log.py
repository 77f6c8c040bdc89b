"""The files of a growing log: the log itself, a part that it was rotated into, the gz of a part. Each is read in whole lines."""

from __future__ import annotations

import gzip
import logging
import os
import time
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast
from zlib import crc32

import msgspec

from edx2lrs.io.sources.file_names import printable
from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.lines import Lines, LongLine, cut, first_lines
from edx2lrs.io.sources.log_position import (
    BEGIN,
    HEAD,
    LogPosition,
    bytes_at,
    bytes_before,
    head_of,
    holds,
    last_bytes,
    sha256,
    to_be_kept,
)
from edx2lrs.io.sources.position import Position, Reached
from edx2lrs.io.sources.source import Message
from edx2lrs.io.sources.unfinished import is_unfinished
from edx2lrs.io.sources.whole_records import whole_records
from edx2lrs.transforms.failure import Failure

LINGER = 10.0
"""Seconds after which a rotated part that does not grow is expected to grow no more."""
_PIECE = 256 * 1024
_POLL_BYTES = 4 * 1024 * 1024
_LOG = logging.getLogger("edx2lrs.stream")


class Read(NamedTuple):
    """The result of one look at a file."""

    messages: list[Message]
    failures: list[Failure]


class GrowingLog:
    """A file that may grow. ``rotated``: since when (monotonic) it has no longer been the log itself. A rotated part is watched for
    ``watch`` seconds after it last grew, since a process may go on in it."""

    def __init__(
        self, file: BinaryIO, path: str, position: LogPosition, linger: float, watch: float, rotated: float | None = None
    ) -> None:
        self._file = file
        self._name = printable(path)
        self.position = position
        self.rotated = rotated
        self._linger, self._watch = linger, watch
        self._grew = time.monotonic()
        self._begin = b""  # what was there when the head was found, before anything was read
        if not position.offset:
            self.position = msgspec.structs.replace(position, head="", head_length=0)
            self.find_head()
        self._nothing_at = (-1, "")  # the size and the age of the file at the last look that found nothing
        self._idle_size: int | None = None  # when no line was expected any more
        self._late = False

    def close(self) -> None:
        self._file.close()

    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def is_replaced(self) -> bool:
        """Whether the file has other content than the content that was read: the file was truncated, and perhaps written again."""
        return self.size() < self.position.offset or (bool(self.position.head) and not self.is_in(self._file))

    def is_in(self, text: BinaryIO) -> bool:
        """Whether ``text`` holds what was read, or else what was seen: logs may begin alike."""
        if not self._begin and self.rotated is not None:
            self.find_head()
        return holds(text, self.position, self._begin)

    def age(self) -> str:
        """"fresh": the log itself, or a part to which lines may come; "old": no line is expected; "over": nobody waits any more."""
        if self.rotated is None:
            return "fresh"
        idle = time.monotonic() - max(self.rotated, self._grew)
        if idle <= self._linger:
            return "fresh"
        return "over" if idle > self._watch or not os.fstat(self._file.fileno()).st_nlink else "old"

    def has_ended(self) -> bool:
        return self.age() == "over" and self.size() <= self.position.offset

    def now(self) -> LogPosition:
        """The position to be kept."""
        return to_be_kept(self.position, self.age() != "fresh" and self.size() <= self.position.offset, self._begin)

    def read(self, max_records: int) -> Read:
        """Its next whole lines. The last line of an old part needs no line break, if the line is whole."""
        size, age = self.size(), self.age()
        if age != "fresh" and self._idle_size is None:
            self._idle_size = size
        if size <= self.position.offset or (size, age) == self._nothing_at:
            return Read([], [])
        if not self.position.head and not self.find_head(age != "fresh"):
            return Read([], [])
        begun, changed = self.position, os.fstat(self._file.fileno()).st_mtime_ns
        self._skip_nulls()
        found = self._read_from(self.position.offset, max_records, age)
        self.position = msgspec.structs.replace(self.position, before=sha256(bytes_before(self._file, self.position.offset)))
        read, self.position = self.position, begun
        if self.is_replaced():  # it was truncated meanwhile; nobody knows what was read
            return Read([], [])
        self.position = read
        if not (found.messages or found.failures or self.position.offset > begun.offset):
            self._nothing_at = (size, age)
            return found
        self._grew = time.monotonic()
        if self.rotated is None:  # what a process writes late says nothing of the parts that came after this part
            self.position = msgspec.structs.replace(self.position, seen=changed)
        if self._idle_size is not None and size > self._idle_size and not self._late:
            self._late = True
            said = "%s was rotated, and a process still writes to it; the lines are read. Restart the process"
            _LOG.warning(said, self._name_now())
        return found

    def _read_from(self, offset: int, max_records: int, age: str) -> Read:
        ends_with_break = False
        read = 0

        def pieces() -> Iterator[bytes]:
            """Up to a bound, and beyond it to the first line break."""
            nonlocal ends_with_break, read
            broken = False
            while (read < _POLL_BYTES or not broken) and (piece := self._file.read(_PIECE)):
                read += len(piece)
                broken = broken or b"\n" in piece
                ends_with_break = piece.endswith(b"\n")
                yield piece

        self._file.seek(offset)
        found = Read([], [])
        for part in whole_records(cut(pieces(), self.position.line + 1)):
            if isinstance(part, Lines) and part.together:
                whole = not part.open
            elif isinstance(part, Lines):
                whole = part.data.endswith(b"\n") or (age != "fresh" and not is_unfinished(part.data))
            else:
                whole = ends_with_break or self.position.offset + part.length < offset + read
            if not whole and age != "over":
                break
            room = max_records - len(found.messages)
            if isinstance(part, Lines) and part.size > room and not part.together:
                part = first_lines(part, room)[0]
            self.position = take(part, self._name, self.position, found)
            if len(found.messages) >= max_records:
                break
        return found

    def _name_now(self) -> str:
        try:
            return printable(os.readlink(f"/proc/self/fd/{self._file.fileno()}"))
        except OSError:  # on other systems than Linux
            return self._name

    def find_head(self, to_the_end: bool = False) -> bool:
        """Whether the file has enough content to be recognised."""
        begin = bytes_at(self._file, 0, BEGIN)
        head = head_of(begin[:HEAD], to_the_end)
        if head:
            self._begin = begin
            self.position = msgspec.structs.replace(self.position, head=sha256(head), head_length=len(head))
        return bool(head)

    def _skip_nulls(self) -> None:
        """Skips NUL bytes. A program that goes on at its old offset in a truncated log leaves a hole before its next line."""
        offset = self.position.offset
        self._file.seek(offset)
        while (piece := self._file.read(_PIECE)) and not piece.strip(b"\0"):
            offset += len(piece)
        offset += len(piece) - len(piece.lstrip(b"\0"))
        self.position = msgspec.structs.replace(self.position, offset=offset)


class PackedPart:
    """The gz of a rotated log: read to its end."""

    rotated = 0.0

    def __init__(self, path: str, position: LogPosition) -> None:
        """Raises ``Unreadable``, and what gzip raises."""
        self._name = printable(path)
        self._reader = FileReader(self._name, Reached(position.offset, position.line))
        self.position = position
        with gzip.open(path) as packed:
            text = cast(BinaryIO, packed)
            self._begin = bytes_at(text, 0, BEGIN)
            self._last = bytes_before(text, position.offset)
        if not position.offset:
            head = head_of(self._begin[:HEAD], True)
            self.position = msgspec.structs.replace(position, head=sha256(head), head_length=len(head))
        self._done = False

    def close(self) -> None:
        self._reader.close()

    def size(self) -> int:
        """Nobody knows how much text it has."""
        return self.position.offset

    def is_in(self, text: BinaryIO) -> bool:
        return holds(text, self.position, self._begin)

    def has_ended(self) -> bool:
        return self._done

    def now(self) -> LogPosition:
        return to_be_kept(self.position, self._done, self._begin)

    def read(self, max_records: int) -> Read:
        found = Read([], [])
        if self._done:
            return found
        polled = self._reader.poll(_POLL_BYTES, max_records)
        parts: list[Lines | LongLine] = [*polled.lines, *polled.long_lines]
        for part in sorted(parts, key=_line_of):
            self.position = take(part, self._name, self.position, found)
            self._last = last_bytes(self._last + bytes(min(part.hole, HEAD)) + part.data) if isinstance(part, Lines) else b""
        known = len(self._last) == min(len(last_bytes(bytes(HEAD))), self.position.offset)
        self.position = msgspec.structs.replace(self.position, before=sha256(self._last) if known else "")
        if polled.damage:
            damage = polled.damage
            found.failures.append(Failure("read", damage.cause, damage.message, str(Position(self._name, damage.line)), damage.payload))
        self._done = polled.reached.done
        return found


def take(part: Lines | LongLine, name: str, position: LogPosition, found: Read) -> LogPosition:
    """Puts the records of ``part``, which begins at ``position`` in the file ``name``, into ``found``; gives the position after
    ``part``. The id of a record is that of the same record in a copy of the file."""
    if isinstance(part, LongLine):
        message = f"the line has {part.length} bytes; only its head is kept"
        found.failures.append(Failure("read", "line_too_long", message, str(Position(name, part.line)), part.head))
        return msgspec.structs.replace(position, offset=position.offset + part.length, line=part.line)
    offset = position.offset + part.hole
    for line, text in enumerate(part.records, part.first_line):
        body = text.strip(b"\r\n\0")
        if body and not body.isspace():
            found.messages.append(Message(f"{position.head[:24]}:{offset}:{crc32(body):08x}", Position(name, line), body))
        offset += len(text) + 1
    return msgspec.structs.replace(position, offset=position.offset + part.length, line=part.first_line + part.size - 1)


def _line_of(part: Lines | LongLine) -> int:
    return part.line if isinstance(part, LongLine) else part.first_line
