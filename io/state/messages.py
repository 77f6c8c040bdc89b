"""The messages of a stream that were kept, and the messages that were in a wave when its process died.

A message may come again after it was kept, if its acknowledgement was lost, or if the process was killed before the
acknowledgement. The message's id stays known for longer than this can take. Only time in which the job runs counts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import NamedTuple

from edx2lrs.io.state.database import Database
from edx2lrs.io.state.errors import StaleWave

REMEMBERED_SECONDS = 1_800.0
"""Three times the longest acknowledgement deadline that Pub/Sub has."""
REMEMBERED = 2_000_000
"""Messages, at most. One that comes again later counts as read again; its statements are duplicates."""
_AT_ONCE = 500


class MessageKey(NamedTuple):
    """What tells a message from all others of its source: its id. What can be no record (``failed``) has no id but its position."""

    id: str
    failed: bool = False


class StreamPart(NamedTuple):
    """What a wave has of a stream. ``keys`` are those of its messages, begun with ``Messages.begin``. ``since``: when the first of
    them came (wall time, seconds), which is how old their statements are. ``before`` and ``position``: of a source that has no memory
    of its own, how far it was read when it was opened or last kept, and how far it is now."""

    source: str
    keys: Sequence[MessageKey]
    since: float
    before: str | None = None
    position: str | None = None


class SeenMessage(NamedTuple):
    """``kept``, or it was in ``attempts`` waves of ``records_limit`` messages that began and were not kept."""

    kept: bool
    attempts: int
    records_limit: int


class Messages:
    """The tables of sources and messages. Raises ``StateFault``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self, source: str) -> str | None:
        """Where ``source``, which has no memory of its own, is to be read on; None when it was never read."""
        rows = self._database.rows("SELECT position FROM sources WHERE name = ?", (source,))
        return None if not rows else rows[0][0]

    def sources(self) -> list[tuple[str, str | None, float | None]]:
        """Of every stream: its name, the position if it has no memory of its own, and when a wave last began (wall time)."""
        return self._database.rows(
            "SELECT name, position, (SELECT max(begun) FROM messages WHERE source = sources.number) FROM sources ORDER BY name"
        )

    def seen(self, source: str, keys: Sequence[MessageKey]) -> dict[MessageKey, SeenMessage]:
        """Those of ``keys`` that the state knows."""
        found: dict[MessageKey, SeenMessage] = {}
        for at in range(0, len(keys), _AT_ONCE):
            some = {key.id for key in keys[at : at + _AT_ONCE]}
            rows = self._database.rows(
                "SELECT id, failed, kept, attempts, records_limit FROM messages "  # noqa: S608 - question marks alone
                f"WHERE source = (SELECT number FROM sources WHERE name = ?) AND id IN ({','.join('?' * len(some))})",
                (source, *some),
            )
            found |= {MessageKey(id_, bool(failed)): SeenMessage(bool(kept), *begun) for id_, failed, kept, *begun in rows}
        return {key: found[key] for key in keys if key in found}

    def begin(self, source: str, keys: Sequence[MessageKey]) -> None:
        """Note that a wave over these starts. It outlives a killed process, not a power cut (no fsync)."""
        now = time.time()
        with self._database.transaction("NORMAL") as transaction:
            transaction.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (source,))
            number = _number(transaction, source)
            transaction.executemany(
                "INSERT INTO messages (source, id, failed, begun, kept, attempts, records_limit) VALUES (?, ?, ?, ?, 0, 1, ?) "
                "ON CONFLICT (source, id, failed) DO UPDATE SET records_limit = excluded.records_limit, "
                "attempts = CASE WHEN records_limit = excluded.records_limit THEN attempts + 1 ELSE 1 END",
                [(number, *key, now, len(keys)) for key in keys],
            )

    def forget(self, source: str, keys: Sequence[MessageKey]) -> None:
        """Take back ``begin``: the wave was not kept, but for no fault of these."""
        with self._database.transaction("NORMAL") as transaction:
            number = _number(transaction, source)
            transaction.executemany(
                "DELETE FROM messages WHERE source = ? AND id = ? AND failed = ? AND NOT kept", [(number, *key) for key in keys]
            )


def mark_kept(transaction: sqlite3.Connection, part: StreamPart) -> None:
    """Mark inside ``transaction`` the messages of ``part``, which ``begin`` has noted, as kept, and their source as read up to its
    position. Raises ``StaleWave`` when one was kept already, or the source is elsewhere by now than ``part.before``."""
    source, keys = part.source, part.keys
    transaction.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (source,))
    number = _number(transaction, source)
    marked = transaction.executemany(
        "UPDATE messages SET kept = 1 WHERE source = ? AND id = ? AND failed = ? AND NOT kept", [(number, *key) for key in keys]
    ).rowcount
    if keys and marked != len(keys):
        raise StaleWave(f"{source}: {len(keys) - marked} of its messages were kept by another wave")
    if part.position is not None:
        moved = transaction.execute(
            "UPDATE sources SET position = ? WHERE number = ? AND position IS ?", (part.position, number, part.before)
        ).rowcount
        if not moved:
            raise StaleWave(f"{source}: it was read by somebody else meanwhile")
    _forget_oldest(transaction, len(keys))


def _number(transaction: sqlite3.Connection, source: str) -> int:
    row = transaction.execute("SELECT number FROM sources WHERE name = ?", (source,)).fetchone()
    return -1 if row is None else int(row[0])


def _forget_oldest(transaction: sqlite3.Connection, came: int) -> None:
    """Forget some of the oldest, a few more than came. While the job was down no message could come again: its time does not count."""
    now = time.time()
    (started,) = transaction.execute("SELECT max(started) FROM runs").fetchone()
    (newest,) = transaction.execute("SELECT coalesce(max(row), 0) FROM messages").fetchone()
    running_long = started is not None and now - started > REMEMBERED_SECONDS
    transaction.execute(
        "DELETE FROM messages WHERE row IN (SELECT row FROM messages ORDER BY row LIMIT ?) AND (row <= ? OR begun < ?)",
        (2 * came + 10, newest - REMEMBERED, now - REMEMBERED_SECONDS if running_long else 0.0),
    )
