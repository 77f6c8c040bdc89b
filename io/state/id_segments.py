"""Sorted segments of remembered ids in the database: rows of chunks, each chunk two arrays of 64-bit integers (little endian)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

REST, CONSUMER = 0, 1
EVENT_AND_BODY = slice(2, 4)
_COLUMNS = 4  # of an entry: rest of the id, consumer, hash of the event, hash of the body
_CHUNK = 4_096  # ids: 32 KB of keys, read whole for one look-up; 128 KB of entries, read for a hit


class Segment(NamedTuple):
    """A sorted segment of ids. The ids were the ``oldest`` to the ``newest`` ever remembered; ``level`` rises with every merge."""

    number: int
    level: int
    size: int
    oldest: int
    newest: int


class SegmentChunk:
    """A part of a segment: its sorted keys, and their entries when they are asked for."""

    def __init__(self, transaction: sqlite3.Connection, row: int, keys: bytes) -> None:
        self._transaction = transaction
        self._row = row
        self._entries: Ints | None = None
        self.keys: Ints = np.frombuffer(keys, dtype="<i8")

    def entries_with_key(self, index: int) -> Iterator[list[int]]:
        """The entry at ``index`` and those after it with the same key (two ids may share the first half)."""
        if self._entries is None:
            blob = self._transaction.execute("SELECT entries FROM id_chunks WHERE rowid = ?", (self._row,)).fetchone()[0]
            self._entries = _entries(blob)
        key = self.keys[index]
        while index < len(self.keys) and self.keys[index] == key:
            yield self._entries[index].tolist()
            index += 1


def segments(transaction: sqlite3.Connection) -> list[Segment]:
    """All segments, oldest first."""
    rows = transaction.execute("SELECT run, level, size, oldest, newest FROM id_runs ORDER BY newest")
    return [Segment(*row) for row in rows]


def next_chunk(transaction: sqlite3.Connection, segment: Segment, key: int) -> SegmentChunk | None:
    """The chunk of ``segment`` that would hold ``key``: the first that does not end before it. None after the last."""
    row = transaction.execute(
        "SELECT rowid, last, keys FROM id_chunks WHERE run = ? AND last >= ? ORDER BY last LIMIT 1", (segment.number, key)
    ).fetchone()
    if row is None:
        return None
    chunk = SegmentChunk(transaction, row[0], row[2])
    if not len(chunk.keys) or chunk.keys[-1] != row[1]:
        raise sqlite3.DatabaseError("a chunk of ids is malformed")
    return chunk


def load_segment(transaction: sqlite3.Connection, segment: Segment) -> tuple[Ints, Ints]:
    """The keys and entries of a whole segment."""
    chunks = transaction.execute("SELECT keys, entries FROM id_chunks WHERE run = ? ORDER BY last", (segment.number,)).fetchall()
    keys = np.frombuffer(b"".join([keys for keys, _ in chunks]), dtype="<i8")
    return keys, _entries(b"".join([entries for _, entries in chunks]))


def insert_segment(transaction: sqlite3.Connection, level: int, oldest: int, newest: int, keys: Ints, entries: Ints) -> None:
    """Insert a segment of sorted ``keys``."""
    cursor = transaction.execute(
        "INSERT INTO id_runs (level, size, oldest, newest) VALUES (?, ?, ?, ?)", (level, len(keys), oldest, newest)
    )
    parts = ((keys[at : at + _CHUNK], entries[at : at + _CHUNK]) for at in range(0, len(keys), _CHUNK))
    rows = ((cursor.lastrowid, int(some[-1]), some.astype("<i8").tobytes(), of_some.astype("<i8").tobytes()) for some, of_some in parts)
    transaction.executemany("INSERT INTO id_chunks VALUES (?, ?, ?, ?)", rows)


def delete_segment(transaction: sqlite3.Connection, segment: Segment) -> None:
    transaction.execute("DELETE FROM id_chunks WHERE run = ?", (segment.number,))
    transaction.execute("DELETE FROM id_runs WHERE run = ?", (segment.number,))


def _entries(blob: bytes) -> Ints:
    return np.frombuffer(blob, dtype="<i8").reshape(-1, _COLUMNS)
