"""The table of external ids as an SQLite database: how the database is made of the table's rows, and how persons are looked up in it.

A person has a key: the user id, or, where rows have a username alone, a hash of the name, which is below 0. Usernames are in the
database as such hashes only. There are five kinds of values: the ids of each type, the addresses, and the user ids of usernames. A
page, a row of the database, has the values of some keys of one kind. An id that is a UUID is kept as its 16 bytes, another id as text.
Each page has a seal, a hash of its number and content, which every look-up checks: damage of the file may hide a person, but never
makes a person another.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import weakref
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from struct import iter_unpack
from typing import Any, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.tables import ID_TYPES, ExternalIdRow
from edx2lrs.transforms.people.person_ids import LARGEST_ID

FORMAT = "edx2lrs external ids 4"
_ROWS_IN_A_STEP = 50_000
_BUCKETS = 64  # of a kind; one bucket is in memory when the pages are made
_KEYS_OF_A_PAGE = 8
_MAPPED = 500_000_000  # bytes of the file that processes share as their memory; the rest is read where it lies

_COLUMNS = dict.fromkeys(ID_TYPES, "external_user_id") | {"email": "email", "names": "username"}
_FIRST_BUCKETS = {kind: place * _BUCKETS for place, kind in enumerate(_COLUMNS)}
_CREATE = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE about (content, seal);
CREATE TABLE pages (number INTEGER PRIMARY KEY, content, seal);
CREATE TEMP TABLE given (bucket, entries); CREATE INDEX temp.by_bucket ON given (bucket);
BEGIN
"""
_UUIDS = re.compile("(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})+").fullmatch
_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode


class ConflictError(ValueError):
    """Two rows that cannot both be true: ``column``, and the ``number`` of the later row."""

    def __init__(self, column: str, number: int) -> None:
        self.column, self.number = column, number
        super().__init__(column)


class DamagedError(sqlite3.DatabaseError):
    """A database has something else than what was written."""


class _About(NamedTuple):
    """``salt`` (hex): the key of the hashes of names and of the seals. ``pages``: how many a bucket has, by kind."""

    rows: int
    types: list[str]
    has_emails: bool
    salt: str
    pages: dict[str, int]


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
        self.rows, self.types, self.has_emails, self._pages = about.rows, frozenset(about.types), about.has_emails, about.pages
        self._name_hash, self._seed = _name_hasher(about.salt), int(about.salt[:16], 16)
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

    def user_id_of(self, username: str) -> int | None:
        """The user id of the row that has the username too; None when there is no such row."""
        found: int | None = self._found("names", None, username)
        return found

    def _found(self, kind: str, user_id: int | None, username: str | None) -> Any:
        with self._turn:
            if self._successor is None:
                try:
                    return self._text(kind, user_id, username)
                except sqlite3.DatabaseError:
                    if self._anew is None:
                        raise
                    self._successor = self._anew()
        return self._successor._found(kind, user_id, username)

    def _text(self, kind: str, user_id: int | None, username: str | None) -> Any:
        if kind == "names" and username is not None:
            return self.value(kind, self._name_hash(username))
        value: str | bytes | None = self.value(kind, user_id) if user_id is not None and 0 < user_id <= LARGEST_ID else None
        if value is None and username is not None:
            key = self._name_hash(username)
            known = self.value(kind, self.value("names", key))
            if known is None:
                value = self.value(kind, key)
            elif user_id is None:  # else the value belongs to another id
                value = known
        if not isinstance(value, bytes):
            return value
        text = value.hex()  # as uuid.UUID writes it, in a third of the time
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def value(self, kind: str, key: int | None) -> Any:
        """What the database has for a key; nothing for None. Raises sqlite3.DatabaseError."""
        if key is None:
            return None
        number = _FIRST_BUCKETS[kind] + key % _BUCKETS << 32 | key // _BUCKETS % self._pages[kind]
        for content, seal in self._look_up("SELECT content, seal FROM pages WHERE number = ?", (number,)):
            if not isinstance(content, bytes) or seal != _seal(content, self._seed ^ number):
                raise DamagedError(kind)
            return _decode(content).get(key)
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
    return _filled(_connected(":memory:"), rows, silent)


def write_file(path: Path, rows: Iterable[tuple[int, ExternalIdRow]], on_progress: OnProgress = silent) -> None:
    """Makes the database at ``path``, an empty file, of numbered ``rows`` in any order. Memory is bounded: the rows wait in a temporary
    file of SQLite. Raises ConflictError, sqlite3.Error."""
    _filled(_connected(path.absolute().as_uri()), rows, on_progress)


def _connected(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _filled(connection: sqlite3.Connection, rows: Iterable[tuple[int, ExternalIdRow]], on_progress: OnProgress) -> ExternalIdTable:
    try:
        connection.executescript(_CREATE)
        salt = os.urandom(16).hex()
        row_count, types, counts = _add(connection, rows, _name_hasher(salt), on_progress)
        pages = {kind: counts[kind] // (_BUCKETS * _KEYS_OF_A_PAGE) + 1 for kind in _COLUMNS}
        for kind in _COLUMNS:
            on_progress(f"{row_count:,} rows read; sorting {kind}")
            _write_pages(connection, kind, pages[kind], int(salt[:16], 16))
        content = msgspec.json.encode(_About(row_count, sorted(types), counts["email"] > 0, salt, pages)).decode()
        connection.execute("INSERT INTO about VALUES (?, ?)", (content, _seal_of_about(connection, content)))
        connection.execute("COMMIT")
        table = ExternalIdTable(connection)
        if counts["no id"] and counts["names"]:
            _check_rows_without_id(connection, table)
        return table
    except BaseException:
        connection.close()
        raise


def _add(
    connection: sqlite3.Connection, rows: Iterable[tuple[int, ExternalIdRow]], name_hash: Callable[[str], int], on_progress: OnProgress
) -> tuple[int, set[str], Counter[str]]:
    """Puts number, key and value of the rows into buckets as they come; how many rows there are, their types, and how many entries each
    kind has, and how many persons ("no id") are known by name alone."""
    buckets: dict[str, list[list[Any]]] = {kind: [[] for _ in range(_BUCKETS)] for kind in _COLUMNS}
    of_ids, of_emails, of_names = {kind: buckets[kind] for kind in ID_TYPES}, buckets["email"], buckets["names"]
    counts, types = Counter[str](), set[str]()
    row_count, key, hashed, last_id, last_name, last_email = 0, 0, 0, None, None, None
    for row_count, (number, (user_id, username, id_type, external_id, email)) in enumerate(rows, 1):
        if row_count % _ROWS_IN_A_STEP == 0:
            on_progress(f"{row_count:,} rows read")
            _set_aside(connection, buckets, counts)
        of_type = None
        if external_id is not None:
            types.add(id_type)
            of_type = of_ids.get(id_type)
            if of_type is None and email is None:
                continue
        if user_id != last_id or username != last_name or email != last_email:
            last_id, last_name, last_email = user_id, username, email
            hashed = name_hash(username) if username is not None else 0
            key = user_id or hashed
            if email is not None:
                of_emails[key % _BUCKETS] += (number, key, email)
            if user_id is None:
                counts["no id"] += 1
            elif username is not None:
                of_names[hashed % _BUCKETS] += (number, hashed, user_id)
        if of_type is not None:
            of_type[key % _BUCKETS] += (number, key, external_id)
    _set_aside(connection, buckets, counts)
    return row_count, types, counts


def _set_aside(connection: sqlite3.Connection, buckets: dict[str, list[list[Any]]], counts: Counter[str]) -> None:
    for kind, of_kind in buckets.items():
        for number, entries in enumerate(of_kind, _FIRST_BUCKETS[kind]):
            if not entries:
                continue
            counts[kind] += len(entries) // 3
            if kind in ID_TYPES:
                entries[2::3] = _packed(entries[2::3])
            connection.execute("INSERT INTO given VALUES (?, ?)", (number, _encode(entries)))
            entries.clear()


def _given(connection: sqlite3.Connection, bucket: int) -> Iterator[tuple[int, int, Any]]:
    """Number, key and value of the rows of a bucket, in their order."""
    for (entries,) in connection.execute("SELECT entries FROM given WHERE bucket = ? ORDER BY rowid", (bucket,)):
        each = iter(_decode(entries))
        yield from zip(each, each, each, strict=True)


def _write_pages(connection: sqlite3.Connection, kind: str, pages: int, seed: int) -> None:
    wrong: list[int] = []
    for bucket in range(_FIRST_BUCKETS[kind], _FIRST_BUCKETS[kind] + _BUCKETS):
        contents: defaultdict[int, dict[int, Any]] = defaultdict(dict)
        for number, key, value in _given(connection, bucket):
            if contents[key // _BUCKETS % pages].setdefault(key, value) != value:
                wrong.append(number)
        for place in sorted(contents):
            number, content = bucket << 32 | place, _encode(contents[place])
            connection.execute("INSERT INTO pages VALUES (?, ?, ?)", (number, content, _seal(content, seed ^ number)))
    if wrong:
        raise ConflictError(_COLUMNS[kind], min(wrong))


def _check_rows_without_id(connection: sqlite3.Connection, table: ExternalIdTable) -> None:
    """Finds a value of a name alone that is another than that of the user who has the name in other rows."""
    for kind in (*ID_TYPES, "email"):
        for bucket in range(_FIRST_BUCKETS[kind], _FIRST_BUCKETS[kind] + _BUCKETS):
            for number, key, value in _given(connection, bucket):
                user_id = table.value("names", key) if key < 0 else None
                if user_id is not None and table.value(kind, user_id) not in (None, value):
                    of_user = _given(connection, _FIRST_BUCKETS[kind] + user_id % _BUCKETS)
                    raise ConflictError(_COLUMNS[kind], max(number, next(other for other, key, _ in of_user if key == user_id)))


def _packed(external_ids: Sequence[str]) -> list[Any]:
    """UUIDs as their bytes, if the same texts can be made of them; where all are UUIDs, in half the time."""
    if set(map(len, external_ids)) == {36} and _UUIDS("".join(external_ids)):
        return [data for (data,) in iter_unpack("16s", bytes.fromhex("".join(external_ids).replace("-", "")))]
    return [bytes.fromhex(each.replace("-", "")) if len(each) == 36 and _UUIDS(each) else each for each in external_ids]


def _name_hasher(salt: str) -> Callable[[str], int]:
    """Hashes names to 63 bits below 0: of ten million names two have the same with a chance of one to 185,000, and a table with such
    two is refused. ``salt``: the key, so that nobody can look for a name with the hash of another."""
    keyed = blake2b(digest_size=8, key=bytes.fromhex(salt))

    def name_hash(username: str) -> int:
        own = keyed.copy()
        own.update(username.encode("utf-8", "surrogatepass"))
        return int.from_bytes(own.digest(), "little") | -(2**63)

    return name_hash


def _seal(content: bytes, seed: int) -> int:
    return xxh3_64_intdigest(content, seed) & LARGEST_ID


def _seal_of_about(connection: sqlite3.Connection, content: str) -> int:
    """Hashes what the database says about itself, and where its tables are."""
    places = connection.execute("SELECT name, rootpage, sql FROM sqlite_master").fetchall()
    return _seal(repr((content, places)).encode("utf-8", "surrogatepass"), 0)
