"""The state database: opening it, its owner's lock, transactions and reads. Safe for threads; other processes share it (WAL)."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from edx2lrs.io.paths import make_private_folder, open_private
from edx2lrs.io.state.errors import StateGone, StateInUse, StateUnusable, named_faults
from edx2lrs.io.state.integrity import FILE_NAME, check_not_lost, check_values, check_version
from edx2lrs.io.state.schema import APPLICATION_ID, TABLES, UPGRADES, VERSION
from edx2lrs.io.state.seals import add_functions

LOCK_NAME = "owner.lock"
TURN_NAME = "writer.lock"
_MADE = "the directory has a state\n"
_LOG = logging.getLogger("edx2lrs.state")
_BUSY_SECONDS = 60.0
_CHECKPOINT_PAGES = 4_000  # 16 MB: a wave's pages are written back in a few large steps
_WAL_BYTES = 64_000_000  # a longer log is cut back to this
_CACHE_KIB = 8_000

Sync = Literal["FULL", "NORMAL"]
"""FULL: on disk when the transaction ends. NORMAL: survives a killed process at once, a power cut from the next FULL on."""


class Database:
    """One process's view of a state directory. Transactions of this process take turns; reads never wait for them."""

    def __init__(self, folder: Path, locks: ExitStack, read_only: bool = False) -> None:
        self.folder = folder
        self._locks = locks
        turn = os.devnull if read_only else folder / TURN_NAME
        self._turn = open(turn, "a", opener=open_private)  # noqa: SIM115 - processes queue for it; SQLite would have them poll
        self._file = os.stat(folder / FILE_NAME)
        connect = _look if read_only else _connect
        self._writer = connect(folder)
        self._writing = threading.Lock()
        self._reader = connect(folder)
        self._reading = threading.Lock()

    @contextmanager
    def transaction(self, sync: Sync) -> Iterator[sqlite3.Connection]:
        """A write transaction (BEGIN IMMEDIATE), rolled back when the body raises. Raises ``StateFault``."""
        with self._writing, named_faults(self.folder):
            self.check_in_place()
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

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for reads, for this thread alone inside. Raises ``StateFault``."""
        with self._reading, named_faults(self.folder):
            yield self._reader

    def rows(self, sql: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT on what is committed. Raises ``StateFault``."""
        with self._reading, named_faults(self.folder):
            return self._reader.execute(sql, arguments).fetchall()

    def check_in_place(self) -> None:
        """Raise ``StateGone`` when the database is no longer where it was opened: what is kept from then on would be lost."""
        try:
            there = os.path.samestat(os.stat(self.folder / FILE_NAME), self._file)
        except OSError:
            there = False
        if not there:
            raise StateGone(
                f"state directory {self.folder}: its {FILE_NAME} was removed or replaced while the job ran; restore the directory from"
                " a copy, or start with a new one (what waited here is then lost)"
            )

    @property
    def identity(self) -> str:
        """What tells this database from all others."""
        return str(self.rows("SELECT value FROM meta WHERE name = 'identity'")[0][0])

    def close(self) -> None:
        with self._reading, self._writing:
            self._reader.close()
            self._writer.close()
            self._turn.close()
            self._locks.close()


def own(folder: Path, create: bool) -> Database:
    """Open ``folder`` as its only owner; ``create``: also one that is new. Raises ``StateInUse``, ``StateUnusable``, ``StateFault``."""
    with named_faults(folder):
        if not create:
            _check_is_there(folder, "an earlier run")
        make_private_folder(str(folder))
        with ExitStack() as opened:
            directory = os.open(folder, os.O_RDONLY)
            opened.callback(os.close, directory)
            lock = opened.enter_context(open(folder / LOCK_NAME, "a+", encoding="ascii", errors="replace", opener=open_private))
            before = _locked(folder, directory, lock)
            check_not_lost(folder, _MADE in before)
            _prepare(folder)
            lock.write(_MADE)
            lock.flush()
            return Database(folder, opened.pop_all())


def join(folder: Path) -> Database:
    """Open ``folder`` beside its owner, who has made it. Raises ``StateUnusable`` or ``StateFault``."""
    with named_faults(folder):
        _checked_version(folder, _connect)
        return Database(folder, ExitStack())


def look(folder: Path) -> Database:
    """Open ``folder`` to read it, beside an owner or without one: no lock, and its database stays as it is. Raises ``StateUnusable``
    or ``StateFault``."""
    with named_faults(folder):
        version = _checked_version(folder, _look)
        if version != VERSION:
            raise StateUnusable(
                f"state directory {folder}: written by an older edx2lrs (state version {version}, here {VERSION}); "
                "`edx2lrs run` or `edx2lrs deliver` takes it over"
            )
        return Database(folder, ExitStack(), read_only=True)


def copy(folder: Path, to: Path) -> None:
    """Copy the database of ``folder``, as it is at this moment, into the folder ``to``. Raises ``StateUnusable`` or ``StateFault``."""
    with named_faults(folder):
        _checked_version(folder, _look)
        open(to / FILE_NAME, "xb", opener=open_private).close()  # SQLite itself would make it as the umask says
        with closing(_look(folder)) as source, closing(sqlite3.connect(to / FILE_NAME)) as target:
            source.backup(target)


def _look(folder: Path) -> sqlite3.Connection:
    """A connection that cannot write. Without a write-ahead log nobody has the database open: then not even a log is made."""
    path = (folder / FILE_NAME).absolute()
    how = "mode=ro" if path.with_name(f"{FILE_NAME}-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _checked_version(folder: Path, connect: Callable[[Path], sqlite3.Connection]) -> int:
    """The version of the database, which has to be there."""
    _check_is_there(folder, "a run")
    check_not_lost(folder, True)
    with closing(connect(folder)) as connection:
        return check_version(connection, folder)


def _check_is_there(folder: Path, whose: str) -> None:
    if not (folder / FILE_NAME).exists():
        lock = folder / LOCK_NAME
        check_not_lost(folder, lock.exists() and _MADE in lock.read_text("ascii", "replace"))
        raise StateUnusable(f"state directory {folder}: there is no {FILE_NAME} in it; name the --state of {whose}")


def owner_of(folder: Path) -> int | None:
    """The process that owns ``folder``, told without a lock; None: nobody owns it. Where the system does not list its locks: the
    process that owned it last, if it lives."""
    try:
        pid = int((folder / LOCK_NAME).read_text(encoding="ascii").split()[0])
        if os.path.exists("/proc/locks"):
            inode = f":{os.stat(folder / LOCK_NAME).st_ino}"
            lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
            return pid if any(inode == word[word.rfind(":"):] for line in lines for word in line.split()[5:6]) else None
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return None
    return pid


def _locked(folder: Path, directory: int, lock: IO[str]) -> str:
    """Locks the directory itself, which nobody removes by mistake, and the file, which names the owner; gives what the file held."""
    lock.seek(0)
    before = lock.read()
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = (before.split() or ["unknown"])[0]
        raise StateInUse(
            f"state directory {folder}: in use by process {owner}; wait for it, stop it, or choose another --state"
        ) from None
    lock.seek(0)
    before = lock.read()
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n{_MADE if _MADE in before else ''}")
    lock.flush()
    return before


def _connect(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        folder / FILE_NAME, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    return connection


def _prepare(folder: Path) -> None:
    """Make the tables that are missing, and look at the values of all."""
    path = folder / FILE_NAME
    if not path.exists():
        os.close(open_private(str(path), os.O_WRONLY | os.O_CREAT))  # SQLite gives its other files the same mode
    elif path.stat().st_mode & 0o077:
        _LOG.warning("state directory %s: others may read it, and it holds statements; run: chmod -R go= %s", folder, folder)
    with closing(_connect(folder)) as connection:
        found = check_version(connection, folder)
        if found != VERSION:
            connection.execute("PRAGMA journal_mode = WAL")
            add_functions(connection)
            missing = "".join(UPGRADES[version] for version in range(found or 1, VERSION))
            # one transaction: a kill leaves an empty database or a whole one, of the version before or of this one
            connection.executescript(
                f"BEGIN IMMEDIATE; {missing if found else TABLES + missing}"
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
            )
        check_values(connection, folder)
