"""A copy of what a consumer has accepted: JSON lines in files that rotate, on this machine or shipped to an object store."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO, NamedTuple

from edx2lrs.io.paths import is_remote, make_private_folder, open_private, write_bytes
from edx2lrs.transforms.config_types import Consumer

FOLDER = "statement-logs"
"""Of the state directory."""
_NAMES = {"xapi": "xapi_tracking", "caliper": "caliper_tracking"}  # as event-routing-backends calls its loggers
_LOG = logging.getLogger("edx2lrs")


class Rotation(NamedTuple):
    """When a file is full: by its bytes, or (what is shipped) by its age in seconds."""

    bytes: int = 100_000_000
    shipped_bytes: int = 16_000_000
    shipped_after: float = 60.0


_ROTATION = Rotation()


class StatementLog:
    """The log of one consumer; for any thread. A fault of it is told and delays nobody: what was delivered stays delivered.

    The file ``<protocol>_tracking.jsonl`` is written to; one that is full gets the time into its name. For an object store
    (``consumer.log``) such files are compressed, copied whole and removed; those that a kill left in ``folder`` go with the next."""

    def __init__(self, consumer: Consumer, folder: Path, rotation: Rotation = _ROTATION) -> None:
        place = consumer.log if isinstance(consumer.log, str) else None
        self._consumer = consumer.name
        self._destination = f"{place.rstrip('/')}/{consumer.name}" if place and is_remote(place) else None
        self._folder = (Path(place) if place and self._destination is None else folder) / consumer.name
        self._name = _NAMES[consumer.protocol]
        self._rotation = rotation
        self._file: BinaryIO | None = None
        self._since = 0.0
        self._users = 0
        self._fault = ""
        self._lock = threading.Lock()
        self._shipping = threading.Lock()

    def use(self) -> StatementLog:
        """A further writer begins; the writer calls ``close`` at its end."""
        with self._lock:
            self._users += 1
        return self

    def write(self, lines: bytes) -> None:
        try:
            with self._lock:
                file = self._opened()
                file.write(lines + b"\n")
                file.flush()
                full = self._is_full(file.tell())
                if full:
                    self._rotate()
            if full and self._destination is not None:
                self._ship()
        except OSError as error:
            self._tell(error)

    def close(self) -> None:
        """The last writer closes the file, and ships the files that are to be shipped."""
        try:
            with self._lock:
                self._users -= 1
                if self._users:
                    return
                if self._destination is None:
                    self._close_file()
                else:
                    self._rotate()
            if self._destination is not None:
                self._ship()
        except OSError as error:
            self._tell(error)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            make_private_folder(str(self._folder))
            path = self._folder / f"{self._name}.jsonl"
            file = open(path, "ab+", opener=open_private)  # noqa: SIM115 (closed by close)
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":  # the process was killed
                    file.write(b"\n")
            self._file, self._since = file, time.monotonic()
        return self._file

    def _is_full(self, size: int) -> bool:
        if self._destination is None:
            return size >= self._rotation.bytes
        return size >= self._rotation.shipped_bytes or time.monotonic() - self._since >= self._rotation.shipped_after

    def _rotate(self) -> None:
        self._close_file()
        path = self._folder / f"{self._name}.jsonl"
        if path.exists():
            path.rename(self._folder / f"{self._name}-{datetime.now(timezone.utc):%Y%m%dT%H%M%S.%fZ}.jsonl")

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _ship(self) -> None:
        with self._shipping:
            for path in sorted(self._folder.glob(f"{self._name}-*.jsonl")):
                write_bytes(f"{self._destination}/{path.name}.gz", gzip.compress(path.read_bytes()), private=True)
                path.unlink()
        self._fault = ""

    def _tell(self, error: OSError) -> None:
        """Reports each kind of error once."""
        fault = error.strerror or type(error).__name__
        if fault != self._fault:
            _LOG.warning("consumer %s: its statement log cannot be written: %s", self._consumer, fault)
        self._fault = fault
