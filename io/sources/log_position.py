"""How far a growing log is read, and whether a file holds the content that was read, whatever the file is called."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

import msgspec

HEAD = 1024
BEGIN = 64 * 1024
"""Bytes that are no two logs' beginning: lines have times."""
_BEFORE = 1024


class LogPosition(msgspec.Struct, frozen=True):
    """``head`` is the SHA-256 of the file's first ``head_length`` bytes, "" before a line was read; ``before`` that of the last bytes
    (up to 1024) before ``offset``, "" where nobody knows them: logs may begin alike. ``seen`` is the time of change (ns) of the file
    when it was read: parts that changed earlier are older. ``watched``: a rotated part, which was read to its end."""

    device: int
    inode: int
    head_length: int = 0
    head: str = ""
    offset: int = 0
    line: int = 0
    seen: int = 0
    before: str = ""
    watched: bool = False


def head_of(start: bytes, is_all: bool = False) -> bytes:
    """The head of a log that begins with ``start`` (up to 1024 bytes): the bytes up to the end of the first line that is not blank.
    Empty while this line is not complete; ``is_all``: no further bytes will come."""
    text = start.lstrip(b"\0\r\n\t ")
    end = start.find(b"\n", len(start) - len(text)) if text else -1
    if end >= 0:
        return start[: end + 1]
    return start if len(start) == HEAD or (is_all and text) else b""


def is_of(file: BinaryIO, position: LogPosition) -> bool:
    """Whether ``file`` (a copy, a packed one that is opened to be inflated, or the log itself) holds what was read up to
    ``position``. Moves in the file."""
    if not position.head or sha256(bytes_at(file, 0, position.head_length)) != position.head:
        return False
    before = bytes_before(file, position.offset)
    return len(before) == min(_BEFORE, position.offset) and position.before in ("", sha256(before))


def holds(text: BinaryIO, position: LogPosition, begin: bytes) -> bool:
    """``is_of``; if nothing was read yet, whether ``text`` begins with what was seen (``begin``)."""
    if position.offset:
        return is_of(text, position)
    return bool(begin) and bytes_at(text, 0, len(begin)) == begin


def to_be_kept(position: LogPosition, watched: bool, begin: bytes) -> LogPosition:
    """Logs may begin alike: if nothing was read yet, the log is known by all that was seen (``begin``) in place of its head."""
    if position.offset:
        return msgspec.structs.replace(position, watched=watched)
    return msgspec.structs.replace(position, head=sha256(begin) if begin else "", head_length=len(begin))


def bytes_before(file: BinaryIO, offset: int) -> bytes:
    length = min(_BEFORE, offset)
    return bytes_at(file, offset - length, length)


def last_bytes(data: bytes) -> bytes:
    """The end of all that was read, of which ``bytes_before`` would be the bytes."""
    return data[-_BEFORE:]


def bytes_at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
