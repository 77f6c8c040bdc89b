"""Which messages of a stream were kept, and which were in a wave when its process died.

A message may come again after it was kept: its acknowledgement was lost, or the process was killed before it. Its id stays known
until well after that, in time that the job runs and not in time that it is down.
"""

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

    def seen(self, source: str, ids: Sequence[str]) -> dict[str, SeenMessage]:
        """Those of ``ids`` that the state knows."""
        found: dict[str, SeenMessage] = {}
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            rows = self._database.rows(
                "SELECT id, kept, attempts, records_limit FROM messages "  # noqa: S608 - question marks alone
                f"WHERE source = (SELECT number FROM sources WHERE name = ?) AND id IN ({','.join('?' * len(some))})",
                (source, *some),
            )
            found |= {id_: SeenMessage(bool(kept), attempts, limit) for id_, kept, attempts, limit in rows}
        return found

    def begin(self, source: str, ids: Sequence[str]) -> None:
        """Note that a wave over these starts. It outlives a killed process, not a power cut (no fsync)."""
        now = time.time()
        with self._database.transaction("NORMAL") as transaction:
            transaction.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (source,))
            number = _number(transaction, source)
            transaction.executemany(
                "INSERT INTO messages (source, id, begun, kept, attempts, records_limit) VALUES (?, ?, ?, 0, 1, ?) "
                "ON CONFLICT (source, id) DO UPDATE SET records_limit = excluded.records_limit, "
                "attempts = CASE WHEN records_limit = excluded.records_limit THEN attempts + 1 ELSE 1 END",
                [(number, id_, now, len(ids)) for id_ in ids],
            )

    def forget(self, source: str, ids: Sequence[str]) -> None:
        """Take back ``begin``: the wave was not kept, but for no fault of these."""
        with self._database.transaction("NORMAL") as transaction:
            number = _number(transaction, source)
            transaction.executemany(
                "DELETE FROM messages WHERE source = ? AND id = ? AND NOT kept", [(number, id_) for id_ in ids]
            )


def mark_kept(
    transaction: sqlite3.Connection, source: str, ids: Sequence[str], before: str | None, position: str | None
) -> None:
    """Mark messages that ``begin`` has noted as kept, their source as read up to ``position``; inside ``transaction``.

    Raises ``StaleWave`` when one of them was kept already, or the source is elsewhere by now than ``before``.
    """
    transaction.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (source,))
    number = _number(transaction, source)
    marked = transaction.executemany(
        "UPDATE messages SET kept = 1 WHERE source = ? AND id = ? AND NOT kept", [(number, id_) for id_ in ids]
    ).rowcount
    if ids and marked != len(ids):
        raise StaleWave(f"{source}: {len(ids) - marked} of its messages were kept by another wave")
    if position is not None:
        moved = transaction.execute(
            "UPDATE sources SET position = ? WHERE number = ? AND position IS ?", (position, number, before)
        ).rowcount
        if not moved:
            raise StaleWave(f"{source}: it was read by somebody else meanwhile")
    _forget_oldest(transaction, len(ids))


def _number(transaction: sqlite3.Connection, source: str) -> int:
    row = transaction.execute("SELECT number FROM sources WHERE name = ?", (source,)).fetchone()
    return -1 if row is None else int(row[0])


def _forget_oldest(transaction: sqlite3.Connection, came: int) -> None:
    """Forget some of the oldest, a few more than came. While the job was down no message could come again: its time does not
    count."""
    now = time.time()
    (started,) = transaction.execute("SELECT max(started) FROM runs").fetchone()
    (newest,) = transaction.execute("SELECT coalesce(max(row), 0) FROM messages").fetchone()
    running_long = started is not None and now - started > REMEMBERED_SECONDS
    transaction.execute(
        "DELETE FROM messages WHERE row IN (SELECT row FROM messages ORDER BY row LIMIT ?) AND (row <= ? OR begun < ?)",
        (2 * came + 10, newest - REMEMBERED, now - REMEMBERED_SECONDS if running_long else 0.0),
    )
