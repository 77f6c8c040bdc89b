"""The terms under which statements were made: fingerprints of what decides who gets which statement, and what stands in it.

A statement that waits under other terms than its consumer's present ones is *held*: it is not sent before somebody decides."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from edx2lrs.io.state.database import Database
from edx2lrs.io.state.seals import unsealed

ADDRESS = "url"
"""The key of terms that, alone, holds nothing back if the old address never took a statement: it was wrong, and is put right."""
PROTOCOL = "protocol"
"""The key of terms that holds statements back for good."""

_Rows: TypeAlias = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""The rows of one SELECT: of a database, or inside a transaction."""


class HeldStatements(NamedTuple):
    """Statements that wait for ``consumer`` and are not sent: ``changed`` are the keys of the terms that are other ones today; None:
    the configuration does not have the consumer."""

    consumer: str
    statements: int
    changed: tuple[str, ...] | None


class Followed(NamedTuple):
    """The consumers whose terms are new, and how many statements go to a new address, since the old one never took any."""

    changed: tuple[str, ...]
    redirected: Mapping[str, int]


def changed_terms(before: str, after: str) -> tuple[str, ...]:
    """The keys in which two terms differ."""
    one, other = json.loads(before), json.loads(after)
    return tuple(sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key)))


def follow(transaction: sqlite3.Connection, terms: Mapping[str, str], send_held: bool = False) -> Followed:
    """From now on ``terms`` are those of the consumers, by name, and no other consumers are in the configuration. ``send_held``: what
    waits under other terms is sent as well, unless it is of another protocol."""
    rows = _inside(transaction)
    changed: list[str] = []
    redirected: dict[str, int] = {}
    for name, number, before in rows("SELECT name, number, terms FROM consumers", ()):
        now = number_of(transaction, terms[name]) if name in terms else None
        if now != before:
            transaction.execute("UPDATE consumers SET terms = ? WHERE number = ?", (now, number))
            changed += [name] if before is not None and now is not None else []
        if now is None:
            continue
        # an edx2lrs that did not note terms has kept them
        transaction.execute("UPDATE blocks SET terms = ? WHERE consumer = ? AND terms IS NULL", (now, number))
        for other, statements, keys in _others(rows, number, terms[name]):
            moved = keys == (ADDRESS,) and not _has_accepted(rows, name)
            if moved:
                redirected[name] = redirected.get(name, 0) + statements
            if moved or (send_held and PROTOCOL not in keys):
                transaction.execute("UPDATE blocks SET terms = ? WHERE consumer = ? AND terms = ?", (now, number, other))
    count_held(transaction)
    return Followed(tuple(changed), redirected)


def count_held(transaction: sqlite3.Connection) -> None:
    """Set right how much of what waits is held, inside ``transaction``."""
    rows = _inside(transaction)
    found = _held(rows, None) if rows("SELECT 1 FROM consumers WHERE terms IS NOT NULL LIMIT 1", ()) else []
    transaction.execute("UPDATE consumers SET held = 0 WHERE held <> 0")
    transaction.executemany("UPDATE consumers SET held = held + ? WHERE name = ?", [(each.statements, each.consumer) for each in found])


def number_of(transaction: sqlite3.Connection, content: str) -> int:
    """The number under which the terms are kept."""
    transaction.execute("INSERT OR IGNORE INTO terms (content) VALUES (?)", (content,))
    return int(transaction.execute("SELECT number FROM terms WHERE content = ?", (content,)).fetchone()[0])


def held(database: Database, terms: Mapping[str, str] | None = None) -> list[HeldStatements]:
    """What is held, by consumer and what has changed; with ``terms``, as ``follow`` would hold it. Raises ``StateFault``."""
    if terms is None and not database.rows("SELECT 1 FROM consumers WHERE held > 0 LIMIT 1"):
        return []
    return _held(database.rows, terms)


def made_under(database: Database, consumer: str, today: str) -> list[tuple[str, ...]]:
    """What has changed to ``today`` in each of the terms under which something waits for ``consumer``. Raises ``StateFault``."""
    numbers = database.rows("SELECT number FROM consumers WHERE name = ?", (consumer,))
    return [keys for (number,) in numbers for _, _, keys in _others(database.rows, number, today)]


def _inside(transaction: sqlite3.Connection) -> _Rows:
    def rows(sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
        return transaction.execute(sql, arguments).fetchall()

    return rows


def _held(rows: _Rows, terms: Mapping[str, str] | None) -> list[HeldStatements]:
    """By the terms of the state directory, or by ``terms`` of a configuration, if there are any."""
    found = []
    its_terms = "(SELECT content FROM terms WHERE terms.number = consumers.terms)"
    for name, number, waiting, content in rows(f"SELECT name, number, waiting, {its_terms} FROM consumers WHERE waiting > 0", ()):  # noqa: S608
        today = terms.get(name) if terms else content
        if today is None:
            found.append(HeldStatements(name, waiting, None))
            continue
        for _, statements, keys in _others(rows, number, today):
            if not (terms and keys == (ADDRESS,) and not _has_accepted(rows, name)):
                found.append(HeldStatements(name, statements, keys))
    return found


def _others(rows: _Rows, consumer: int, today: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """The other terms than ``today`` under which something waits for the consumer, by their number: how many statements, and the keys
    that have changed."""
    found = []
    for (number,) in rows("SELECT DISTINCT terms FROM blocks WHERE consumer = ? AND terms IS NOT NULL", (consumer,)):
        contents = rows("SELECT content FROM terms WHERE number = ?", (number,))
        keys = changed_terms(contents[0][0] if contents else "{}", today)  # of a damaged number nothing is known
        blocks = rows("SELECT count, settled FROM blocks WHERE consumer = ? AND terms = ?", (consumer, number)) if keys else []
        statements = sum(size - int.from_bytes(unsealed(settled) or b"", "little").bit_count() for size, settled in blocks)
        if statements:
            found.append((number, statements, keys))
    return found


def _has_accepted(rows: _Rows, consumer: str) -> bool:
    query = "SELECT 1 FROM ledger WHERE consumer = ? AND key IN ('delivered', 'already_stored') LIMIT 1"
    return bool(rows(query, (consumer,)))
