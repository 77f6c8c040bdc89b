"""The times of a file's first and last records, as far as they can be read without reading the whole file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import FoundFile, Unreadable, fingerprint
from edx2lrs.io.sources.object_stores import open_raw
from edx2lrs.transforms.records.archive_time import archive_time

_LOOK = 64 * 1024
_SMALL = 256 * 1024  # bytes as stored of a packed file that is read to its end


class Span(NamedTuple):
    """Canonical times, "" where they are not known: the earliest and the latest time among the first records (records are only nearly
    in the order of their times), and the latest time among the last records."""

    first: str = ""
    latest_first: str = ""
    last: str = ""


def span(file: FoundFile) -> Span | None:
    """What is known of ``file``; None if the file cannot be read."""
    try:
        head, tail = _ends(file)
    except Unreadable:
        return None
    first, last = sorted(_times(head)), sorted(_times(tail))
    return Span(first[0] if first else "", first[-1] if first else "", last[-1] if last else "")


def _ends(file: FoundFile) -> tuple[bytes, bytes]:
    """The first bytes and the last bytes of the file's text. The last bytes of a larger packed file are not known. Raises
    ``Unreadable``."""
    with contextlib.closing(FileReader(file.path)) as reader:
        chunk = reader.poll(_LOOK)
        head = tail = b"".join(lines.data for lines in chunk.lines)
        packed = fingerprint(file.path, 1).packed
        while packed and file.size <= _SMALL and not chunk.reached.done:
            chunk = reader.poll(_LOOK)
            tail = (tail + b"".join(lines.data for lines in chunk.lines))[-2 * _LOOK :]
    if packed or chunk.reached.done:
        return head, tail if chunk.reached.done and not chunk.damage else b""
    return head, _last_bytes(file)


def _last_bytes(file: FoundFile) -> bytes:
    try:
        with open_raw(file.path, ahead=_LOOK) as stored:
            stored.seek(max(0, file.size - _LOOK))
            return stored.read(_LOOK)
    except Exception as error:
        raise Unreadable(str(error)) from None


def _times(text: bytes) -> Iterator[str]:
    return filter(None, map(archive_time, text.split(b"\n")))
