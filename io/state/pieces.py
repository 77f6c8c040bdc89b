"""Pieces: the files that are read, or parts of them; how far each is kept, and who reads it now."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.database import Database

PieceKind = Literal["log", "letters"]
"""What a piece holds: lines of a tracking log, or records of dead letters that are sent again (``io.dead_letters.spool``)."""


class PieceKey(NamedTuple):
    """What tells a piece from all others: its file, and the byte of the file that it starts at."""

    file: str
    start: int = 0


class SeenPiece(NamedTuple):
    """A piece of a tracking log as the listing finds it. ``head_sha256`` (hex) is over the first ``head_length`` bytes of the file as
    stored (compressed, if it is); for a file that the state knows, over the length that ``Pieces.head_lengths`` names. ``longer``: the
    same for a longer head, by which the file is known from now on (0: the same head). ``size`` of the whole file in bytes, as stored.

    The piece has the lines that begin from ``key.start`` to ``bound``; None is the file's end, however far that moves."""

    key: PieceKey
    head_length: int
    head_sha256: str
    size: int
    bound: int | None = None
    longer: int = 0
    longer_sha256: str = ""

    @property
    def known_by(self) -> tuple[int, str]:
        """The head that tells the file from now on."""
        return (self.longer, self.longer_sha256) if self.longer else (self.head_length, self.head_sha256)


class Piece(NamedTuple):
    """A piece as the state knows it. ``reached``: what is kept; done means to the piece's end in a file of ``size``. ``attempts``:
    starts of a wave of ``records_limit`` records from there on (None: no start, or not limited)."""

    key: PieceKey
    kind: PieceKind
    bound: int | None
    reached: Reached
    attempts: int
    records_limit: int | None
    claimed_by: str | None
    size: int
    head_length: int
    head_sha256: str


@dataclass(frozen=True)
class Progressed:
    """Files of this run's input, and how many of them are done; bytes as stored, and how many of them are read."""

    listed: int
    done: int
    size: int = 0
    read: int = 0


_COLUMNS = "file, start, kind, bound, offset, lines, done, attempts, records_limit, claimed_by, size, head_length, head_sha256"
_SURE = 1024  # bytes of a head that tell a file which grew between the listing and the reading: few bytes are the head of many
_EXTENT = "(min(coalesce(bound, size), size) - start)"  # bytes as stored


class Pieces:
    """The table of pieces. Every method is one transaction or one read and raises ``StateFault``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def head_lengths(self) -> dict[str, int]:
        """Of each known file, how many bytes its fingerprint covers: take the next one over as many."""
        return dict(self._database.rows("SELECT file, head_length FROM pieces WHERE start = 0"))

    def register(self, seen: Sequence[SeenPiece]) -> None:
        """Make ``seen``, in this order, the input of this run.

        A known key with the same head goes on where it was kept (also when it has grown); with another head, or smaller than
        before, it is another file and starts at 0. Pieces of earlier inputs keep their place but cannot be claimed."""
        with self._database.transaction("NORMAL") as transaction:
            transaction.execute("UPDATE pieces SET listed = NULL, claimed_by = NULL")
            for index, piece in enumerate(seen):
                _register(transaction, index, piece)

    def claim(self, worker: str) -> Piece | None:
        """The first listed piece that is neither done nor claimed, now claimed by ``worker``; None when there is none."""
        with self._database.transaction("NORMAL") as transaction:
            row = transaction.execute(
                f"SELECT {_COLUMNS} FROM pieces WHERE listed IS NOT NULL AND NOT done AND claimed_by IS NULL "  # noqa: S608
                "ORDER BY listed LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            piece = _piece(row)._replace(claimed_by=worker)
            transaction.execute("UPDATE pieces SET claimed_by = ? WHERE file = ? AND start = ?", (worker, *piece.key))
            return piece

    def release(self, worker: str | None = None) -> None:
        """Take back the claims of ``worker``, who has died or stopped; without a name, of everybody."""
        with self._database.transaction("NORMAL") as transaction:
            transaction.execute("UPDATE pieces SET claimed_by = NULL WHERE claimed_by = coalesce(?, claimed_by)", (worker,))

    def get(self, key: PieceKey) -> Piece | None:
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM pieces WHERE file = ? AND start = ?", key)  # noqa: S608
        return _piece(rows[0]) if rows else None

    def progress(self) -> Progressed:
        """How far this run's input is read. A file is done when each of its parts is."""
        rows = self._database.rows(
            "SELECT count(*), total(done), total(size), total(read) FROM (SELECT min(done) AS done, "  # noqa: S608
            f"total({_EXTENT}) AS size, total(iif(done, {_EXTENT}, min(stored, {_EXTENT}))) AS read "
            "FROM pieces WHERE listed IS NOT NULL GROUP BY file)"
        )
        return Progressed(*map(int, rows[0]))

    def narrow(self, since: str, until: str) -> tuple[str, str]:
        """Note what this run leaves out ("": nothing); gives the narrowest ``since`` and ``until`` of earlier runs."""
        with self._database.transaction("NORMAL") as transaction:
            rows = transaction.execute("SELECT name, value FROM meta WHERE name IN ('read_since', 'read_until')").fetchall()
            before = dict(rows)
            had = (before.get("read_since", ""), before.get("read_until", ""))
            narrowest = (max(had[0], since), min(filter(None, (had[1], until)), default=""))
            transaction.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", zip(("read_since", "read_until"), narrowest, strict=True)
            )
            return had

    def begin_wave(self, read: Mapping[PieceKey, int], records_limit: int | None = None) -> None:
        """Note that a wave starts at the kept offsets of the pieces in ``read``, and the bytes as stored that are read of each.
        ``records_limit``: how many records a wave over one piece has. Outlives a killed process, not a power cut (no fsync)."""
        with self._database.transaction("NORMAL") as transaction:
            transaction.executemany(
                "UPDATE pieces SET attempts = CASE WHEN records_limit IS ? THEN attempts + 1 ELSE 1 END, records_limit = ?, "
                "stored = ? WHERE file = ? AND start = ?",
                [(records_limit, records_limit, stored, *key) for key, stored in read.items()],
            )

    def unread(self, most: int) -> list[tuple[str, int, int]]:
        """Of the first ``most`` pieces of this run's input that are not done: the file, the byte of the text up to which all is kept,
        and the size as stored."""
        query = "SELECT file, offset, size FROM pieces WHERE listed IS NOT NULL AND NOT done ORDER BY listed LIMIT ?"
        return self._database.rows(query, (most,))

    def unfinished(self) -> set[str]:
        """The files of this run's input that are not read to their end."""
        return {file for (file,) in self._database.rows("SELECT file FROM pieces WHERE listed IS NOT NULL AND NOT done")}

    def unclaimed(self) -> int:
        """How many of this run's pieces nobody has begun to read."""
        query = "SELECT count(*) FROM pieces WHERE listed IS NOT NULL AND NOT done AND claimed_by IS NULL"
        return int(self._database.rows(query)[0][0])


def _register(transaction: sqlite3.Connection, index: int, seen: SeenPiece) -> None:
    known = transaction.execute(
        "SELECT size, done, bound FROM pieces WHERE file = ? AND start = ? AND head_length = ? AND head_sha256 = ? "
        "AND (bound IS NULL OR offset <= size OR head_length >= ?)",
        (*seen.key, seen.head_length, seen.head_sha256, _SURE),
    ).fetchone()
    if known is not None and known[0] <= seen.size:
        whole = known[0] == seen.size or (known[2] is not None and known[2] <= known[0])
        transaction.execute(
            "UPDATE pieces SET size = ?, done = ?, listed = ?, bound = ?, head_length = ?, head_sha256 = ? "
            "WHERE file = ? AND start = ?",
            (seen.size, bool(known[1]) and whole, index, seen.bound, *seen.known_by, *seen.key),
        )
    else:
        transaction.execute(
            "INSERT OR REPLACE INTO pieces "
            "(file, start, kind, bound, head_length, head_sha256, size, offset, lines, done, attempts, stored, listed) "
            "VALUES (?, ?, 'log', ?, ?, ?, ?, ?, 0, 0, 0, 0, ?)",
            (*seen.key, seen.bound, *seen.known_by, seen.size, seen.key.start, index),
        )


def _piece(row: tuple[Any, ...]) -> Piece:
    file, start, kind, bound, offset, lines, done, *rest = row
    return Piece(PieceKey(file, start), kind, bound, Reached(offset, lines, bool(done)), *rest)
