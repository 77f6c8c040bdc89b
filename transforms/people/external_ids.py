"""The site's table of external ids, the pseudonyms that the LMS itself gave its users, in its compiled form: sorted columns
in one buffer, looked up where they lie.

The buffer is ``bytes`` for a small table, else a file mapped into memory, of which a machine has one copy for all its workers
(``io.external_ids``). ``io.external_ids_compiler`` makes it::

    MAGIC, length of the header (8 bytes), header (JSON), then sections, each from a multiple of 8 on:
    ids                  user ids, sorted
    id_starts            for each of the first bits that an id may have, where in ``ids`` those with these bits start
    XAPI, CALIPER, LTI   16 bytes for each person: a UUID, NONE, or IN_TEXTS and a place in ``texts`` (8 bytes)
    email                for each person, a place in ``texts``; 0: none. There, the first 2 bytes are a number of ``domains``,
                         or 0, the rest comes before it
    domains              places in ``texts`` of what many addresses end with
    names                hashes of usernames, sorted
    name_starts          the same for ``names``
    name_persons         the person of each of ``names``
    texts                at each place: length in bytes (2 bytes), UTF-8

Persons who are known by name alone come first, sorted by its hash; then those with a user id, sorted by it. Numbers are
the machine's own, of 4 or 8 bytes each, as the header says. A section that would be empty is not there.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator
from hashlib import blake2b
from mmap import mmap
from typing import NamedTuple

import msgspec

MAGIC = b"edx2lrs external ids 1\n\n"
ID_TYPES = ("XAPI", "CALIPER", "LTI")
CELL = 16
NONE = bytes(CELL)
IN_TEXTS = b"\xff" * 8
LONGEST_TEXT = 0xFFFD  # bytes
DOMAINS = 0xFFFF


class ExternalIdRow(NamedTuple):
    """One row of the table. ``user_id`` or ``username`` is there; ``type`` is in upper case."""

    user_id: int | None
    username: str | None
    type: str
    external_id: str | None
    email: str | None


class Section(NamedTuple):
    """Where a section lies, from the first one's start on, its length, and that of each of its numbers, all in bytes."""

    start: int
    length: int
    width: int


class Header(msgspec.Struct, frozen=True):
    """``types``: all that some row had, known ones or not. ``name_only``: the persons without a user id. ``salt`` (hex) is the
    key of the names' hashes, so that nobody can look for a name with the hash of another. ``id_shift``, ``name_shift``: the bits
    that are left of an id and of a hash after their first ones. ``size``: of all sections."""

    byte_order: str
    rows: int
    types: list[str]
    name_only: int
    id_shift: int
    name_shift: int
    salt: str
    size: int
    sections: dict[str, Section]


class ExternalIds:
    """Looks persons up.

    A user id decides where the event has one. A username then counts only in rows that have no user id, so that nobody
    becomes the person of another id. Usernames are compared exactly, and one of digits is never a user id.
    """

    def __init__(self, data: bytes | mmap) -> None:
        """Raises ValueError for what is no compiled table, or not a whole one, or one of another kind of machine."""
        start = len(MAGIC) + 8
        if data[: len(MAGIC)] != MAGIC:
            raise ValueError("no compiled table of external ids")
        end = start + int.from_bytes(data[len(MAGIC) : start], "little")
        header = msgspec.json.decode(data[start:end], type=Header)
        if aligned(end) + header.size != len(data) or header.byte_order != sys.byteorder:
            raise ValueError("not a whole table, or of another kind of machine")
        self.rows = header.rows
        self.types = frozenset(header.types)
        self._data = data
        self._view = memoryview(data)[aligned(end) :]
        self._sections = header.sections
        self._name_hash = name_hasher(bytes.fromhex(header.salt))
        self._name_only = header.name_only
        self._ids = self._numbers("ids"), self._numbers("id_starts"), header.id_shift
        self._names = self._numbers("names"), self._numbers("name_starts"), header.name_shift
        self._name_persons = self._numbers("name_persons")
        self._emails = self._numbers("email")
        self._domains = self._numbers("domains")
        self._columns = {name: aligned(end) + header.sections[name].start for name in ID_TYPES if name in header.sections}
        self._texts = aligned(end) + header.sections["texts"].start

    @property
    def has_emails(self) -> bool:
        """Whether some row has an e-mail address; always False when the table was compiled without them."""
        return bool(self._emails)

    def external_id(self, id_type: str, user_id: int | None, username: str | None) -> str | None:
        """The user's id of that type (``XAPI``, ``CALIPER``, ``LTI``); None when the table has none."""
        column = self._columns.get(id_type)
        if column is None:
            return None
        for person in self._persons(user_id, username):
            start = column + CELL * person
            cell = self._data[start : start + CELL]
            if cell.startswith(IN_TEXTS):
                return self._bytes(int.from_bytes(cell[8:], sys.byteorder)).decode()
            if cell != NONE:
                return uuid_text(cell)
        return None

    def email(self, user_id: int | None, username: str | None) -> str | None:
        """The user's e-mail address; None when the table has none."""
        if self._emails:
            for person in self._persons(user_id, username):
                place = self._emails[person]
                if place:
                    data = self._bytes(place)
                    domain = int.from_bytes(data[:2], sys.byteorder)
                    return data[2:].decode() + (self._bytes(self._domains[domain - 1]).decode() if domain else "")
        return None

    def _persons(self, user_id: int | None, username: str | None) -> Iterator[int]:
        """Those who may be meant; the first who has what is asked for is."""
        if user_id is not None:
            for at in _places(user_id, *self._ids):
                yield self._name_only + at
        if username is None:
            return
        for at in _places(self._name_hash(username), *self._names):
            person = self._name_persons[at]
            if user_id is None or person < self._name_only:
                yield person

    def _numbers(self, name: str) -> memoryview[int]:
        section = self._sections.get(name)
        if section is None or not section.length:
            return memoryview(b"")  # which cannot be cast
        return self._view[section.start : section.start + section.length].cast("I" if section.width == 4 else "Q")

    def _bytes(self, place: int) -> bytes:
        start = self._texts + place
        length = int.from_bytes(self._data[start : start + 2], sys.byteorder)
        return self._data[start + 2 : start + 2 + length]


def _places(wanted: int, keys: memoryview[int], starts: memoryview[int], shift: int) -> range:
    """Where ``wanted`` stands in sorted ``keys``. ``starts`` leaves some ten to be looked at, so that few pages are touched."""
    first_bits = wanted >> shift
    if not 0 <= first_bits < len(starts) - 1:
        return range(0)
    end = starts[first_bits + 1]
    at = last = bisect_left(keys, wanted, starts[first_bits], end)
    while last < end and keys[last] == wanted:
        last += 1
    return range(at, last)


def aligned(place: int) -> int:
    """Where the next section may start."""
    return (place + 7) // 8 * 8


def name_hasher(salt: bytes) -> Callable[[str], int]:
    """Hashes names to 8 bytes: of ten million two have the same with a chance of one to 370,000, and a table with such two is
    refused."""
    keyed = blake2b(digest_size=8, key=salt)

    def name_hash(username: str) -> int:
        own = keyed.copy()
        own.update(username.encode("utf-8", "surrogatepass"))
        return int.from_bytes(own.digest(), "big")

    return name_hash


def uuid_text(data: bytes) -> str:
    """16 bytes as a UUID is written."""
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def uuid_bytes(text: str) -> bytes | None:
    """The 16 bytes of which ``uuid_text`` makes ``text``; None when there are none, or they mean something else in a column."""
    if len(text) != 36:
        return None
    try:
        data = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
    plain = len(data) == CELL and uuid_text(data) == text
    return data if plain and data != NONE and not data.startswith(IN_TEXTS) else None
