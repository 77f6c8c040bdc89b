"""One file of tracking logs, or a part of a file, read in whole lines from a kept offset on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from edx2lrs.io.sources import inflate
from edx2lrs.io.sources.content import HEAD, FileText, is_stored_as_text, not_a_log, text_of
from edx2lrs.io.sources.files import Unreadable, reason
from edx2lrs.io.sources.forms import form_of, unclear_table
from edx2lrs.io.sources.lines import Lines, LongLine, cut, first_lines, lines_before
from edx2lrs.io.sources.object_stores import changed_at, open_raw
from edx2lrs.io.sources.position import NOTHING, Reached
from edx2lrs.io.sources.unfinished import is_unfinished
from edx2lrs.io.sources.whole_records import whole_records
from edx2lrs.transforms.causes import Cause

STILL_WRITTEN = 24 * 3600.0
"""Seconds after its last change in which a file may yet get the rest of its last line."""


class Damage(NamedTuple):
    """A fault of the file from ``line`` on (or of the whole of it), and what was read of that line."""

    cause: Cause
    message: str
    line: int
    payload: bytes


class FileChunk(NamedTuple):
    """Lines, and the byte of the text at which they begin (``start``).

    ``by_offset``: the numbers of lines are the offsets that they begin at, since nobody has counted the lines before them.
    ``skipped``: bytes in front of the first line, which belong to the part before. ``stored``: bytes as stored that are read.
    ``waits``: why the last line was left for a later run ("": it was not)."""

    lines: list[Lines]
    long_lines: list[LongLine]
    damage: Damage | None
    start: int
    reached: Reached
    by_offset: bool = False
    skipped: int = 0
    stored: int = 0
    waits: str = ""

    @property
    def kept(self) -> Reached:
        """How far the file is read for later runs: it is not done while its last line waits."""
        return self.reached._replace(done=self.reached.done and not self.waits)

    @property
    def size(self) -> int:
        """Bytes of text."""
        return self.reached.offset - self.start - self.skipped


class FileReader:
    """A file, read from a kept offset on. The file stays open from poll to poll, so a compressed file is inflated once."""

    def __init__(
        self, path: str, reached: Reached = NOTHING, start: int = 0, bound: int | None = None, may_grow: bool = False,
        column: str | None = None,
    ) -> None:
        """``reached``: the part that is done. Of a plain file, only the lines that begin from ``start`` to ``bound`` are read.
        ``may_grow``: half a last line is left to a later run, if the file was changed a short time ago. ``column``: of a table, the
        column that holds the events. Raises ``Unreadable``."""
        self._path = path
        self._offset = reached.offset
        self._line = reached.lines
        self._start = start
        self._bound = bound
        self._skipped = 0
        self._stored = 0
        self._may_grow = may_grow
        self._column = column
        self._waits = ""
        self._damage: Damage | None = None
        self._left: Lines | None = None
        try:
            self._file = open_raw(path)
            self._lines = self._cut()
            self._next = self._following()
        except Exception as error:
            raise Unreadable(f"{path}: cannot be read: {reason(error)}") from None

    def poll(self, max_bytes: int, max_lines: int | None = None) -> FileChunk:
        """Lines for a wave: at most 256 KiB more than ``max_bytes``. Raises ``Unreadable``."""
        lines: list[Lines] = []
        long_lines: list[LongLine] = []
        size = count = 0
        skipped, self._skipped = self._skipped, 0
        start = self._offset - skipped
        by_offset = self._start > 0
        while self._next is not None and size < max_bytes and (max_lines is None or count < max_lines):
            part = self._next
            if isinstance(part, LongLine):
                long_lines.append(part._replace(line=self._offset) if by_offset else part)
                self._offset += part.length
                count += 1
                size += len(part.head)
            else:
                if max_lines is not None and count + part.size > max_lines and not part.together:
                    part, self._left = first_lines(part, max_lines - count)
                lines.append(part._replace(first_line=self._offset + part.hole) if by_offset else part)
                self._offset += part.length
                count += part.size
                size += len(part.data)
            try:
                self._next = self._following()
            except Exception as error:
                raise Unreadable(f"{self._path}: cannot be read on: {reason(error)}") from None
        self._line += count
        reached = Reached(self._offset, self._line, done=self._next is None)
        damage = self._damage if reached.done else None
        return FileChunk(lines, long_lines, damage, start, reached, by_offset, skipped, self._stored, self._waits)

    def close(self) -> None:
        self._file.close()

    def _following(self) -> Lines | LongLine | None:
        if self._left is not None:
            left, self._left = self._left, None
            return left
        return next(self._lines, None)

    def _cut(self) -> Iterator[Lines | LongLine]:
        begun, empty = self._offset, True
        for part in whole_records(self._cut_content()):
            if self._may_grow and isinstance(part, Lines) and part.open and self._has_to_wait(part):
                return
            empty = empty and isinstance(part, Lines) and not part.data
            yield part
        if empty and not begun and self._offset:
            self._damage = Damage("not_a_log", "nothing but NUL bytes, expected lines of JSON", 1, b"")

    def _cut_content(self) -> Iterator[Lines | LongLine]:
        head = b"" if self._start else self._file.read(HEAD)  # what is read from the middle on is text
        if not is_stored_as_text(head) or form_of(head, self._column):
            yield from self._cut_packed(text_of(self._counted(head)))
        elif not self._is_refused(head):
            yield from self._cut_part()

    def _is_refused(self, head: bytes) -> bool:
        if kind := not_a_log(head):
            self._damage = Damage("not_a_log", f"{kind}, expected lines of JSON, plain or packed by gzip, zstd, bzip2 or xz", 1, b"")
        elif unclear := unclear_table(head, self._column):
            self._damage = Damage("not_a_log", unclear, 1, b"")
        return self._damage is not None

    def _cut_part(self) -> Iterator[Lines | LongLine]:
        """The lines that begin before the bound, from the offset on. A line that begins before the part's start belongs to the part
        before."""
        if self._offset == self._start > 0:
            first_break = self._first_line_break(self._start - 1)
            if first_break is None:  # the line of the part before goes on to the end, and may get longer
                return
            self._offset = first_break + 1
            self._skipped = self._offset - self._start
        self._file.seek(self._offset)
        offset = self._offset
        for part in cut(iter(partial(self._file.read, inflate.PIECE), b""), self._line + 1):
            if self._bound is not None and offset >= self._bound:
                return
            if isinstance(part, Lines) and self._bound is not None:
                part = lines_before(part, self._bound - offset)
            if self._has_to_wait(part):
                return
            offset += part.length
            self._stored = offset - self._start
            yield part

    def _has_to_wait(self, part: Lines | LongLine) -> bool:
        """Whether ``part`` is half a line at the end of a file that may yet grow."""
        if not self._may_grow or isinstance(part, LongLine):
            return False
        if not part.open and (part.data[-1:] in (b"", b"\n") or not is_unfinished(part.data)):
            return False
        if abs(time.time() - changed_at(self._path)) > STILL_WRITTEN:
            return False
        size = f"{len(part.data)} bytes"
        self._waits = f"{self._path}: its last line is not complete ({size}); the next run with the same --state reads the line"
        return True

    def _first_line_break(self, offset: int) -> int | None:
        self._file.seek(offset)
        while piece := self._file.read(inflate.PIECE):
            at = piece.find(b"\n")
            if at >= 0:
                return offset + at
            offset += len(piece)
        return None

    def _cut_packed(self, text: FileText) -> Iterator[Lines | LongLine]:
        """The lines or records of a file that is packed, in another encoding or of another form. The last one is held back until a
        further one has come, since a line that the damage cuts belongs to the damage."""
        if self._is_refused(text.head):
            return
        line = self._line + 1
        form = form_of(text.head, self._column)
        parts = self._records_from_offset(form(self._until_damage(text.pieces))) if form else cut(self._rest_of(text.pieces), line)
        for part in parts:
            if self._damage and isinstance(part, Lines) and not part.data.endswith(b"\n"):
                self._damage = self._damage._replace(line=part.first_line, payload=part.data)
                return
            if not self._damage and self._has_to_wait(part):
                return
            line = part.line + 1 if isinstance(part, LongLine) else part.first_line + part.size
            yield part
        if self._damage:
            self._damage = self._damage._replace(line=line)

    def _rest_of(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The text from the offset on."""
        to_skip = self._offset
        for piece in self._until_damage(pieces):
            if to_skip < len(piece):
                yield piece[to_skip:]
            to_skip = max(0, to_skip - len(piece))

    def _records_from_offset(self, parts: Iterator[Lines | LongLine]) -> Iterator[Lines | LongLine]:
        to_skip = self._offset
        for part in parts:
            if to_skip <= 0:
                yield part
            to_skip -= part.length

    def _until_damage(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Damage ends the text; the line of the damage is not known here."""
        try:
            yield from pieces
        except inflate.Damaged as fault:
            self._damage = Damage(fault.cause, str(fault), 0, b"")

    def _counted(self, head: bytes) -> Iterator[bytes]:
        """The bytes of the file as stored, of which ``head`` was read already."""
        for piece in chain([head], iter(partial(self._file.read, inflate.PIECE), b"")):
            self._stored += len(piece)
            yield piece
