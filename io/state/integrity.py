"""What is wrong with a state database, as far as it can be seen before it is used: cut to nothing, other tables than those of its
version, values that no edx2lrs has written. Blocks and dead letters have checksums of their own (``seals``)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TypeAlias

from edx2lrs.io.state.errors import DAMAGED, StateFault, StateUnusable
from edx2lrs.io.state.schema import APPLICATION_ID, TABLES, UPGRADES, VERSION
from edx2lrs.io.state.seals import add_functions

FILE_NAME = "state.db"
_LEFT_BY_A_RUN = ("dead-letters/*", "replay/*", "statement-logs/*/*")
_SMALLEST = 512  # bytes of a database with one page
_ALLOWED = {"INTEGER": "'integer'", "TEXT": "'text'", "REAL": "'real', 'integer'", "BLOB": "'blob'"}
# blocks and dead letters have checksums; of the others a wrong value costs a duplicate at most, and there may be millions
_NOT_LOOKED_AT = ("blocks", "dead_letters", "messages", "forgotten_ids")
_NEVER_NEGATIVE = {("ledger", "count"), ("pieces", "offset"), ("pieces", "lines"), ("pieces", "size"), ("id_runs", "newest")}


_Column: TypeAlias = tuple[str, str, str, bool]


def check_not_lost(folder: Path, was_made: bool) -> None:
    """Raise ``StateFault`` when the directory has lost its database. ``was_made``: it is known to have had one."""
    path = folder / FILE_NAME
    size = path.stat().st_size if path.exists() else 0
    if size >= _SMALLEST:
        return
    traces = [pattern.split("/")[0] for pattern in _LEFT_BY_A_RUN if any(folder.glob(pattern))]
    if size or was_made or traces:
        found = f"has only {size} bytes" if path.exists() else "is missing"
        beside = f", beside {' and '.join(traces)}" if traces else ""
        raise StateFault(f"state directory {folder}: its {FILE_NAME} {found}{beside}; {DAMAGED}")


def check_version(connection: sqlite3.Connection, folder: Path) -> int:
    """The version of the database, 0 when it is empty. Raises ``StateFault`` and ``StateUnusable``."""
    version, application = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("user_version", "application_id"))
    tables = _columns(connection)
    if tables and application != APPLICATION_ID:
        raise StateUnusable(f"state directory {folder}: its {FILE_NAME} was not written by edx2lrs; choose another --state")
    if version > VERSION:
        raise StateUnusable(
            f"state directory {folder}: written by a newer edx2lrs (state version {version}, here {VERSION}); "
            "install that version, or choose another --state"
        )
    if version < 0 or tables != _columns_of(version):
        raise StateFault(f"state directory {folder}: its {FILE_NAME} has not the tables of state version {version}; {DAMAGED}")
    return version


def check_values(connection: sqlite3.Connection, folder: Path) -> None:
    """Raise ``StateFault`` when a value has another type than its column, or is negative where no number can be."""
    for table, column, kind, optional in _columns(connection):
        if kind not in _ALLOWED or table in _NOT_LOOKED_AT:
            continue
        allowed = _ALLOWED[kind] + (", 'null'" if optional else "")
        wrong = f"typeof({column}) NOT IN ({allowed})" + (f" OR {column} < 0" if (table, column) in _NEVER_NEGATIVE else "")
        if connection.execute(f"SELECT 1 FROM {table} WHERE {wrong} LIMIT 1").fetchone():  # noqa: S608 - names of our own tables
            raise StateFault(f"state directory {folder}: the table {table} of its {FILE_NAME} has an impossible {column}; {DAMAGED}")


def _columns(connection: sqlite3.Connection) -> tuple[_Column, ...]:
    """Table, name, type and whether it may be NULL, of every column."""
    rows = connection.execute(
        "SELECT tables.name, columns.name, columns.type, NOT columns.\"notnull\" AND NOT columns.pk "
        "FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns "
        "WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' ORDER BY tables.name, columns.cid"
    )
    return tuple((table, name, kind, bool(optional)) for table, name, kind, optional in rows)


@cache
def _columns_of(version: int) -> tuple[_Column, ...]:
    if not version:
        return ()
    with closing(sqlite3.connect(":memory:")) as connection:
        add_functions(connection)
        connection.executescript(TABLES + "".join(UPGRADES[number] for number in range(1, version)))
        return _columns(connection)
