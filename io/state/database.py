"""The state database: opening it, its owner's lock, transactions and reads. Safe for threads; other processes share it (WAL)."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from edx2lrs.io.state.errors import StateInUse, StateUnusable, named_faults
from edx2lrs.io.state.schema import APPLICATION_ID, TABLES, UPGRADES, VERSION

FILE_NAME = "state.db"
LOCK_NAME = "owner.lock"
TURN_NAME = "writer.lock"
_BUSY_SECONDS = 60.0
_CHECKPOINT_PAGES = 4_000  # 16 MB: a wave's pages are written back in a few large steps
_WAL_BYTES = 64_000_000  # a longer log is cut back to this
_CACHE_KIB = 8_000

Sync = Literal["FULL", "NORMAL"]
"""FULL: on disk when the transaction ends. NORMAL: survives a killed process at once, a power cut from the next FULL on."""


class Database:
    """One process's view of a state directory. Transactions of this process take turns; reads never wait for them."""

    def __init__(self, folder: Path, lock: IO[str] | None, read_only: bool = False) -> None:
        self.folder = folder
        self._lock = lock
        turn = os.devnull if read_only else folder / TURN_NAME
        self._turn = open(turn, "a")  # noqa: SIM115 - processes queue for it; SQLite would have them poll
        connect = _look if read_only else _connect
        self._writer = connect(folder)
        self._writing = threading.Lock()
        self._reader = connect(folder)
        self._reading = threading.Lock()

    @contextmanager
    def transaction(self, sync: Sync) -> Iterator[sqlite3.Connection]:
        """A write transaction (BEGIN IMMEDIATE), rolled back when the body raises. Raises ``StateFault``."""
        with self._writing, named_faults(self.folder):
            connection = self._writer
            connection.execute(f"PRAGMA synchronous = {sync}")
            fcntl.flock(self._turn, fcntl.LOCK_EX)
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite has rolled back by itself after a full disk
                    connection.execute("ROLLBACK")
                raise
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    def rows(self, sql: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT on what is committed. Raises ``StateFault``."""
        with self._reading, named_faults(self.folder):
            return self._reader.execute(sql, arguments).fetchall()

    @property
    def identity(self) -> str:
        """What tells this database from all others."""
        return str(self.rows("SELECT value FROM meta WHERE name = 'identity'")[0][0])

    def close(self) -> None:
        with self._reading, self._writing:
            self._reader.close()
            self._writer.close()
            self._turn.close()
            if self._lock is not None:
                self._lock.close()
                self._lock = None


def own(folder: Path, create: bool) -> Database:
    """Open ``folder`` as its only owner; ``create``: also one that is new. Raises ``StateInUse``, ``StateUnusable``, ``StateFault``."""
    with named_faults(folder):
        if not create and not (folder / FILE_NAME).exists():
            raise StateUnusable(f"state directory {folder}: there is no {FILE_NAME} in it; name the --state of an earlier run")
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder)
        try:
            _prepare(folder)
            return Database(folder, lock)
        except BaseException:
            lock.close()
            raise


def join(folder: Path) -> Database:
    """Open ``folder`` beside its owner, who has made it. Raises ``StateUnusable`` or ``StateFault``."""
    with named_faults(folder):
        if not (folder / FILE_NAME).exists():
            raise StateUnusable(f"state directory {folder}: there is no {FILE_NAME} in it; name the --state of a run")
        _check_version(folder)
        return Database(folder, None)


def look(folder: Path) -> Database:
    """Open ``folder`` to read it, beside an owner or without one: no lock, and its database stays as it is. Raises ``StateUnusable``
    or ``StateFault``."""
    with named_faults(folder):
        if not (folder / FILE_NAME).exists():
            raise StateUnusable(f"state directory {folder}: there is no {FILE_NAME} in it; name the --state of a run")
        _check_version(folder, _look)
        return Database(folder, None, read_only=True)


def copy(folder: Path, to: Path) -> None:
    """Copy the database of ``folder``, as it is at this moment, into the folder ``to``. Raises ``StateUnusable`` or ``StateFault``."""
    with named_faults(folder):
        _check_version(folder, _look)
        with closing(_look(folder)) as source, closing(sqlite3.connect(to / FILE_NAME)) as target:
            source.backup(target)


def _look(folder: Path) -> sqlite3.Connection:
    """A connection that cannot write. Without a write-ahead log nobody has the database open: then not even a log is made."""
    path = (folder / FILE_NAME).absolute()
    how = "mode=ro" if path.with_name(f"{FILE_NAME}-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _locked(folder: Path) -> IO[str]:
    lock = open(folder / LOCK_NAME, "a+", encoding="ascii")  # noqa: SIM115 - stays open as long as the lock is held
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StateInUse(
            f"state directory {folder}: in use by process {owner}; wait for it, stop it, or choose another --state"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _connect(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        folder / FILE_NAME, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    return connection


def _check_version(folder: Path, connect: Callable[[Path], sqlite3.Connection] | None = None) -> int:
    """The version of the database, 0 when it is empty."""
    with closing((connect or _connect)(folder)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if tables and application != APPLICATION_ID:
        raise StateUnusable(f"state directory {folder}: its {FILE_NAME} was not written by edx2lrs; choose another --state")
    if version > VERSION:
        raise StateUnusable(
            f"state directory {folder}: written by a newer edx2lrs (state version {version}, here {VERSION}); "
            "install that version, or choose another --state"
        )
    return version


def _prepare(folder: Path) -> None:
    found = _check_version(folder)
    if found == VERSION:
        return
    with closing(_connect(folder)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        missing = "".join(UPGRADES[version] for version in range(found or 1, VERSION))
        # one transaction: a kill leaves an empty database or a whole one, of the version before or of this one
        connection.executescript(
            f"BEGIN IMMEDIATE; {missing if found else TABLES + missing}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        )
