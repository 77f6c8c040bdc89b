"""A tracking log that grows, as a source: ``tail:PATH``. The log is followed through rotation, by rename and by copytruncate, also
through a rotation while the job was down, and its parts as long as a process may go on in them.

The source's memory is the position that the state directory keeps (``ResumePoint``): of each file that is followed, how far it is read
and how its content is recognised (``io.sources.log_position``), also in a copy or a gz of the log."""

from __future__ import annotations

import gzip
import logging
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import BinaryIO, cast
from urllib.parse import parse_qsl

import msgspec

from edx2lrs.io.sources.address import SourceUrl, SourceUrlError
from edx2lrs.io.sources.file_names import on_disk, printable
from edx2lrs.io.sources.files import Unreadable
from edx2lrs.io.sources.followed_log import LINGER, GrowingLog, PackedPart, Read
from edx2lrs.io.sources.local_files import open_file, status_of
from edx2lrs.io.sources.log_lag import behind
from edx2lrs.io.sources.log_parts import LogPart, parts_of
from edx2lrs.io.sources.log_position import BEGIN, HEAD, LogPosition, bytes_at, head_of, is_of
from edx2lrs.io.sources.options import DURATION, Option, read_options
from edx2lrs.io.sources.source import Polled, ResumePoint, Source, SourceError
from edx2lrs.io.sources.spec import LOCAL, OnEngine, Sharing, SourceSpec, Stream

WATCH = "1d"
OPTIONS = (Option("watch", DURATION, "how long a rotated part is still followed after it last grew", WATCH),)
_MOST_WATCHED = 32
_LOOK = 0.1  # seconds between looks at a log that does not grow
_MISSING = 60.0  # seconds after which a log that does not exist is trouble
_SEARCH = 1.0  # seconds between looks at the parts of a log that does not exist
_MTIME_STEP = 2_000_000_000  # ns to which a copy may round the time of change
_LOG = logging.getLogger("edx2lrs.stream")
_DAMAGED = (OSError, EOFError, zlib.error, Unreadable)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Inside, errors of the file system become SourceError."""
    try:
        yield
    except OSError as error:
        name = printable(error.filename or path)
        raise SourceError(f"tail:{printable(path)}: {name} cannot be read: {error.strerror or error}") from None


class Tail:
    """The log at ``path``, and the rotated parts of the log. One process reads the log."""

    def __init__(self, path: str, position: str | None = None, linger: float = LINGER, watch: float = 86_400.0) -> None:
        """``position``: the last one that was kept; without one the log is read from its start, older parts are not. ``watch``:
        seconds for which a rotated part is followed. Raises SourceError."""
        self._path = path
        self._name = printable(path)
        self._linger, self._watch = linger, max(watch, linger)
        self._log: GrowingLog | None = None
        self._parts: list[GrowingLog | PackedPart] = []  # what it was before, oldest first
        self._newest: GrowingLog | PackedPart | None = None  # what was rotated last, while it is followed
        self._last: LogPosition | None = None  # its position, when it is followed no more
        self._known: list[LogPosition] = []  # of parts that were read and are followed no more
        self._missing_since: float | None = None
        self._searched = -_SEARCH
        with _named(path):
            self._resume(msgspec.json.decode(position, type=list[LogPosition]) if position else [])
            if not position:
                self._last = LogPosition(0, 0, seen=self._changed_last() + 1)
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

    def trouble(self) -> str:
        """Why nothing comes, "" if nothing is wrong."""
        if self._missing_since is None:
            return ""
        missing = time.monotonic() - self._missing_since
        return f"tail:{self._name}: the log has not existed for {missing:.0f} s; check the path" if missing > _MISSING else ""

    def behind(self) -> int:
        """Bytes that were written and are not read."""
        return sum(max(0, each.size() - each.position.offset) for each in self._followed())

    def _followed(self) -> list[GrowingLog | PackedPart]:
        return [*self._parts, self._log] if self._log else list(self._parts)

    def resume_point(self) -> ResumePoint:
        positions = [*self._known, *(each.now() for each in self._followed())]
        if self._log is None and self._newest is None and self._last is not None:
            positions.append(self._last)  # what is rotated after it is to be read
        return ResumePoint(msgspec.json.encode(positions).decode())

    # Reading

    def _read(self, max_records: int) -> Read:
        """Reads from the oldest file with unread lines."""
        for each in self._followed():
            try:
                found = each.read(max_records)
            except Unreadable as error:
                raise SourceError(str(error)) from None
            if found.messages or found.failures:
                return found
        too_many = len([part for part in self._parts if part.now().watched]) - _MOST_WATCHED
        for part in list(self._parts):
            if part.has_ended() or (too_many > 0 and part.now().watched):
                too_many -= 1
                self._drop(part)
        return Read([], [])

    def _drop(self, part: GrowingLog | PackedPart) -> None:
        if part.position.offset:
            self._known = [*self._known, part.now()][-_MOST_WATCHED:]
        if part is self._newest:
            self._newest, self._last = None, part.now()
        self._parts.remove(part)
        part.close()

    # Following

    def _newest_position(self) -> LogPosition | None:
        return self._last if self._newest is None else self._newest.now()

    def _resume(self, positions: list[LogPosition]) -> None:
        """Finds the files that were followed, wherever they are now."""
        log, newest = self._opened(), None
        for position in sorted(positions, key=lambda each: not each.head):  # an inode alone may be that of another file by now
            self._newest = None
            moved = any(_identity(part) == _identity(position) for part in parts_of(self._path, position.inode))
            if moved and self._follow_part(position, partial(is_of, position=position)):
                pass
            elif log is not None and (is_of(log[0], position) if position.head else _identity(log[1]) == _identity(position)):
                self._log = self._growing(log[0], self._path, _lies_in(os.fstat(log[0].fileno()), position), is_part=False)
                log = None
            elif not self._follow_part(position, partial(is_of, position=position)) and not position.watched:
                self._warn_lost(position, "was rotated away before it was read to its end")
            if position is positions[-1]:
                newest = self._newest
        self._newest, self._last = newest, positions[-1] if positions else None
        if log is not None:
            log[0].close()
        if self._log is not None:
            self._follow_between()

    def _look(self) -> None:
        """Whether the log is still the same file with the same content."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self._rotate()
            if self._missing_since is None:
                self._missing_since = time.monotonic()
                if not self._parts:
                    _LOG.info("%s does not exist yet; it is waited for", self._name)
            if time.monotonic() - self._searched >= min(self._linger, _SEARCH):  # there may have been a log between two looks
                self._searched = time.monotonic()
                self._follow_between()
            return
        self._missing_since = None
        log = self._log
        is_same = log is not None and (status.st_dev, status.st_ino) == _identity(log.position)
        if log is not None and is_same and not log.is_replaced():
            if not log.position.head and log.find_head():  # it may have been cut off before anything was read of it
                self._follow_between()
            return
        self._rotate()
        opened = self._opened()
        if opened is None:
            return
        file, position = opened
        self._log = self._growing(file, self._path, position, is_part=False)
        self._follow_between()

    def _rotate(self) -> None:
        """The log has another name now, or no name, or another content, or several of these."""
        log, self._log = self._log, None
        if log is None:
            return
        self._newest, self._last = None, log.position
        if log.is_replaced():
            log.close()
            if not self._follow_part(log.position, log.is_in) and log.position.offset:
                self._warn_lost(log.position, "was cut off, and no rotated part of it was found")
                self._last = msgspec.structs.replace(log.position, watched=True)
        else:
            log.rotated = time.monotonic()
            if not log.position.head:
                log.find_head()  # so that a packed copy of it is known
            self._parts.append(log)
            self._newest = log

    def _warn_lost(self, position: LogPosition, why: str) -> None:
        if position.head:  # else nothing was read of it: if it has something, it follows as a part in between
            _LOG.warning("%s %s; lines that were written to it after line %d may be lost", self._name, why, position.line)

    def _opened(self) -> tuple[BinaryIO, LogPosition] | None:
        try:
            file = open_file(self._path, buffering=0)
        except FileNotFoundError:
            return None
        status = os.fstat(file.fileno())
        seen = max(self._changed_last(), self._last.seen if self._last else 0)
        return file, LogPosition(status.st_dev, status.st_ino, seen=seen)

    def _growing(self, file: BinaryIO, path: str, position: LogPosition, is_part: bool) -> GrowingLog:
        return GrowingLog(file, path, position, self._linger, self._watch, time.monotonic() if is_part else None)

    def _changed_last(self) -> int:
        return max((part.changed for part in parts_of(self._path)), default=0)

    def _follow_part(self, position: LogPosition, is_in: Callable[[BinaryIO], bool]) -> bool:
        """Reads on at ``position`` in the rotated part that has what was read; whether there is such a part."""
        parts = [part for part in parts_of(self._path, position.inode) if part.changed >= position.seen - _MTIME_STEP]
        for part in sorted(parts, key=lambda part: part.inode != position.inode):
            with suppress(*_DAMAGED):
                with _text_of(part) as text:
                    same = is_in(text) if position.head else _identity(part) == _identity(position)
                    found = same and _identity(part) not in self._followed_now()
                if found:
                    self._follow(part, msgspec.structs.replace(position, device=part.device, inode=part.inode))
                    return True
        return False

    def _followed_now(self) -> set[tuple[int, int]]:
        return {_identity(each.position) for each in self._followed()}

    def _follow(self, part: LogPart, position: LogPosition) -> None:
        if part.packed:
            self._newest = PackedPart(part.path, position)
        else:
            self._newest = self._growing(open_file(part.path, buffering=0), part.path, position, is_part=True)
        self._parts.append(self._newest)

    def _follow_between(self) -> None:
        """Parts that were rotated after the last one that was followed and before the log as it is now."""
        newest = self._newest_position()
        if newest is None:
            return
        inodes = self._followed_now()
        begins: set[bytes] = set()
        for part in parts_of(self._path):
            if part.changed < newest.seen or _identity(part) in inodes:
                continue
            with suppress(*_DAMAGED):
                with _text_of(part) as text:
                    if any(is_of(text, each) for each in [newest, *self._known]) or any(each.is_in(text) for each in self._followed()):
                        continue
                    begin = bytes_at(text, 0, BEGIN)
                if not head_of(begin[:HEAD], True) or begin in begins:
                    continue
                begins.add(begin)  # the part and its gz
                self._follow(part, LogPosition(part.device, part.inode, seen=part.changed))
                _LOG.info("%s was rotated meanwhile; it is read first", printable(part.path))


def unread_of(source: str, position: str | None) -> int | None:
    """The bytes that are not read of the log of this name at its kept ``position``; None for another source, or where the log is not
    there."""
    log = source.removeprefix("tail:")
    return behind(log, position) if log != source and position else None


def _text_of(part: LogPart) -> BinaryIO:
    file = open_file(part.path)
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if part.packed else file


def _identity(of: LogPosition | LogPart) -> tuple[int, int]:
    return of.device, of.inode


def _lies_in(status: os.stat_result, position: LogPosition) -> LogPosition:
    """``position`` in another file: a copy of the log, or the original of a copy."""
    return msgspec.structs.replace(position, device=status.st_dev, inode=status.st_ino)


# What the source says of itself


def _address(text: str) -> SourceUrl:
    path, _, options = text[len("tail:") :].partition("?")
    if path.startswith("//"):
        path = path[2:]
    if not path or path.endswith("/") or "*" in path:
        raise SourceUrlError(f"--input {text}: names no file; a growing log is given as tail:PATH, as {SPEC.example}")
    path = os.path.abspath(on_disk(path))
    if os.path.exists(path):
        try:
            status_of(path)
        except OSError as error:
            raise SourceUrlError(f"--input {text}: {error.strerror}; name the log that grows") from None
    return SourceUrl("tail", f"tail:{printable(path)}", (), printable(path), dict(parse_qsl(options, keep_blank_values=True)))


def _check(url: SourceUrl) -> object:
    return read_options(url, OPTIONS)


def _open(url: SourceUrl, _worker: str, position: str | None) -> Source:
    return Tail(on_disk(url.path), position, watch=read_options(url, OPTIONS)["watch"])


SPEC = SourceSpec(
    name="a log that grows",
    what="a log that grows",
    schemes=("tail:",),
    form="tail:PATH",
    example="tail:/var/log/tracking.log",
    sharing=Sharing(False, "one"),
    engines={LOCAL: OnEngine()},
    options=OPTIONS,
    stream=Stream(_address, _open, _check, behind_in="bytes"),
)
