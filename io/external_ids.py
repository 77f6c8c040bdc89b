"""Opens the table of external ids as a database, which is made once for each version of the table and then shared by all processes
of the machine.

The database of a small table is made in memory. The database of a large one is a file in a cache folder of this user alone:
``$XDG_CACHE_HOME/edx2lrs``, ``~/.cache/edx2lrs``, or ``edx2lrs-<number of the user>`` in the folder for temporary files, the first
that can be written. A file that turns out to be damaged is removed, and the database is made again."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

from edx2lrs.io.external_ids_database import FORMAT, ConflictError, ExternalIdTable, in_memory, opened_file, write_file
from edx2lrs.io.paths import file_systems, is_remote
from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.tables import ExternalIdRow, TableError, external_id_rows, table_row

SMALL = 256 * 1024
"""Bytes of a table whose database is made in memory, by each process: some hundredths of a second."""
_LOOK_AGAIN = 0.2  # seconds, while another process makes the database
_READINGS = 3
_LOG = logging.getLogger("edx2lrs.tables")
_Made = TypeVar("_Made")


class Version(NamedTuple):
    """Which content a table has: its size in bytes, and its size and time of change (of an object store: and checksum)."""

    size: int
    text: str


class _ChangedError(Exception):
    """The table is not the one any more that was begun with."""


def version_of(path: str) -> Version:
    """The version of a table that lies at ``path`` now. Raises TableError."""
    try:
        if not is_remote(path):
            found = os.stat(path)
            return Version(found.st_size, f"{found.st_size} {found.st_mtime_ns}")
        (metadata,) = file_systems().match([path])[0].metadata_list
        checksum = ""
        with contextlib.suppress(Exception):  # not every file system has one
            checksum = str(file_systems().checksum(path))
        return Version(metadata.size_in_bytes, f"{metadata.size_in_bytes} {metadata.last_updated_in_seconds} {checksum}")
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception as error:  # a file system of Beam raises what it likes
        raise TableError(f"{path}: cannot be read: {str(error).splitlines()[0][:200] or type(error).__name__}") from None


def open_external_ids(path: str, emails: bool, on_progress: OnProgress = silent, patient: bool = True) -> ExternalIdTable | None:
    """The table at ``path``, with e-mail addresses if ``emails``. Its database is made now unless it has been; ``on_progress`` is told
    how far that is. While another process makes it, this process waits; if not ``patient``, it gets None. Raises TableError."""
    for _ in range(_READINGS):
        version = version_of(path)
        with contextlib.suppress(_ChangedError):
            if version.size <= SMALL:
                return _made(path, version, emails, in_memory)
            folder = _cache_folder(path)
            try:
                return _open_large(path, version, emails, folder, on_progress, patient)
            except (OSError, sqlite3.Error) as error:
                raise TableError(
                    f"{path}: its compiled form cannot be written to {folder}: {getattr(error, 'strerror', None) or error};"
                    " XDG_CACHE_HOME names another place for it, SQLITE_TMPDIR another to sort in"
                ) from None
    raise TableError(f"{path}: changed each time while it was read; write it elsewhere and rename it")


def _open_large(
    path: str, version: Version, emails: bool, folder: Path, on_progress: OnProgress, patient: bool
) -> ExternalIdTable | None:
    source = sha256(os.path.realpath(path).encode() if not is_remote(path) else path.encode()).hexdigest()[:16]
    content = f"{source}-{sha256(f'{FORMAT} {version.text}'.encode()).hexdigest()[:16]}-"
    name = f"{content}{'email-' if emails else ''}"
    found = _found(path, emails, folder, name)
    if found is not None:
        return found
    with (folder / f"{source}.lock").open("a") as lock:  # which is held until the file is closed
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not patient:
                    return None
            on_progress("another process compiles it; waiting")
            time.sleep(_LOOK_AGAIN)
        found = _found(path, emails, folder, name)
        if found is not None:
            return found
        part = folder / f"{source}.part"
        part.unlink(missing_ok=True)
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))
            _made(path, version, emails, partial(write_file, part, on_progress=on_progress))
            with part.open("rb") as file:
                os.fsync(file.fileno())
            # Another name each time: who finds one file damaged does not remove the file that another process has made since.
            part.replace(folder / f"{name}{os.urandom(8).hex()}")
        finally:
            part.unlink(missing_ok=True)
        for old in folder.glob(f"{source}-*"):
            if not old.name.startswith(content):
                old.unlink(missing_ok=True)  # who has it open goes on with it
        return _found(path, emails, folder, name)


def _found(path: str, emails: bool, folder: Path, name: str) -> ExternalIdTable | None:
    """The first database that can be opened; others go. None when there is none."""
    for file in folder.glob(f"{name}*"):
        try:
            return opened_file(file, partial(_made_anew, path, emails, file))
        except (OSError, sqlite3.Error):
            file.unlink(missing_ok=True)
    return None


def _made_anew(path: str, emails: bool, damaged: Path) -> ExternalIdTable:
    _LOG.warning("%s: its compiled form %s is damaged; it is compiled again", path, damaged)
    damaged.unlink(missing_ok=True)
    table = open_external_ids(path, emails)
    assert table is not None  # since it waits
    return table


def _made(path: str, version: Version, emails: bool, make: Callable[[Iterator[tuple[int, ExternalIdRow]]], _Made]) -> _Made:
    """What ``make`` makes of the table's numbered rows. Raises TableError; _ChangedError when the table has another version now."""

    def rows() -> Iterator[tuple[int, ExternalIdRow]]:
        yield from external_id_rows(path, emails)
        if version_of(path) != version:
            raise _ChangedError

    try:
        return make(rows())
    except ConflictError as conflict:
        another = "this name to another user" if conflict.column == "username" else "this user another"
        place = table_row(path, conflict.number)
        raise TableError(f"{place}, column {conflict.column}: another row gives {another}") from None


def _cache_folder(path: str) -> Path:
    import tempfile  # with all that it imports, only where a table is large

    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folders = [Path(home) / "edx2lrs"]
    with contextlib.suppress(FileNotFoundError):  # nothing can be written there
        folders.append(Path(tempfile.gettempdir()) / f"edx2lrs-{os.getuid()}")
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
            # Who could write there could make anybody anybody else.
            if found.st_uid == os.getuid() and not found.st_mode & 0o022 and os.access(folder, os.W_OK | os.X_OK):
                return folder
    tried = " nor ".join(map(str, folders))
    raise TableError(f"{path}: no folder for its compiled form, neither {tried}; set XDG_CACHE_HOME to a folder that can be written")
