"""How records lie in a text, where a record is no line: each form gives records of its own, with the line at which each begins.

- Values: a JSON array of events, or objects over several lines.

- Entries of systemd's journal in its export format.

- Rows of a table (``io.sources.columns``).

- Frames of syslog, each after its length (RFC 6587, 3.4.1).

The form is told by the first bytes. A text of another form is read line by line."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator

from edx2lrs.io.sources.columns import rows_of
from edx2lrs.io.sources.content import is_stored_as_text
from edx2lrs.io.sources.lines import KEPT_OF_A_LONG_LINE, LONGEST_LINE, Lines, LongLine
from edx2lrs.transforms.records import journal_entry
from edx2lrs.transforms.records.fragments import may_be_fragment

Form = Callable[[Iterator[bytes]], Iterator[Lines | LongLine]]

_MARK = codecs.BOM_UTF8
_begins_with_values = re.compile(rb"\s*(?:\[\s*\{|\[\s*[\r\n]|\{\s*[\r\n])").match
_frame = re.compile(rb"\s*([1-9]\d{0,6}) (?=<\d{1,3}>)")
_NOT_SPACE = re.compile(rb"\S")
_LONGEST_LENGTH = 16  # of a frame: digits, and what may stand around them
_BETWEEN_VALUES = re.compile(rb"(?:[\s,\[\]\0\x1e]|\xef\xbb\xbf)*")
_FIRST_VALUE = re.compile(rb"(?:^|\n|\xef\xbb\xbf)([ \t]*)(?:\[\s*)?\{")
_BROKEN = -1
_WINDOWS = (4 * 1024, 128 * 1024, 2 * LONGEST_LINE)
_LONGEST_TOKEN = 16  # of JSON, other than a text
_decode_at = json.JSONDecoder().raw_decode


def form_of(head: bytes, column: str | None = None) -> Form | None:
    """The form of a text that begins with ``head``; None for lines. ``column``: of a table, the one that holds the events."""
    rows = rows_of(head, column)
    if callable(rows):
        return rows
    head = head.removeprefix(_MARK)
    if head.startswith(journal_entry.BEGINNINGS):
        return _entries
    if _frame.match(head):
        return _frames
    return _values if _begins_with_values(head) else None


def unclear_table(head: bytes, column: str | None) -> str | None:
    """Why a text that begins with ``head`` cannot be read, if it is a table whose column of events is not known."""
    rows = rows_of(head, column)
    return rows if isinstance(rows, str) else None


def can_be_split(head: bytes, column: str | None = None) -> bool:
    """Whether lines can be read from any place of a file on: lines that are packed, or that belong together, cannot."""
    return is_stored_as_text(head) and not may_be_fragment(head[:64]) and form_of(head, column) is None


class _Buffer:
    """The text that is read but not given yet: ``data`` from ``at`` on. ``line``: the number of the line at ``at``."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.data = b""
        self.at = 0
        self.line = 1
        self.ended = False

    @property
    def is_full(self) -> bool:
        """No more is read: the text has ended, or the record is too long."""
        return self.ended or len(self.data) - self.at > LONGEST_LINE

    def fill(self) -> None:
        """Doubles what is left, so that a record that is looked for again and again takes a time that is linear in its length."""
        parts = [self.data[self.at :]]
        wanted = size = len(parts[0])
        while size <= 2 * wanted and not self.ended:
            parts.append(next(self._pieces, b""))
            size += len(parts[-1])
            self.ended = not parts[-1]
        self.data, self.at = b"".join(parts), 0

    def skip_to(self, at: int) -> None:
        self.line += self.data.count(b"\n", self.at, at)
        self.at = at

    def end_of_line(self) -> int:
        return self.data.find(b"\n", self.at) + 1 or len(self.data)

    def record_to(self, end: int) -> Lines | LongLine:
        """What stands before ``end`` as one record. A record that ends with the text may yet get longer, and has no line break."""
        data, line = self.data[self.at : end], self.line
        self.skip_to(end)
        if len(data) > LONGEST_LINE:
            return LongLine(data[:KEPT_OF_A_LONG_LINE], line, len(data))
        is_cut = self.ended and end == len(self.data) and not data.endswith((b"\n", b"}"))
        return Lines(data if is_cut else data.rstrip(b"\r\n") + b"\n", line, 1, together=True)


def _entries(pieces: Iterator[bytes]) -> Iterator[Lines | LongLine]:
    buffer = _Buffer(pieces)
    while True:
        while buffer.data.startswith(b"\n", buffer.at):
            buffer.skip_to(buffer.at + 1)
        end = journal_entry.end_of_entry(buffer.data, buffer.at)
        if end is None and not buffer.is_full:
            buffer.fill()
        elif buffer.at < len(buffer.data):
            yield buffer.record_to(end or len(buffer.data))
        else:
            return


def _frames(pieces: Iterator[bytes]) -> Iterator[Lines | LongLine]:
    """A frame whose length is wrong costs the rest of its line."""
    buffer = _Buffer(pieces)
    while True:
        begin = _NOT_SPACE.search(buffer.data, buffer.at)
        buffer.skip_to(begin.start() if begin else len(buffer.data))
        frame = _frame.match(buffer.data, buffer.at)
        end = frame.end() + int(frame[1]) if frame else buffer.end_of_line()
        if len(buffer.data) < end + _LONGEST_LENGTH and not buffer.is_full:
            buffer.fill()
        elif begin:
            if frame and buffer.data[end : end + _LONGEST_LENGTH].strip() and not _frame.match(buffer.data, end):
                end = buffer.end_of_line()
            yield buffer.record_to(min(end, len(buffer.data)))
        else:
            return


def _values(pieces: Iterator[bytes]) -> Iterator[Lines | LongLine]:
    """A value that is broken costs the text up to the next line that begins as the line of the first value, since what lies in a
    broken event is never taken for an event."""
    buffer = _Buffer(pieces)
    buffer.fill()
    first = _FIRST_VALUE.search(buffer.data)
    next_value = re.compile(rb"\n" + (first[1] if first else b"") + rb"(?=\{)")
    text, of = "", b""
    while True:
        if of is not buffer.data:
            text, of = buffer.data.decode("latin-1"), buffer.data  # its positions are those of the bytes
        between = _BETWEEN_VALUES.match(buffer.data, buffer.at)
        buffer.skip_to(between.end() if between else buffer.at)
        if buffer.at == len(buffer.data):
            if buffer.ended:
                return
            buffer.fill()
            continue
        end = _end_of_value(text, buffer.at)
        if end is None and not buffer.is_full:
            buffer.fill()
            continue
        if end is None or end == _BROKEN:
            following = next_value.search(buffer.data, buffer.at)
            if following is None and not buffer.is_full:
                buffer.fill()
                continue
            end = following.end() if following else len(buffer.data)
            if following is None and not buffer.ended:
                yield buffer.record_to(end)
                _skip_to_next(buffer, next_value)
                continue
        yield buffer.record_to(end)


def _end_of_value(text: str, at: int) -> int | None:
    """Where the JSON object at ``at`` ends; ``_BROKEN`` if there is none; None if ``text`` ends before the object does."""
    if not text.startswith("{", at):
        return _BROKEN
    for window in _WINDOWS:  # the decoder's error counts the lines of all text in front of it
        part = text[at : at + window]
        try:
            return at + _decode_at(part, 0)[1]
        except RecursionError:
            return _BROKEN
        except json.JSONDecodeError as error:
            if error.pos < len(part) - _LONGEST_TOKEN and not error.msg.startswith("Unterminated string"):
                return _BROKEN
    return None


def _skip_to_next(buffer: _Buffer, next_value: re.Pattern[bytes]) -> None:
    """Leaves out the rest of a value that is too long; its head was given."""
    while not (following := next_value.search(buffer.data, buffer.at)):
        buffer.skip_to(len(buffer.data))
        if buffer.ended:
            return
        buffer.fill()
    buffer.skip_to(following.end())
