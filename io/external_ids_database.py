"""The table of external ids as an SQLite database: how the database is made of the table's rows, and how persons are looked up in it.

There is a table for each type of id, for addresses, and for usernames. A person has a key: the user id, or, where rows have a
username alone, a hash of the name, which is below 0. Usernames are in the database as such hashes only. An id that is a UUID is kept
as its 16 bytes, another id as text. Each row has a seal, a hash of table, key and value, which every look-up checks: damage of the
file may hide a person, but never makes a person another.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.tables import ID_TYPES, LARGEST_ID, ExternalIdRow

FORMAT = "edx2lrs external ids 3"
_ROWS_IN_A_STEP = 50_000
_SORTED_IN_MEMORY = 64_000  # kB; more is sorted in temporary files
_MAPPED = 500_000_000  # bytes of the file that processes share as their memory; the rest is read where it lies
_OPERATIONS = 1_000_000  # of SQLite, between two looks for a signal

_VALUES = (*ID_TYPES, "email")
_TABLES = (*_VALUES, "names")
_PREPARE = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE about (content, seal);"
_CREATE = """
CREATE TABLE {0} (key INTEGER PRIMARY KEY, value, seal);
CREATE TEMP TABLE given_{0} (number INTEGER PRIMARY KEY, key, value, seal);
"""
_ADD = "INSERT INTO given_{0} VALUES {1}"
_ADDED_AT_ONCE = 200  # rows; SQLite takes them in half the time that it takes for as many statements
_SORT = "INSERT INTO {0} SELECT key, value, seal FROM given_{0} GROUP BY key, value"
"""Fails where a key has two values."""
_LATER_ROW = """
SELECT min(later.number) FROM given_{0} AS later JOIN (SELECT key, value, min(number) FROM given_{0} GROUP BY key) AS first
ON later.key = first.key WHERE later.value <> first.value
"""
_SAME = """
SELECT named.key, known.key FROM {0} AS named CROSS JOIN names ON names.key = named.key CROSS JOIN {0} AS known
ON known.key = names.value WHERE named.key < 0"""
"""Persons by name alone who are those of an id too, since other rows have their name and the id."""
_LATER_OF_SAME = "SELECT max(number) FROM (SELECT min(number) AS number FROM given_{0} WHERE key IN (?, ?) GROUP BY key)"
_BY_KEY = "SELECT value, seal FROM {0} WHERE key = ?"
_BY_NAME = """
SELECT names.value, names.seal, {0}.value, {0}.seal FROM names LEFT JOIN {0} ON {0}.key = names.value WHERE names.key = ?
"""
_PLACES = "SELECT name, rootpage, sql FROM sqlite_master"
_REMOVE = "DELETE FROM {0} WHERE key IN (SELECT key FROM ({1}))"


class ConflictError(ValueError):
    """Two rows that cannot both be true: ``column``, and the ``number`` of the later row."""

    def __init__(self, column: str, number: int) -> None:
        self.column, self.number = column, number
        super().__init__(column)


class DamagedError(sqlite3.DatabaseError):
    """A database has something else than what was written."""


class _About(NamedTuple):
    """``salt`` (hex): the key of the hashes of names and of the seals."""

    rows: int
    types: list[str]
    has_emails: bool
    salt: str


class ExternalIdTable:
    """Looks persons up in a database: ``transforms.people.external_ids.ExternalIds``. For any thread.

    ``rows``: how many the table has. ``types``: all that some row has, known or not. ``has_emails``: whether some row has an
    address; always False when the database was made without addresses.
    """

    def __init__(self, connection: sqlite3.Connection, anew: Callable[[], ExternalIdTable] | None = None) -> None:
        """``anew`` makes the table again when a look-up finds damage. Without ``anew``, such a look-up raises sqlite3.DatabaseError.

        Raises sqlite3.Error.
        """
        content, seal = connection.execute("SELECT content, seal FROM about").fetchone() or ("", 0)
        if seal != _seal_of_about(connection, content):
            raise DamagedError("about")
        about = msgspec.json.decode(content, type=_About)
        self.rows, self.types, self.has_emails = about.rows, frozenset(about.types), about.has_emails
        salt = bytes.fromhex(about.salt)
        self._name_hash = _name_hasher(salt)
        self._seals = {table: _sealer(salt, table) for table in _TABLES}
        self._by_key, self._by_name = ({table: query.format(table) for table in _VALUES} for query in (_BY_KEY, _BY_NAME))
        self._look_up = connection.cursor().execute
        self._turn, self._anew = threading.Lock(), anew
        self._successor: ExternalIdTable | None = None
        weakref.finalize(self, connection.close)

    def external_id(self, id_type: str, user_id: int | None, username: str | None) -> str | None:
        """The user's id of that type (``XAPI``, ``CALIPER``, ``LTI``); None when the table has none."""
        return self._found(id_type, user_id, username) if id_type in ID_TYPES else None

    def email(self, user_id: int | None, username: str | None) -> str | None:
        """The user's e-mail address; None when the table has none."""
        return self._found("email", user_id, username) if self.has_emails else None

    def _found(self, table: str, user_id: int | None, username: str | None) -> str | None:
        with self._turn:
            if self._successor is None:
                try:
                    return self._text(table, user_id, username)
                except sqlite3.DatabaseError:
                    if self._anew is None:
                        raise
                    self._successor = self._anew()
        return self._successor._found(table, user_id, username)

    def _text(self, table: str, user_id: int | None, username: str | None) -> str | None:
        value: str | bytes | None = self._value(table, user_id) if user_id is not None and 0 < user_id <= LARGEST_ID else None
        if value is None and username is not None:
            key = self._name_hash(username)
            value = self._of_name(table, key) if user_id is None else None
            if value is None:
                value = self._value(table, key)
        if not isinstance(value, bytes):
            return value
        text = value.hex()  # as uuid.UUID writes it, in a third of the time
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _value(self, table: str, key: int) -> Any:
        for value, seal in self._look_up(self._by_key[table], (key,)):
            if seal != self._seals[table](key, value):
                raise DamagedError(table)
            return value
        return None

    def _of_name(self, table: str, key: int) -> Any:
        for person, seal_of_person, value, seal in self._look_up(self._by_name[table], (key,)):
            if seal_of_person != self._seals["names"](key, person) or (value is not None and seal != self._seals[table](person, value)):
                raise DamagedError(table)
            return value
        return None


def opened_file(path: Path, anew: Callable[[], ExternalIdTable] | None = None) -> ExternalIdTable:
    """A database that nobody writes to any more. Raises sqlite3.Error, OSError."""
    connection = _connected(f"{path.absolute().as_uri()}?mode=ro&immutable=1")
    try:
        connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
        ((size,),) = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        if size != path.stat().st_size:
            raise DamagedError("size")
        return ExternalIdTable(connection, anew)
    except BaseException:
        connection.close()
        raise


def in_memory(rows: Iterable[tuple[int, ExternalIdRow]]) -> ExternalIdTable:
    """A database of a few rows. Raises ConflictError."""
    connection = _connected(":memory:")
    try:
        _fill(connection, rows, silent)
        return ExternalIdTable(connection)
    except BaseException:
        connection.close()
        raise


def write_file(path: Path, rows: Iterable[tuple[int, ExternalIdRow]], on_progress: OnProgress = silent) -> None:
    """Makes the database at ``path``, an empty file, of numbered ``rows`` in any order. Memory is bounded: SQLite sorts in
    temporary files. Raises ConflictError, sqlite3.Error."""
    connection = _connected(path.absolute().as_uri())
    try:
        connection.execute(f"PRAGMA cache_size = -{_SORTED_IN_MEMORY}")
        connection.set_progress_handler(lambda: 0, _OPERATIONS)  # where Python sees a signal: Ctrl-C does not wait for a sort
        _fill(connection, rows, on_progress)
    except sqlite3.OperationalError as error:
        if str(error) == "interrupted":
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.close()


def _connected(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _fill(connection: sqlite3.Connection, rows: Iterable[tuple[int, ExternalIdRow]], on_progress: OnProgress) -> None:
    connection.executescript(_PREPARE + "".join(map(_CREATE.format, _TABLES)) + "BEGIN")
    salt = os.urandom(16)
    row_count, types, has_emails = _add(connection, rows, salt, on_progress)
    for table in _TABLES:
        on_progress(f"{row_count:,} rows read; sorting {table}")
        try:
            connection.execute(_SORT.format(table))
        except sqlite3.IntegrityError:
            raise _conflict(table, connection.execute(_LATER_ROW.format(table))) from None
    for table in _VALUES:
        same = _SAME.format(table)
        for keys in connection.execute(f"{same} AND named.value <> known.value LIMIT 1"):
            raise _conflict(table, connection.execute(_LATER_OF_SAME.format(table), keys))
        connection.execute(_REMOVE.format(table, same))  # what both have belongs to the id
    content = msgspec.json.encode(_About(row_count, sorted(types), has_emails, salt.hex())).decode()
    connection.execute("INSERT INTO about VALUES (?, ?)", (content, _seal_of_about(connection, content)))
    connection.execute("COMMIT")


def _add(
    connection: sqlite3.Connection, rows: Iterable[tuple[int, ExternalIdRow]], salt: bytes, on_progress: OnProgress
) -> tuple[int, set[str], bool]:
    """Puts the rows into the temporary tables as they come; how many there are, their types, and whether some has an address."""
    name_hash, given = _name_hasher(salt), {table: _Given(connection, table, _sealer(salt, table)) for table in _TABLES}
    values = {table: given[table].add for table in ID_TYPES}
    add_email, add_name = given["email"].add, given["names"].add
    types: set[str] = set()
    last_name: str | None = None
    row_count, hashed, last_id, last_email, has_emails = 0, 0, 0, (0, ""), False
    for row_count, (number, (user_id, username, id_type, external_id, email)) in enumerate(rows, 1):
        if row_count % _ROWS_IN_A_STEP == 0:
            on_progress(f"{row_count:,} rows read")
        if username is not None and username != last_name:
            last_name, hashed, last_id = username, name_hash(username), 0
        key = user_id or hashed
        if external_id is not None:
            types.add(id_type)
            if id_type in values:
                values[id_type](number, key, _value(external_id))
            elif email is None:
                continue
        if email is not None and (key, email) != last_email:
            last_email, has_emails = (key, email), True
            add_email(number, key, email)
        if user_id and user_id != last_id and username is not None:
            last_id = user_id
            add_name(number, hashed, user_id)
    for table in given.values():
        table.flush()
    return row_count, types, has_emails


class _Given:
    """One of the temporary tables."""

    def __init__(self, connection: sqlite3.Connection, table: str, seal_of: Callable[[int, object], int]) -> None:
        self._connection, self._table, self._seal_of = connection, table, seal_of
        self._many = _ADD.format(table, ", ".join(["(?, ?, ?, ?)"] * _ADDED_AT_ONCE))
        self._waiting: list[Any] = []

    def add(self, number: int, key: int, value: str | int | bytearray) -> None:
        waiting = self._waiting
        waiting += (number, key, value, self._seal_of(key, value))
        if len(waiting) == 4 * _ADDED_AT_ONCE:
            self._connection.execute(self._many, waiting)
            waiting.clear()

    def flush(self) -> None:
        count = len(self._waiting) // 4
        if count:
            self._connection.execute(_ADD.format(self._table, ", ".join(["(?, ?, ?, ?)"] * count)), self._waiting)


def _value(external_id: str) -> str | bytearray:
    """A UUID as its bytes, if the same text can be made of them. (``sqlite3`` takes a bytearray sooner than bytes.)"""
    if len(external_id) == 36 and external_id[8:24:5] == "----" and external_id.islower():
        try:
            data = bytearray.fromhex(external_id.replace("-", ""))
        except ValueError:
            return external_id
        if len(data) == 16:
            return data
    return external_id


def _conflict(table: str, numbers: sqlite3.Cursor) -> ConflictError:
    column = {"names": "username", "email": "email"}.get(table, "external_user_id")
    return ConflictError(column, numbers.fetchone()[0])


def _name_hasher(salt: bytes) -> Callable[[str], int]:
    """Hashes names to 63 bits below 0: of ten million names two have the same with a chance of one to 185,000, and a table with such
    two is refused. ``salt``: the key, so that nobody can look for a name with the hash of another."""
    keyed = blake2b(digest_size=8, key=salt)

    def name_hash(username: str) -> int:
        own = keyed.copy()
        own.update(username.encode("utf-8", "surrogatepass"))
        return int.from_bytes(own.digest(), "little") | -(2**63)

    return name_hash


def _sealer(salt: bytes, table: str) -> Callable[[int, object], int]:
    """Hashes the key and the value of a row to 31 bits, in a way of this database and this table alone."""
    seed = int.from_bytes(blake2b(table.encode(), digest_size=8, key=salt).digest(), "little") & LARGEST_ID

    def seal(key: int, value: object) -> int:
        # A text is not hashed as the same bytes are.
        data = value if isinstance(value, (bytes, bytearray)) else b"%d" % value if type(value) is int else f"{value} ".encode()
        return xxh3_64_intdigest(data, seed ^ key) & 0x7FFFFFFF

    return seal


def _seal_of_about(connection: sqlite3.Connection, content: str) -> int:
    """Hashes what the database says about itself, and where its tables are."""
    return _sealer(b"", "about")(0, (content, connection.execute(_PLACES).fetchall()))
