"""Tracking logs in files: which there are, and each read from a committed place on, in whole lines.

Every access goes through Beam's file systems, so that a path may be local or an object store's.
"""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from edx2lrs.io import inflate
from edx2lrs.io.lines import Lines, LongLine, cut, first_lines
from edx2lrs.io.paths import is_remote

HEAD = 1024
"""Bytes of a file's head that tell whether it is the file of last time."""
_BINARY = {b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"PK\x03\x04": "zip", b"Obj\x01": "Avro"}


class InputError(Exception):
    """An input that names nothing to read. The message says what was asked for and how to ask."""


class FoundFile(NamedTuple):
    """A file that matched, and its size in bytes as it lies there."""

    path: str
    size: int


class Damage(NamedTuple):
    """A fault of the file from ``line`` on (or of the whole of it), and what was read of that line."""

    cause: str
    message: str
    line: int
    payload: bytes


class Polled(NamedTuple):
    """What one poll gives: lines, lines that are too long, a fault of the file; and where it ended (bytes of text, lines)."""

    lines: list[Lines]
    long_lines: list[LongLine]
    damage: Damage | None
    offset: int
    line: int
    done: bool


def find(inputs: Sequence[str]) -> list[FoundFile]:
    """The files of globs and folders (with all that is below them), each once, by path; hidden ones are left out.

    Raises ``InputError`` for an input without any file.
    """
    found: dict[str, FoundFile] = {}
    for pattern in inputs:
        matches = _match(pattern)
        if not matches:
            raise InputError(f"--input {pattern}: no such file; give a file, a folder or a glob in quotes, as 'logs/*.gz'")
        found.update({match.path: match for match in matches})
    return [found[path] for path in sorted(found)]


def _match(pattern: str) -> list[FoundFile]:
    """A local path is made absolute, so that a file has one name in the state, whatever folder the job is started in."""
    glob = pattern.rstrip("/") if is_remote(pattern) else os.path.abspath(pattern)
    try:
        matches = FileSystems.match([glob, f"{glob}/*", f"{glob}/**/*"])
        listed = [FoundFile(data.path, data.size_in_bytes) for match in matches for data in match.metadata_list]
    except Exception as error:
        raise InputError(f"--input {pattern}: cannot be listed: {_reason(error)}") from None
    return [file for file in listed if not _hidden(file.path) and not _is_folder(file.path)]


def _hidden(path: str) -> bool:
    return path.rsplit("/", 1)[-1].startswith(".")


def _is_folder(path: str) -> bool:
    return not is_remote(path) and os.path.isdir(path)


def _reason(error: BaseException) -> str:
    """What the system said, in a line and without a traceback."""
    cause = error.__cause__ or error
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(text).splitlines()[0][:200]


def _open(path: str) -> BinaryIO:
    opened: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return opened


class Unreadable(Exception):
    """The file can't be opened or read; the message names it and says why."""


def fingerprint(path: str, length: int = HEAD) -> tuple[int, str]:
    """How many bytes of the head were hashed (at most ``length``), and their SHA-256 in hex. Raises ``Unreadable``."""
    try:
        with _open(path) as file:
            head = file.read(length)
    except Exception as error:
        raise Unreadable(f"{path}: cannot be read: {_reason(error)}") from None
    return len(head), hashlib.sha256(head).hexdigest()


class FileReader:
    """One file from a committed place on. Stays open from poll to poll, so that a gz is inflated once."""

    def __init__(self, path: str, offset: int, line: int) -> None:
        """``offset``: bytes of text (inflated) that are done; ``line``: lines that are done. Raises ``Unreadable``."""
        self._path = path
        self._offset = offset
        self._line = line
        self._damage: Damage | None = None
        self._left: Lines | None = None
        try:
            self._file = _open(path)
            self._lines = self._cut()
            self._next = self._following()
        except Exception as error:
            raise Unreadable(f"{path}: cannot be read: {_reason(error)}") from None

    def poll(self, max_bytes: int, max_lines: int | None = None) -> Polled:
        """Lines for one wave: no more than some 256 KiB over ``max_bytes``. Raises ``Unreadable``."""
        lines: list[Lines] = []
        long_lines: list[LongLine] = []
        size = count = 0
        while self._next is not None and size < max_bytes and (max_lines is None or count < max_lines):
            part = self._next
            if isinstance(part, LongLine):
                long_lines.append(part)
                self._offset += part.length
                count += 1
                size += len(part.head)
            else:
                if max_lines is not None and count + part.size > max_lines:
                    part, self._left = first_lines(part, max_lines - count)
                lines.append(part)
                self._offset += len(part.data)
                count += part.size
                size += len(part.data)
            try:
                self._next = self._following()
            except Exception as error:
                raise Unreadable(f"{self._path}: cannot be read on: {_reason(error)}") from None
        self._line += count
        done = self._next is None
        return Polled(lines, long_lines, self._damage if done else None, self._offset, self._line, done)

    def close(self) -> None:
        self._file.close()

    def _following(self) -> Lines | LongLine | None:
        if self._left is not None:
            left, self._left = self._left, None
            return left
        return next(self._lines, None)

    def _cut(self) -> Iterator[Lines | LongLine]:
        head = self._file.read(HEAD * 8)
        binary = _binary(head)
        if binary:
            self._damage = Damage("not_a_log", f"{binary}, expected lines of JSON, plain or gzip", self._line + 1, b"")
            return
        if head.startswith(inflate.MAGIC):
            yield from self._cut_gzip(head)
            return
        self._file.seek(self._offset)
        yield from cut(self._raw(b""), self._line + 1)

    def _cut_gzip(self, head: bytes) -> Iterator[Lines | LongLine]:
        """A line that the damage cut in two is part of the damage: it is held back until the next one has come."""
        damaged: list[inflate.Damaged] = []

        def text() -> Iterator[bytes]:
            to_skip = self._offset
            try:
                for piece in inflate.inflate(self._raw(head)):
                    if to_skip < len(piece):
                        yield piece[to_skip:]
                    to_skip = max(0, to_skip - len(piece))
            except inflate.Damaged as fault:
                damaged.append(fault)

        line = self._line + 1
        for part in cut(text(), line):
            if damaged and isinstance(part, Lines) and not part.data.endswith(b"\n"):
                self._damage = Damage(damaged[0].cause, str(damaged[0]), part.first_line, part.data)
                return
            line = part.line + 1 if isinstance(part, LongLine) else part.first_line + part.size
            yield part
        if damaged:
            self._damage = Damage(damaged[0].cause, str(damaged[0]), line, b"")

    def _raw(self, head: bytes) -> Iterator[bytes]:
        if head:
            yield head
        while piece := self._file.read(inflate.PIECE):
            yield piece


def _binary(head: bytes) -> str | None:
    """What the file is when it is certainly no log: another compression by its mark, or NUL bytes in what is no UTF-8."""
    for magic, name in _BINARY.items():
        if head.startswith(magic):
            return f"a {name} file"
    if b"\0" in head and not head.startswith(inflate.MAGIC):
        try:
            head.decode()
        except UnicodeDecodeError as error:
            if error.start < len(head) - 3:
                return "a binary file"
    return None
