"""Records read once more from the files that their positions name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator

from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import Unreadable
from edx2lrs.io.sources.position import NOTHING
from edx2lrs.pipeline.file_records import records_of
from edx2lrs.pipeline.records import Record

_POSITION = re.compile(r"(?P<file>.+)(?P<sign>[:@])(?P<number>[0-9]{1,18})\Z", re.DOTALL)
_AT_ONCE = 1_000_000  # bytes


class NoSuchRecord(Exception):
    """There is no record at a position; the text is for a person."""


def record_at(position: str) -> bytes:
    """The record at ``FILE:LINE`` or ``FILE@OFFSET``; the file may be packed, and in an object store. Raises ``NoSuchRecord``."""
    match = _POSITION.match(position)
    if match is None:
        raise NoSuchRecord(f"{position}: expected FILE:LINE, such as tracking.log:12")
    wanted = {int(match["number"])}
    try:
        for _, body in _records(match["file"], match["sign"], wanted):
            return body
    except Unreadable as error:
        raise NoSuchRecord(str(error)) from None
    raise NoSuchRecord(f"{position}: the file has no record there")


def records_at(positions: Collection[str]) -> dict[str, bytes]:
    """The records that are found at ``positions``. What is no position in a file, or is not there any more, is left out."""
    wanted: dict[tuple[str, str], set[int]] = defaultdict(set)
    for match in filter(None, map(_POSITION.match, positions)):
        wanted[match["file"], match["sign"]].add(int(match["number"]))
    found = {}
    for (file, sign), numbers in wanted.items():
        try:
            found.update({f"{file}{sign}{number}": body for number, body in _records(file, sign, numbers)})
        except Unreadable:
            continue
    return found


def _records(file: str, sign: str, numbers: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """The numbers of lines, or offsets, at which a record begins, with the record."""
    if sign == ":":
        found = _of_reader(file, FileReader(file), max(numbers))
        yield from ((record.line, record.body) for record in found if record.line is not None and record.line in numbers)
        return
    for number in numbers:
        reader = FileReader(file, NOTHING._replace(offset=number), number, number + 1)
        at_once = (record.body for record in _of_reader(file, reader, 1) if record.offset in (number, None))
        yield from ((number, body) for body in at_once)


def _of_reader(file: str, reader: FileReader, most_lines: int) -> Iterator[Record]:
    lines, done = 0, False
    try:
        while not done and lines < most_lines:
            chunk = reader.poll(_AT_ONCE, most_lines - lines)
            yield from records_of(file, chunk)
            lines, done = chunk.reached.lines, chunk.reached.done
    finally:
        reader.close()
