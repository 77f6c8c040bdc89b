"""Puts lines together that hold one record: the fragments of a container's log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

from edx2lrs.io.sources.lines import Lines, LongLine
from edx2lrs.io.sources.unfinished import is_unfinished
from edx2lrs.transforms.records.fragments import Fragment, fragment_of, may_be_fragment

_LARGEST = 1024 * 1024
"""Bytes of lines that wait for the end of their record; the lines are given as they are then."""


def whole_records(parts: Iterable[Lines | LongLine]) -> Iterator[Lines | LongLine]:
    """``parts``, with the lines of one record together. A record that is not complete at the end of ``parts`` is ``open``."""
    held = _Held()
    for part in parts:
        if isinstance(part, Lines) and (held or _has_fragments(part.data)):
            yield from _with_records(part, held)
            continue
        if held:
            yield held.take()
        yield part
    if held:
        yield held.take()._replace(open=True)


def _has_fragments(data: bytes) -> bool:
    """The first and the last line tell: nearly all data are none of a container, and are not looked at further."""
    last = data.rfind(b"\n", 0, max(0, len(data) - 1)) + 1
    return may_be_fragment(data[:64]) or may_be_fragment(data[last : last + 64])


class _Held:
    """The lines of a record whose end has not come yet, and the container's streams with an open text."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._first_line = self._hole = self.size = 0
        self.streams: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def is_broken_off_by(self, fragment: Fragment) -> bool:
        """Whether ``fragment`` is a record by itself, though an earlier one of its stream has not ended: its writer was stopped."""
        follows = fragment.stream in self.streams and not fragment.is_marked
        return follows and fragment.text.startswith(b"{") and not is_unfinished(fragment.text)

    def add(self, line: bytes, number: int, hole: int, fragment: Fragment) -> None:
        if not self._lines:
            self._first_line, self._hole = number, hole
        self._lines.append(line)
        self.size += len(line)
        if fragment.ends:
            self.streams.discard(fragment.stream)
        else:
            self.streams.add(fragment.stream)

    def take(self) -> Lines:
        lines = Lines(b"".join(self._lines), self._first_line, len(self._lines), self._hole, together=True)
        self.__init__()  # type: ignore[misc]
        return lines


def _with_records(part: Lines, held: _Held) -> Iterator[Lines]:
    """``part``, whose last record may be left in ``held``."""
    plain: list[bytes] = []
    hole = part.hole

    def plain_lines(end: int) -> Iterator[Lines]:
        nonlocal hole
        if plain:
            yield Lines(b"".join(plain), end - len(plain), len(plain), hole)
            plain.clear()
            hole = 0

    number = part.first_line
    for number, line in enumerate(BytesIO(part.data), part.first_line):
        fragment = fragment_of(line)
        if held and (fragment is None or held.size > _LARGEST or held.is_broken_off_by(fragment)):
            yield held.take()
        if fragment is None or not (held or _begins(fragment)):
            plain.append(line)
            continue
        yield from plain_lines(number)
        held.add(line, number, hole, fragment)
        hole = 0
        if not held.streams:
            yield held.take()
    yield from plain_lines(number + 1)


def _begins(fragment: Fragment) -> bool:
    """Whether the rest of the text has to follow. Programs that leave out the line break of each text write whole objects."""
    return not fragment.ends and (fragment.is_marked or (b"{" in fragment.text and is_unfinished(fragment.text)))
