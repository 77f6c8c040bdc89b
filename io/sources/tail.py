"""A tracking log that grows, as a source: ``tail:PATH``. The log is followed through rotation, by rename and by copytruncate, also
through a rotation while the job was down.

The source's memory is the position that the state directory keeps (``ResumePoint``): for each file, the device, the inode, a
fingerprint of the file's head, and how far the file is read. The head ends with the first line that is not blank. The head never
changes while a log grows, and is the same in a copy or a gz of the log."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

import msgspec

from edx2lrs.io.sources.address import SourceUrl, SourceUrlError
from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import Unreadable
from edx2lrs.io.sources.lines import Lines, LongLine, cut, first_lines
from edx2lrs.io.sources.position import Position, Reached
from edx2lrs.io.sources.source import Message, Polled, ResumePoint, Source, SourceError
from edx2lrs.io.sources.spec import LOCAL, OnEngine, Sharing, SourceSpec, Stream
from edx2lrs.transforms.failure import Failure

LINGER = 10.0
"""Seconds that a rotated log is still followed after it last grew: a process may be slow to open the new one."""
_HEAD = 1024
_PIECE = 256 * 1024
_POLL_BYTES = 4 * 1024 * 1024
_LOOK = 0.1  # seconds between looks at a log that does not grow
_LOG = logging.getLogger("edx2lrs.stream")


class LogPosition(msgspec.Struct, frozen=True):
    """How far a file is read. ``head`` is the SHA-256 of the file's first ``head_length`` bytes, "" before a line was read.
    ``seen`` is the time of change (ns) of the file when it was read: parts that changed earlier are older."""

    device: int
    inode: int
    head_length: int = 0
    head: str = ""
    offset: int = 0
    line: int = 0
    seen: int = 0


class Read(NamedTuple):
    """The result of one look at a file."""

    messages: list[Message]
    failures: list[Failure]


class _Plain:
    """A file that may grow. ``rotated``: since when (monotonic) it has no longer been the log itself."""

    def __init__(self, file: BinaryIO, path: str, position: LogPosition, rotated: float | None) -> None:
        self._file = file
        self.path = path
        self.position = position
        self.rotated = rotated
        self._grew = time.monotonic()
        self._size = -1  # at the last look that found no whole line

    def close(self) -> None:
        self._file.close()

    def is_replaced(self) -> bool:
        """Whether the file has other content than the content that was read: the file was truncated, and perhaps written again."""
        position = self.position
        if os.fstat(self._file.fileno()).st_size < position.offset:
            return True
        return bool(position.head) and _sha256(_start(self._file, position.head_length)) != position.head

    def has_ended(self, linger: float) -> bool:
        return self.rotated is not None and time.monotonic() - max(self.rotated, self._grew) > linger

    def read(self, max_records: int, to_the_end: bool = False) -> Read:
        """Its next whole lines; ``to_the_end``: and the last one, though its line break has not come."""
        status = os.fstat(self._file.fileno())
        if status.st_size <= self.position.offset or (status.st_size == self._size and not to_the_end):
            return Read([], [])
        if not self.position.head and not self.find_head(to_the_end):
            return Read([], [])
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

        self._skip_nulls()
        begun = self.position.offset
        self._file.seek(begun)
        found = Read([], [])
        for part in cut(pieces(), self.position.line + 1):
            whole = part.data.endswith(b"\n") if isinstance(part, Lines) else (self.position.offset + part.length < begun + read)
            if not whole and not ends_with_break and not to_the_end:
                break
            room = max_records - len(found.messages)
            if isinstance(part, Lines) and part.size > room:
                part = first_lines(part, room)[0]
            self.position = take(part, self.path, self.position, found)
            if len(found.messages) >= max_records:
                break
        self._size = status.st_size if self.position.offset == begun else -1
        if self.position.offset > begun:
            self._grew = time.monotonic()
            self.position = msgspec.structs.replace(self.position, seen=status.st_mtime_ns)
        return found

    def find_head(self, to_the_end: bool = False) -> bool:
        """Whether the file has enough content to be recognised."""
        head = head_of(_start(self._file, _HEAD), to_the_end)
        if head:
            self.position = msgspec.structs.replace(self.position, head=_sha256(head), head_length=len(head))
        return bool(head)

    def _skip_nulls(self) -> None:
        """Skips NUL bytes. A program that goes on at its old offset in a truncated log leaves a hole before its next line."""
        if os.pread(self._file.fileno(), 1, self.position.offset) != b"\0":
            return
        self._file.seek(self.position.offset)
        while piece := self._file.read(_PIECE):
            nulls = len(piece) - len(piece.lstrip(b"\0"))
            self.position = msgspec.structs.replace(self.position, offset=self.position.offset + nulls)
            if nulls < len(piece):
                return


class _Packed:
    """The gz of a rotated log: read to its end."""

    def __init__(self, path: str, position: LogPosition) -> None:
        """Raises ``Unreadable``."""
        self._reader = FileReader(path, Reached(position.offset, position.line))
        self.path = path
        self.position = position
        self._done = False

    def close(self) -> None:
        self._reader.close()

    def has_ended(self, _: float) -> bool:
        return self._done

    def read(self, max_records: int, _: bool = False) -> Read:
        found = Read([], [])
        if self._done:
            return found
        polled = self._reader.poll(_POLL_BYTES, max_records)
        parts: list[Lines | LongLine] = [*polled.lines, *polled.long_lines]
        for part in sorted(parts, key=_line_of):
            self.position = take(part, self.path, self.position, found)
        if polled.damage:
            damage = polled.damage
            found.failures.append(Failure("read", damage.cause, damage.message, str(Position(self.path, damage.line)), damage.payload))
        self._done = polled.reached.done
        return found


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Inside, errors of the file system become SourceError."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"tail:{path}: {error.filename or path} cannot be read: {error.strerror or error}") from None


class Tail:
    """The log at ``path``, and the rotated parts of the log. One process reads the log."""

    def __init__(self, path: str, position: str | None = None, linger: float = LINGER) -> None:
        """``position``: the last one that was kept; without one the log is read from its start, older parts are not. Raises
        SourceError."""
        self._path = path
        self._linger = linger
        self._log: _Plain | None = None
        self._parts: list[_Plain | _Packed] = []  # what it was before, oldest first
        self._last: LogPosition | None = None  # of what was rotated last
        self._said_missing = False
        with _named(path):
            self._resume(msgspec.json.decode(position, type=list[LogPosition]) if position else [])
            if not position:
                self._last = LogPosition(0, 0, seen=self._after_parts())
                self._look()

    def poll(self, max_records: int, max_wait: float) -> Polled:
        end = time.monotonic() + max_wait
        while True:
            with _named(self._path):
                self._look()
                found = self._read(max_records)
            left = end - time.monotonic()
            if found.messages or found.failures or left <= 0:
                return Polled(found.messages, found.failures, self.resume_point())
            time.sleep(min(_LOOK, left))

    def commit(self, cursor: ResumePoint) -> None:
        """Does nothing: the state directory has kept the position."""

    def close(self) -> None:
        for each in self._followed():
            each.close()

    def _followed(self) -> list[_Plain | _Packed]:
        return [*self._parts, self._log] if self._log else list(self._parts)

    def resume_point(self) -> ResumePoint:
        positions = [each.position for each in self._followed() if each.position.head]
        if not positions and self._last is not None:
            positions = [self._last]  # nothing was written since it was rotated
        if not positions and self._log is not None:
            positions = [self._log.position]  # nothing was read of it yet, but what it is rotated into is to be read
        return ResumePoint(msgspec.json.encode(positions).decode())

    # Reading

    def _read(self, max_records: int) -> Read:
        """Reads from the oldest file with unread lines."""
        for each in self._followed():
            try:
                found = each.read(max_records)
                if not (found.messages or found.failures) and each.has_ended(self._linger):
                    found = each.read(max_records, True)
            except Unreadable as error:
                raise SourceError(str(error)) from None
            if found.messages or found.failures:
                return found
        for part in [part for part in self._parts if part.has_ended(self._linger)]:
            part.close()
            self._parts.remove(part)
            if self._last is not None and part.position.head == self._last.head:
                self._last = part.position
        return Read([], [])

    # Following

    def _resume(self, positions: list[LogPosition]) -> None:
        """Finds the files that were followed, wherever they are now."""
        log = self._opened()
        for position in positions:
            self._last = position
            if log is not None and _is_of(log[0], position):
                self._log = _Plain(log[0], self._path, _lies_in(os.fstat(log[0].fileno()), position), None)
                log = None
            else:
                self._follow_part(position, "was rotated away before it was read to its end")
        if log is not None:
            log[0].close()

    def _look(self) -> None:
        """Whether the log is still the same file with the same content."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self._rotate()
            if not self._followed() and not self._said_missing:
                self._said_missing = True
                _LOG.info("%s does not exist yet; it is waited for", self._path)
            return
        log = self._log
        is_same = log is not None and (status.st_dev, status.st_ino) == (log.position.device, log.position.inode)
        if log is not None and is_same and not log.is_replaced():
            if not log.position.head and log.find_head():  # it may have been cut off before anything was read of it
                self._follow_between(log.position)
            return
        self._rotate()
        opened = self._opened()
        if opened is None:
            return
        file, position = opened
        self._follow_between(position)
        self._log = _Plain(file, self._path, position, None)

    def _rotate(self) -> None:
        """The log has another name now, or no name, or another content, or several of these."""
        log, self._log = self._log, None
        if log is None:
            return
        if log.is_replaced():
            log.close()
            self._follow_part(log.position, "was cut off, and no rotated part of it was found")
        else:
            log.rotated = time.monotonic()
            if not log.position.head:
                log.find_head()  # so that a packed copy of it is known
            self._parts.append(log)
        self._last = log.position

    def _opened(self) -> tuple[BinaryIO, LogPosition] | None:
        try:
            file = open(self._path, "rb", buffering=0)  # noqa: SIM115 - stays open
        except FileNotFoundError:
            return None
        status = os.fstat(file.fileno())
        return file, LogPosition(status.st_dev, status.st_ino, seen=self._after_parts())

    def _after_parts(self) -> int:
        """A time (ns) after which no part has changed yet."""
        return max((changed for changed, _, _ in self._parts_found()), default=-1) + 1

    def _follow_part(self, position: LogPosition, why: str) -> None:
        """Reads on at ``position`` in the rotated part that has it."""
        if not position.head:
            return  # nothing was read of it: if it has something, it follows as a part in between
        for path in self._part_paths():
            with suppress(OSError, EOFError, zlib.error, Unreadable):
                if path.endswith(".gz"):
                    if _sha256(_start_of(path, position.head_length)) == position.head:
                        self._parts.append(_Packed(path, _lies_in(os.stat(path), position)))
                        return
                    continue
                file = open(path, "rb", buffering=0)  # noqa: SIM115 - stays open
                if _is_of(file, position):
                    self._parts.append(_Plain(file, path, _lies_in(os.fstat(file.fileno()), position), time.monotonic()))
                    return
                file.close()
        _LOG.warning("%s %s; lines that were written to it after line %d may be lost", self._path, why, position.line)

    def _follow_between(self, log: LogPosition) -> None:
        """Parts that were rotated after the last one that was followed and before the log as it is now."""
        if self._last is None:
            return
        known = {each.position.head for each in self._followed()} | {self._last.head}
        for path in self._part_paths():
            with suppress(OSError, EOFError, zlib.error, Unreadable):
                status = os.stat(path)
                inodes = {(each.position.device, each.position.inode) for each in self._followed()} | {(log.device, log.inode)}
                if status.st_mtime_ns < self._last.seen or (status.st_dev, status.st_ino) in inodes:
                    continue
                head = head_of(_start_of(path, _HEAD), True)
                position = LogPosition(status.st_dev, status.st_ino, len(head), _sha256(head))
                if not head or position.head in known:
                    continue
                known.add(position.head)
                if path.endswith(".gz"):
                    self._parts.append(_Packed(path, position))
                else:
                    file = open(path, "rb", buffering=0)  # noqa: SIM115 - stays open
                    self._parts.append(_Plain(file, path, position, time.monotonic()))
                _LOG.info("%s was rotated meanwhile; it is read first", path)

    def _part_paths(self) -> list[str]:
        """What the log may have been rotated into, oldest first; of a part and its gz the part first."""
        return [path for _, _, path in sorted(self._parts_found())]

    def _parts_found(self) -> list[tuple[int, bool, str]]:
        """Of each part when it was changed (ns), whether it is packed, and its path."""
        folder, name = os.path.split(self._path)
        is_part = _part_name(name)
        found: list[tuple[int, bool, str]] = []
        with suppress(FileNotFoundError):
            for entry in os.scandir(folder or "."):
                if is_part(entry.name) and entry.is_file():
                    with suppress(FileNotFoundError):
                        found.append((entry.stat().st_mtime_ns, entry.name.endswith(".gz"), entry.path))
        return found


def _part_name(name: str) -> Callable[[str], object]:
    """Of ``tracking.log``: ``tracking.log.1``, ``tracking.log-20240312-1700.gz``, ``tracking-20240312.log``."""
    stem, extension = os.path.splitext(name)
    number = r"[.\-_]\d[\d.\-_T]*"
    return re.compile(f"(?:{re.escape(name)}{number}|{re.escape(stem)}{number}{re.escape(extension)})(?:\\.gz)?").fullmatch


def head_of(start: bytes, is_all: bool = False) -> bytes:
    """The head of a log that begins with ``start`` (up to 1024 bytes): the bytes up to the end of the first line that is not blank.
    Empty while this line is not complete; ``is_all``: no further bytes will come."""
    text = start.lstrip(b"\0\r\n\t ")
    end = start.find(b"\n", len(start) - len(text)) if text else -1
    if end >= 0:
        return start[: end + 1]
    return start if len(start) == _HEAD or (is_all and text) else b""


def take(part: Lines | LongLine, path: str, position: LogPosition, found: Read) -> LogPosition:
    """Puts the records of ``part``, which begins at ``position`` in ``path``, into ``found``; gives the position after ``part``."""
    if isinstance(part, LongLine):
        message = f"the line has {part.length} bytes; only its head is kept"
        found.failures.append(Failure("read", "line_too_long", message, str(Position(path, part.line)), part.head))
        return msgspec.structs.replace(position, offset=position.offset + part.length, line=part.line)
    offset = position.offset + part.hole
    for line, text in enumerate(part.data.split(b"\n"), part.first_line):
        body = text.strip(b"\r\0")
        if body and not body.isspace():
            found.messages.append(Message(f"{position.head[:24]}:{offset}", Position(path, line), body))
        offset += len(text) + 1
    return msgspec.structs.replace(position, offset=position.offset + part.length, line=part.first_line + part.size - 1)


def _line_of(part: Lines | LongLine) -> int:
    return part.line if isinstance(part, LongLine) else part.first_line


def _lies_in(status: os.stat_result, position: LogPosition) -> LogPosition:
    """``position`` in another file: a copy of the log, or the original of a copy."""
    return msgspec.structs.replace(position, device=status.st_dev, inode=status.st_ino)


def _is_of(file: BinaryIO, position: LogPosition) -> bool:
    """Whether ``file`` holds the content that was read up to ``position``, whatever the file is called."""
    if not position.head or os.fstat(file.fileno()).st_size < position.offset:
        return False
    return _sha256(_start(file, position.head_length)) == position.head


def _start(file: BinaryIO, length: int) -> bytes:
    return os.pread(file.fileno(), length, 0)


def _start_of(path: str, length: int) -> bytes:
    with gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb") as file:
        return file.read(length)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# What the source says of itself


def _address(text: str) -> SourceUrl:
    path = text[len("tail:") :]
    if path.startswith("//"):
        path = path[2:]
    if not path or path.endswith("/") or any(sign in path for sign in "*?"):
        raise SourceUrlError(f"--input {text}: names no file; a growing log is given as tail:PATH, as {SPEC.example}")
    if os.path.isdir(path):
        raise SourceUrlError(f"--input {text}: is a folder; name the log in it that grows")
    path = os.path.abspath(path)
    return SourceUrl("tail", f"tail:{path}", (), path, {})


def _open(url: SourceUrl, _worker: str, position: str | None) -> Source:
    return Tail(url.path, position)


SPEC = SourceSpec(
    name="a log that grows",
    what="a log that grows",
    schemes=("tail:",),
    form="tail:PATH",
    example="tail:/var/log/tracking.log",
    sharing=Sharing(False, "one"),
    engines={LOCAL: OnEngine()},
    stream=Stream(_address, _open),
)
