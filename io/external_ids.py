"""Opens the table of external ids in its compiled form, which is made once for each version of the table and then shared by
all processes of the machine.

A small table is compiled in memory. The form of a large one is a file in a cache folder of this user alone:
``$XDG_CACHE_HOME/edx2lrs``, ``~/.cache/edx2lrs``, or ``edx2lrs-<number of the user>`` in the folder for temporary files, the
first that can be written.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from edx2lrs.io.external_ids_compiler import ConflictError, TooLongError, compile_external_ids
from edx2lrs.io.paths import file_systems, is_remote
from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.tables import TableError, TableRow, external_id_rows
from edx2lrs.transforms.people.external_ids import LONGEST_TEXT, MAGIC, ExternalIdRow, ExternalIds

SMALL = 256 * 1024
"""Bytes of a table that is compiled in memory, by each process: some hundredths of a second."""
_LOOK_AGAIN = 0.2  # seconds, while another process compiles
_READINGS = 3


class Version(NamedTuple):
    """Which content a table has: its size in bytes, and its size and time of change (of an object store: and checksum)."""

    size: int
    text: str


def version_of(path: str) -> Version:
    """The version of a table that lies at ``path`` now. Raises TableError."""
    try:
        if not is_remote(path):
            found = os.stat(path)
            return Version(found.st_size, f"{found.st_size} {found.st_mtime_ns}")
        (metadata,) = file_systems().match([path])[0].metadata_list
        text = f"{metadata.size_in_bytes} {metadata.last_updated_in_seconds} {_checksum(path)}"
        return Version(metadata.size_in_bytes, text)
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception as error:  # a file system of Beam raises what it likes
        raise TableError(f"{path}: cannot be read: {str(error).splitlines()[0][:200] or type(error).__name__}") from None


def open_external_ids(path: str, emails: bool, on_progress: OnProgress = silent, patient: bool = True) -> ExternalIds | None:
    """The table at ``path``, with e-mail addresses if ``emails``; compiled now unless it has been. ``on_progress`` is told how far that
    is. While another process compiles it, this one waits; if not ``patient``, it gets None.

    Raises TableError.
    """
    for _ in range(_READINGS):
        with contextlib.suppress(_ChangedError):
            return _open_version(path, version_of(path), emails, on_progress, patient)
    raise TableError(f"{path}: changed each time while it was read; write it elsewhere and rename it")


class _ChangedError(Exception):
    """The table is not the one any more that was begun with."""


def _open_version(path: str, version: Version, emails: bool, on_progress: OnProgress, patient: bool) -> ExternalIds | None:
    if version.size <= SMALL:
        small = BytesIO()
        _compile(path, version, emails, small, BytesIO, on_progress)
        return ExternalIds(small.getvalue())
    folder = _cache_folder(path)
    source = sha256(os.path.realpath(path).encode() if not is_remote(path) else path.encode()).hexdigest()[:16]
    content = sha256(MAGIC + version.text.encode()).hexdigest()[:16]
    target = folder / f"{source}-{content}{'-email' if emails else ''}"
    usable = [target] if emails else [target, folder / f"{target.name}-email"]
    found = _first(usable)
    if found is not None:
        return found
    try:
        with _turn(folder / f"{source}.lock") as is_mine:
            while not is_mine():
                if not patient:
                    return None
                on_progress("another process compiles it; waiting")
                time.sleep(_LOOK_AGAIN)
            found = _first(usable)
            if found is not None:
                return found
            _write(path, version, emails, target, on_progress)
            for old in folder.glob(f"{source}-*"):
                if not old.name.startswith(f"{source}-{content}"):
                    old.unlink(missing_ok=True)  # who has it open goes on with it
    except OSError as error:
        raise TableError(
            f"{path}: its compiled form cannot be written to {folder}: {error.strerror or error};"
            " XDG_CACHE_HOME names another place"
        ) from None
    return _opened(target)


def _checksum(path: str) -> str:
    try:
        return str(file_systems().checksum(path))
    except Exception:  # not every file system has one
        return ""


def _cache_folder(path: str) -> Path:
    import tempfile  # with all that it imports, only where a table is large

    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    fallback = Path(tempfile.gettempdir()) / f"edx2lrs-{os.getuid()}"
    for folder in (Path(home) / "edx2lrs", fallback):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
            # Who could write there could make anybody anybody else.
            if found.st_uid == os.getuid() and not found.st_mode & 0o022 and os.access(folder, os.W_OK | os.X_OK):
                return folder
    raise TableError(f"{path}: no folder for its compiled form, neither {home}/edx2lrs nor {fallback}; set XDG_CACHE_HOME")


@contextlib.contextmanager
def _turn(lock: Path) -> Iterator[Callable[[], bool]]:
    """One process at a time: gives what asks whether it is this one's turn, which then lasts to the end."""
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)

    def is_mine() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        yield is_mine
    finally:
        os.close(descriptor)


def _first(targets: list[Path]) -> ExternalIds | None:
    return next(filter(None, map(_opened, targets)), None)


def _opened(target: Path) -> ExternalIds | None:
    """None when it is not there, or no compiled table."""
    try:
        with target.open("rb") as file:
            return ExternalIds(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None


def _write(path: str, version: Version, emails: bool, target: Path, on_progress: OnProgress) -> None:
    """Puts the compiled table there in one step, for this user alone."""
    import tempfile

    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    scratch = cast(Callable[[], BinaryIO], partial(tempfile.TemporaryFile, dir=target.parent))
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            _compile(path, version, emails, out, scratch, on_progress)
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _compile(
    path: str, version: Version, emails: bool, out: BinaryIO, scratch: Callable[[], BinaryIO], on_progress: OnProgress
) -> None:
    last = TableRow(path, "line", 0)

    def rows() -> Iterator[tuple[int, ExternalIdRow]]:
        nonlocal last
        for last, row in external_id_rows(path, emails):
            yield last.number, row

    try:
        compile_external_ids(rows(), out, scratch, on_progress)
    except ConflictError as conflict:
        another = "this name to another user" if conflict.column == "username" else "this user another"
        place = last._replace(number=conflict.number)
        raise TableError(f"{place}, column {conflict.column}: another row gives {another}") from None
    except TooLongError as long:
        raise TableError(f"{last}, column {long.column}: found a longer text, expected {LONGEST_TEXT} bytes at most") from None
    if version_of(path) != version:
        raise _ChangedError
