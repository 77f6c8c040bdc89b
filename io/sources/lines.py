"""Cuts lines out of a stream of bytes, with a bound on the memory of a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of a line that is still read whole. Open edX itself refuses browser events of more than 50,000 bytes."""
KEPT_OF_A_LONG_LINE = 64 * 1024


class Lines(NamedTuple):
    r"""Whole lines as in the file, each with its ``\n`` (the last line of a file may have no ``\n``). ``hole``: the number of NUL bytes
    that stand before ``data`` in the file. ``together``: all lines are one record, which is ``open`` while its end has not come."""

    data: bytes
    first_line: int
    size: int
    hole: int = 0
    together: bool = False
    open: bool = False

    @property
    def length(self) -> int:
        """Bytes in the file."""
        return self.hole + len(self.data)

    @property
    def records(self) -> list[bytes]:
        """The records, or blank texts; each line has one, or the first line has that of all lines."""
        return [self.data] if self.together else self.data.split(b"\n")


class LongLine(NamedTuple):
    r"""A line over the bound: its number, its length in bytes with the ``\n``, and its first bytes."""

    head: bytes
    line: int
    length: int


class _Unfinished:
    """A line whose end has not come yet. Of a line over the bound, only the head and the length are kept. NUL bytes at the beginning
    (a hole, where a log was truncated while a program wrote to it) are counted alone."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self.length = self._hole = 0

    def add(self, part: bytes) -> None:
        self.length += len(part)
        if not self._parts:
            part = part.lstrip(b"\0")
            self._hole = self.length - len(part)
        if part:
            self._parts.append(part)
        if self.length - self._hole > self._longest:
            self._parts = [b"".join(self._parts)[:KEPT_OF_A_LONG_LINE]]

    def end(self, number: int) -> Lines | LongLine:
        data, length, hole = b"".join(self._parts), self.length, self._hole
        self._parts, self.length, self._hole = [], 0, 0
        if length - hole > self._longest:
            return LongLine(data[:KEPT_OF_A_LONG_LINE], number, length)
        return Lines(data, number, 1 if data else 0, hole)


def cut(pieces: Iterable[bytes], first_line: int, longest: int = LONGEST_LINE) -> Iterator[Lines | LongLine]:
    """The lines in ``pieces``, numbered from ``first_line``. Pieces have to be smaller than ``longest``, the bytes of a line that are
    held at most."""
    unfinished = _Unfinished(longest)
    number = first_line
    for piece in pieces:
        start = 0
        if unfinished.length:
            start = piece.find(b"\n") + 1
            if not start:
                unfinished.add(piece)
                continue
            unfinished.add(piece[:start])
            yield unfinished.end(number)
            number += 1
        end = piece.rfind(b"\n") + 1
        if end > start:
            data = piece[start:end]
            count = data.count(b"\n")
            yield Lines(data, number, count)
            number += count
        unfinished.add(piece[max(start, end) :])
    if unfinished.length:
        yield unfinished.end(number)


def first_lines(lines: Lines, count: int) -> tuple[Lines, Lines]:
    """``lines`` in two parts: the first ``count`` lines (fewer than ``lines`` has), and the rest."""
    end = 0
    for _ in range(count):
        end = lines.data.index(b"\n", end) + 1
    rest = Lines(lines.data[end:], lines.first_line + count, lines.size - count)
    return Lines(lines.data[:end], lines.first_line, count, lines.hole), rest


def lines_before(lines: Lines, bound: int) -> Lines:
    """The ``lines`` that begin before their byte ``bound`` (from 1 on)."""
    end = lines.data.find(b"\n", max(0, bound - lines.hole - 1)) + 1
    if not end or end == len(lines.data):
        return lines
    data = lines.data[:end]
    return Lines(data, lines.first_line, data.count(b"\n"), lines.hole)
