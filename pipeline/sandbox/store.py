"""What the sandbox keeps: statements and events for each consumer, and counts, in one SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal, NamedTuple

from edx2lrs.io.paths import make_private_folder, open_private
from edx2lrs.transforms.config_types import Protocol

Count = Literal["stored", "repeats", "requests", "refused", "faults"]

APPLICATION_ID = 0x6C72_7362  # "lrsb" in the file's header: a database of another program is never written to
VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS consumers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, protocol TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY, consumer INTEGER NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL, verb TEXT NOT NULL,
    stored TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (consumer, id));
CREATE INDEX IF NOT EXISTS records_by_consumer ON records (consumer);
CREATE TABLE IF NOT EXISTS counts (
    consumer INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (consumer, kind, detail)) WITHOUT ROWID;
"""


class StoreError(Exception):
    """The database cannot be used; the text says why and what to do."""


class WrongProtocolError(Exception):
    """The consumer's name belongs to the other protocol; the exception's text names this protocol."""


class StatementConflictError(Exception):
    """An id is there already with another body; the exception's text is the id."""


class Arrival(NamedTuple):
    """A valid statement or event, not stored yet. ``digest`` is equal for two bodies that count as the same; ``verb``
    is the verb's IRI or Caliper's action."""

    id: str
    digest: bytes
    verb: str
    body: bytes


class StoredStatement(NamedTuple):
    """What is stored. ``number`` grows in the order of arrival; ``stored`` is UTC with six digits of fraction."""

    number: int
    id: str
    stored: str
    body: bytes


class Store:
    """The database at ``path``, for many threads: one connection, one lock.

    What is committed survives a kill of the process, not a power cut. Raises StoreError when the file is not a database
    of this program and version, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            make_private_folder(str(path.parent))
            os.close(open_private(str(path), os.O_WRONLY | os.O_CREAT))  # before SQLite makes it
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            reason = "in use by another program" if "locked" in str(error) else error
            raise StoreError(f"{path}: {reason}; give --db another file, which can be written to") from error

    def _prepare(self, path: Path) -> None:
        # no second program may write; and there is no shared-memory file, whose loss would end this program
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        application, version, tables = self._connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if tables and (application, version) != (APPLICATION_ID, VERSION):
            self._connection.close()
            raise StoreError(f"{path}: not a database of this version's sandbox; give --db another file")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {VERSION}")
        self._connection.executescript(_SCHEMA)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def keep(self, name: str, protocol: Protocol, arrivals: Sequence[Arrival], *, immutable: bool) -> list[str]:
        """Stores the arrivals with new ids, all or none, and returns the new ids in the order of arrival.

        An id that is stored already, or comes twice, is a repeat; the stored body stays. With ``immutable``, a repeat with another
        digest raises ConflictError, and nothing is stored. Raises WrongProtocolError.
        """
        with self._transaction() as connection:
            stored = datetime.now(timezone.utc).isoformat(timespec="microseconds")
            consumer = _consumer(connection, name, protocol)
            known: dict[str, bytes] = dict(
                connection.execute(
                    "SELECT id, digest FROM records WHERE consumer = ? AND id IN (SELECT value FROM json_each(?))",
                    (consumer, json.dumps([arrival.id for arrival in arrivals])),
                )
            )
            new: dict[str, Arrival] = {}
            for arrival in arrivals:
                digest = known.setdefault(arrival.id, arrival.digest)
                if digest is arrival.digest:
                    new[arrival.id] = arrival
                elif immutable and digest != arrival.digest:
                    raise StatementConflictError(arrival.id)
            connection.executemany(
                "INSERT INTO records (consumer, id, digest, verb, stored, body) VALUES (?, ?, ?, ?, ?, ?)",
                [(consumer, a.id, a.digest, a.verb, stored, a.body) for a in new.values()],
            )
            _add(connection, consumer, "stored", "", len(new))
            _add(connection, consumer, "repeats", "", len(arrivals) - len(new))
        return list(new)

    def count(self, name: str, protocol: Protocol, kind: Count, detail: str = "") -> None:
        """Adds 1 to the count of ``kind`` for the consumer. Makes the consumer if needed. Raises WrongProtocolError."""
        with self._transaction() as connection:
            _add(connection, _consumer(connection, name, protocol), kind, detail, 1)

    def counts(self) -> dict[str, dict[str, Any]]:
        """Per consumer, by name: protocol, stored, repeats, requests; refused (by HTTP status) and faults (by kind)."""
        found: dict[str, dict[str, Any]] = {
            name: {"protocol": protocol, "stored": 0, "repeats": 0, "requests": 0, "refused": {}, "faults": {}}
            for name, protocol in self._rows("SELECT name, protocol FROM consumers ORDER BY name")
        }
        for name, kind, detail, n in self._rows(
            "SELECT name, kind, detail, n FROM counts JOIN consumers ON id = consumer ORDER BY kind, detail"
        ):
            counts = found.get(name)
            if counts is None:  # created between the two queries
                continue
            if detail:
                counts[kind][detail] = n
            else:
                counts[kind] = n
        return found

    def get(self, name: str, record_id: str) -> StoredStatement | None:
        rows = self._rows(
            "SELECT number, id, stored, body FROM records WHERE consumer = (SELECT id FROM consumers WHERE name = ?) AND id = ?",
            name,
            record_id,
        )
        return StoredStatement(*rows[0]) if rows else None

    def find(
        self, name: str, limit: int, *, ascending: bool = False, cursor: int | None = None,
        since: str = "", until: str = "9999", verb: str | None = None,
    ) -> list[StoredStatement]:
        """At most ``limit`` records, newest first or oldest first, after the record with the number ``cursor`` in this direction.
        ``since`` (exclusive) and ``until`` (inclusive) are compared with ``stored`` and have its form."""
        direction, beyond = ("ASC", ">") if ascending else ("DESC", "<")
        rows = self._rows(
            # only the two constants above become part of the query's text
            "SELECT number, id, stored, body FROM records"  # noqa: S608
            " WHERE consumer = (SELECT id FROM consumers WHERE name = ?)"
            f" AND (? IS NULL OR number {beyond} ?) AND stored > ? AND stored <= ? AND (? IS NULL OR verb = ?)"
            f" ORDER BY number {direction} LIMIT ?",
            *(name, cursor, cursor, since, until, verb, verb, limit),
        )
        return [StoredStatement(*row) for row in rows]


def _consumer(connection: sqlite3.Connection, name: str, protocol: Protocol) -> int:
    connection.execute("INSERT OR IGNORE INTO consumers (name, protocol) VALUES (?, ?)", (name, protocol))
    number, theirs = connection.execute("SELECT id, protocol FROM consumers WHERE name = ?", (name,)).fetchone()
    if theirs != protocol:
        raise WrongProtocolError(theirs)
    return int(number)


def _add(connection: sqlite3.Connection, consumer: int, kind: Count, detail: str, n: int) -> None:
    connection.execute(
        "INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n", (consumer, kind, detail, n)
    )
