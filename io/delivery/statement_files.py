"""A consumer without an LRS: finished statements or events as JSON lines, a file for each batch, or on standard output."""

from __future__ import annotations

import gzip
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from edx2lrs.io.delivery.decision import Answer
from edx2lrs.io.paths import write_bytes
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.formats.printable import printable_lines

_PLACE = re.compile(r"(file|s3|gs|stdout):")
_SUFFIX = re.compile(r"(\.[A-Za-z0-9]+)?(\.gz)?\Z")
_GZIP_LEVEL = 6


def is_place(url: str) -> bool:
    """Whether a consumer's ``url`` names files or standard output, and not an address of HTTP."""
    return _PLACE.match(url) is not None


class Naming(NamedTuple):
    """The folder of the files, and the beginning and the end of their names."""

    folder: str
    stem: str
    suffix: str

    def path(self, content: bytes, when: datetime) -> str:
        """The path of the file of ``content``: names sort by time, and no two contents have one name."""
        stamp = when.strftime("%Y%m%dT%H%M%S.%fZ")
        return f"{self.folder}/{self.stem}-{stamp}-{hash8(content).hex()[:8]}{self.suffix}"


def naming(url: str, consumer: str) -> Naming:
    """How files of ``url`` are named: a last part with a dot in it names them, else it is their folder."""
    place = unquote(urlsplit(url).path) if url.startswith("file:") else url
    folder, _, name = place.rpartition("/")
    if "." not in name:
        return Naming(place.rstrip("/"), consumer, ".jsonl")
    suffix = _SUFFIX.search(name)
    assert suffix is not None
    return Naming(folder, name[: suffix.start()] or consumer, suffix[0])


class StatementFiles:
    """Writes each batch as a file of its own, whole or not at all: local ones are on disk under another name before they get
    theirs, object stores take whole objects. A batch may come again in another file, after a kill."""

    def __init__(self, consumer: Consumer) -> None:
        self._naming = naming(consumer.url, consumer.name)

    def post(self, lines: bytes) -> Answer:
        """Write ``lines``, a statement each; a fault of the file system is an answer too."""
        return _answer_to(self._write, lines)

    def _write(self, lines: bytes) -> None:
        path = self._naming.path(lines, datetime.now(timezone.utc))
        if path.endswith(".gz"):
            write_bytes(path, gzip.compress(lines + b"\n", _GZIP_LEVEL, mtime=0))
        else:
            write_bytes(path, lines, b"\n")

    def close(self) -> None:
        """Nothing is open."""


_one_writes = threading.Lock()  # a pipe takes parts of several large writes in turns


class StandardOutput:
    """Writes each batch on the standard output of the process, lines of other batches before or after it."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        """``stream``: instead of it."""
        self._stream = stream or _standard_output()
        self._is_terminal = self._stream.isatty()

    def post(self, lines: bytes) -> Answer:
        """Write ``lines``, a statement each; a reader that has gone is an answer too."""
        return _answer_to(self._write, lines)

    def _write(self, lines: bytes) -> None:
        if self._is_terminal:  # which obeys signs that JSON does not have to escape
            lines = printable_lines(lines.decode(errors="backslashreplace")).encode()
        with _one_writes:
            left = memoryview(lines + b"\n")
            while left:  # an unbuffered stream (PYTHONUNBUFFERED) may take a part
                left = left[self._stream.write(left) :]
            self._stream.flush()

    def close(self) -> None:
        """Standard output stays open."""


def _standard_output() -> BinaryIO:
    assert sys.__stdout__ is not None, "the process was started without a standard output"
    return cast(BinaryIO, sys.__stdout__.buffer)  # sys.stdout is for persons


def _answer_to(write: Callable[[bytes], None], lines: bytes) -> Answer:
    started = time.monotonic()
    try:
        write(lines)
    except OSError as error:
        return Answer(error="unwritable", detail=error.strerror or type(error).__name__, seconds=time.monotonic() - started)
    return Answer(200, seconds=time.monotonic() - started)
