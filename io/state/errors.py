"""Errors of a state directory. The messages name the directory, what was found, and the fix."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StateError(Exception):
    """Base of all faults of a state directory; its text is for a person."""


class StateInUse(StateError):
    """Another job owns the directory (exit code 2)."""


class StateUnusable(StateError):
    """The directory is no state directory, or the state directory of a newer edx2lrs (exit code 2)."""


class StateFault(StateError):
    """The directory cannot be read or written: full disk, no rights, damaged (exit code 3). Everything that was kept before stays
    in the directory."""


class StateGone(StateFault):
    """The directory, or its database, was removed or replaced while the job ran (exit code 3): trying again is of no use."""


class DeadLettersFault(StateError):
    """The dead letters' folder cannot be written; the letters stay in the state directory (exit code 3)."""


class StaleWave(StateError):
    """The wave does not start where the state says; no part of the wave was kept. Another worker was faster, or the wave was kept
    already."""


_FULL = "the disk is full; free some space and run again, nothing that was kept is lost"
_READ_ONLY = "it cannot be written; give this user the right to write there, or choose another --state"
DAMAGED = "its database is damaged; restore the directory from a copy, or start with a new one (what waits here is then lost)"
_BUSY = "another process kept it locked for a minute; end that process and run again"

# parts of SQLite's messages: Python 3.10 does not give the error's code
_BY_MESSAGE = (
    ("is full", _FULL),
    ("readonly", _READ_ONLY),
    ("unable to open", _READ_ONLY),
    ("malformed", DAMAGED),
    ("not a database", DAMAGED),
    ("decode to UTF-8", DAMAGED),
    ("is locked", _BUSY),
)


@contextmanager
def named_faults(folder: Path) -> Iterator[None]:
    """Inside, errors of SQLite and the file system become ``StateFault`` that names ``folder`` and the fix."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.InterfaceError):
        raise  # a fault of this program, not of the directory
    except sqlite3.DatabaseError as error:
        raise StateFault(f"state directory {folder}: {_fix(str(error))}") from error
    except UnicodeDecodeError:  # of SQLite's own message, which quotes what it found
        raise StateFault(f"state directory {folder}: {DAMAGED}") from None
    except OSError as error:
        raise StateFault(f"state directory {folder}: {_os_fix(error)}") from error


def _fix(message: str) -> str:
    for part, fix in _BY_MESSAGE:
        if part in message:
            return fix
    return f"SQLite says: {message}; look at the disk and its mount, then run again"


def _os_fix(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _FULL
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
        return _READ_ONLY
    return f"{error.strerror}; look at the disk and its mount, then run again"
