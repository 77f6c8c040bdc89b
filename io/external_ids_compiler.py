"""Rows of the table of external ids, in any order and number, made into its compiled form (``transforms.people.external_ids``).

Memory is bounded: values are sorted outside of it (``io.sorted_runs``); of each user only the id, 4 or 8 bytes, is in it.
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from struct import Struct
from typing import BinaryIO

import msgspec

from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.sorted_runs import SortedRuns
from edx2lrs.transforms.people.external_ids import (
    CELL,
    DOMAINS,
    ID_TYPES,
    IN_TEXTS,
    LONGEST_TEXT,
    MAGIC,
    NONE,
    ExternalIdRow,
    Header,
    Section,
    aligned,
    name_hasher,
    uuid_bytes,
)

_COLUMNS = (*ID_TYPES, "email")
_EMAIL = len(ID_TYPES)
_SOURCE_COLUMNS = ("external_user_id", "external_user_id", "external_user_id", "email")
_SUBJECT = Struct(">QQ")  # user id, 0; or 0, hash of the name
_VALUE = Struct(">BQ")  # column, number of the row; then the value: a UUID's bytes or a text, after a letter
_NAME = Struct(">QQQ")  # hash, user id or 0, number of the row
_UUID, _TEXT = b"u", b"t"
_ROWS_IN_A_STEP = 50_000
_PIECE = 2**20  # bytes


class ConflictError(ValueError):
    """Two rows that cannot both be true: ``column``, and the ``number`` of the later row."""

    def __init__(self, column: str, number: int) -> None:
        self.column, self.number = column, number
        super().__init__(column)


class TooLongError(ValueError):
    """A value of more than ``LONGEST_TEXT`` bytes: its ``column``, and the ``number`` of its row."""

    def __init__(self, column: str, number: int) -> None:
        self.column, self.number = column, number
        super().__init__(column)


def compile_external_ids(
    rows: Iterable[tuple[int, ExternalIdRow]],
    out: BinaryIO,
    scratch: Callable[[], BinaryIO] = BytesIO,
    on_progress: OnProgress = silent,
) -> None:
    """Writes the compiled form of numbered ``rows`` to ``out``, which is empty. ``scratch`` makes an empty file for what does not
    fit in memory.

    Raises ConflictError, TooLongError, OSError.
    """
    read = _Read(scratch)
    for number, row in rows:
        read.add(number, row)
        if read.rows % _ROWS_IN_A_STEP == 0:
            on_progress(f"{read.rows:,} rows read")
    persons = _Persons(read, scratch)
    for done in persons.take(read.values.merged()):
        on_progress(f"{done:,} of {read.value_count:,} values sorted")
    for done in persons.take_names(read.names.merged()):
        on_progress(f"{done:,} of {read.name_count:,} names sorted")
    _write(out, read, persons)


class _Read:
    """What is known when all rows are read: values by person, names by hash."""

    def __init__(self, scratch: Callable[[], BinaryIO]) -> None:
        self.values, self.names = SortedRuns(scratch), SortedRuns(scratch)
        self.salt = os.urandom(16)
        self._name_hash = name_hasher(self.salt)
        self.rows = self.value_count = self.name_count = 0
        self.text_bytes = 2  # place 0 is nobody's
        self.largest_id = 0
        self.types: set[str] = set()
        self.columns: set[int] = set()
        self._last_name: tuple[str | None, int] = (None, 0)
        self._last_pair = (0, 0)
        self._last_email: tuple[bytes, str] = (b"", "")

    def add(self, number: int, row: ExternalIdRow) -> None:
        self.rows += 1
        hashed = 0
        if row.username is not None:
            if row.username != self._last_name[0]:
                self._last_name = (row.username, self._name_hash(row.username))
            hashed = self._last_name[1]
        user_id = row.user_id or 0
        subject = _SUBJECT.pack(user_id, 0 if user_id else hashed)
        if row.external_id is not None:
            self.types.add(row.type)
            if row.type not in ID_TYPES:
                if row.email is None:
                    return
            else:
                self._add_value(subject, ID_TYPES.index(row.type), number, row.external_id)
        if row.email is not None and (subject, row.email) != self._last_email:
            self._last_email = (subject, row.email)
            self._add_value(subject, _EMAIL, number, row.email)
        self.largest_id = max(self.largest_id, user_id)
        if row.username is not None and (hashed, user_id) != self._last_pair:
            self._last_pair = (hashed, user_id)
            self.names.add(_NAME.pack(hashed, user_id, number))
            self.name_count += 1

    def _add_value(self, subject: bytes, column: int, number: int, text: str) -> None:
        data = uuid_bytes(text) if column != _EMAIL else None
        value = _UUID + data if data else _TEXT + text.encode()
        if data is None:
            if len(value) - 1 > LONGEST_TEXT:
                raise TooLongError(_SOURCE_COLUMNS[column], number)
            self.text_bytes += len(value) + 3
        self.columns.add(column)
        self.value_count += 1
        self.values.add(subject + _VALUE.pack(column, number) + value)


class _Starts:
    """Where keys of so many bits, sorted, that have the same first bits start; ``shift`` leaves these."""

    def __init__(self, keys: int, bits: int) -> None:
        self.shift = max(bits - max(keys.bit_length() - 4, 0), 0)
        self.places = array("I")
        self._size = (1 << (bits - self.shift)) + 1

    def add(self, key: int, place: int) -> None:
        for _ in range(len(self.places), (key >> self.shift) + 1):
            self.places.append(place)

    def whole(self, end: int) -> BinaryIO:
        """All of them, and where the last ones end."""
        self.places.extend([end] * (self._size - len(self.places)))
        return BytesIO(self.places.tobytes())


class _Persons:
    """The sections, while they grow: ``ids`` in memory, the others in scratch files."""

    def __init__(self, read: _Read, scratch: Callable[[], BinaryIO]) -> None:
        self.ids = array("I" if read.largest_id < 2**32 else "Q")
        self.id_starts = _Starts(read.value_count // max(len(read.columns), 1), read.largest_id.bit_length())
        self.name_starts = _Starts(read.name_count, 64)
        self.name_only = self.name_count = 0
        self.domains: dict[bytes, int] = {}
        self.domain_places = array("I" if read.text_bytes < 2**32 else "Q")
        self.columns = {column: scratch() for column in sorted(read.columns)}
        self.texts, self.names, self.name_persons = scratch(), scratch(), scratch()
        self.texts.write(bytes(2))
        self.text_end = 2
        self.place = Struct("=I" if read.text_bytes < 2**32 else "=Q")

    def take(self, values: Iterable[bytes]) -> Iterator[int]:
        """Values sorted by person; from time to time gives how many it has taken."""
        subject: bytes | None = None
        cells: list[bytes | None] = [None] * len(_COLUMNS)
        for taken, record in enumerate(values, 1):
            if record[:16] != subject:
                if subject is not None:
                    self._add(subject, cells)
                subject, cells = record[:16], [None] * len(_COLUMNS)
            column, value = record[16], record[25:]
            if cells[column] is None:
                cells[column] = value
            elif cells[column] != value:
                raise ConflictError(_SOURCE_COLUMNS[column], _VALUE.unpack_from(record, 16)[1])
            if taken % _ROWS_IN_A_STEP == 0:
                yield taken
        if subject is not None:
            self._add(subject, cells)

    def _add(self, subject: bytes, values: list[bytes | None]) -> None:
        user_id, _ = _SUBJECT.unpack(subject)
        if user_id:
            self.id_starts.add(user_id, len(self.ids))
            self.ids.append(user_id)
        else:
            self.name_only += 1
        for column, file in self.columns.items():
            value = values[column]
            if column == _EMAIL:
                file.write(self.place.pack(self._add_email(value[1:]) if value else 0))
            elif value is None:
                file.write(NONE)
            elif value.startswith(_UUID):
                file.write(value[1:])
            else:
                file.write(IN_TEXTS + self._add_text(value[1:]).to_bytes(8, sys.byteorder))

    def _add_email(self, email: bytes) -> int:
        local, at, domain = email.rpartition(b"@")
        number = self.domains.get(domain, 0)
        if at and not number and len(self.domains) < DOMAINS:
            number = self.domains[domain] = len(self.domains) + 1
            self.domain_places.append(self._add_text(at + domain))
        return self._add_text(number.to_bytes(2, sys.byteorder) + (local if number else email))

    def _add_text(self, text: bytes) -> int:
        place = self.text_end
        self.texts.write(len(text).to_bytes(2, sys.byteorder) + text)
        self.text_end += len(text) + 2
        return place

    def take_names(self, names: Iterable[bytes]) -> Iterator[int]:
        """Names sorted by hash, for each those without a user id first; from time to time gives how many it has taken."""
        hash_bytes, person_bytes = Struct("=Q").pack, Struct("=I").pack
        last_hash, last_id, last_number, last_person, name_only = -1, -1, 0, 0, 0
        for taken, record in enumerate(names, 1):
            hashed, user_id, number = _NAME.unpack(record)
            if (hashed, user_id) == (last_hash, last_id):
                continue
            if user_id == 0:
                person, name_only = name_only, name_only + 1
            else:
                person = self.name_only + bisect_left(self.ids, user_id)
            if hashed == last_hash:
                if last_id:
                    raise ConflictError("username", max(number, last_number))
                self._same_name(last_person, person, max(number, last_number))
            self.name_starts.add(hashed, self.name_count)
            self.name_count += 1
            self.names.write(hash_bytes(hashed))
            self.name_persons.write(person_bytes(person))
            last_hash, last_id, last_number, last_person = hashed, user_id, number, person
            if taken % _ROWS_IN_A_STEP == 0:
                yield taken

    def _same_name(self, by_name: int, by_id: int, number: int) -> None:
        """Rows with a name alone and rows with the name and an id are of one person: they may not differ, and what both have
        belongs to the id."""
        for column, file in self.columns.items():
            width = self.place.size if column == _EMAIL else CELL
            one, other = self._value(column, by_name, width), self._value(column, by_id, width)
            if one and other:
                if one != other:
                    raise ConflictError(_SOURCE_COLUMNS[column], number)
                file.seek(by_name * width)
                file.write(bytes(width))
            file.seek(0, os.SEEK_END)

    def _value(self, column: int, person: int, width: int) -> bytes:
        cell = _read_at(self.columns[column], person * width, width)
        if cell == bytes(width):
            return b""
        if column == _EMAIL:
            place = self.place.unpack(cell)[0]
        elif cell.startswith(IN_TEXTS):
            place = int.from_bytes(cell[8:], sys.byteorder)
        else:
            return cell
        text = _read_at(self.texts, place + 2, int.from_bytes(_read_at(self.texts, place, 2), sys.byteorder))
        self.texts.seek(0, os.SEEK_END)
        return text


def _read_at(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _write(out: BinaryIO, read: _Read, persons: _Persons) -> None:
    parts = {_COLUMNS[column]: file for column, file in persons.columns.items()}
    parts |= {"names": persons.names, "name_persons": persons.name_persons, "texts": persons.texts}
    parts |= {
        "id_starts": persons.id_starts.whole(len(persons.ids)),
        "name_starts": persons.name_starts.whole(persons.name_count),
    }
    parts |= {"domains": BytesIO(persons.domain_places.tobytes())}
    sections = {"ids": Section(0, len(persons.ids) * persons.ids.itemsize, persons.ids.itemsize)}
    widths = {
        "email": persons.place.size,
        "domains": persons.place.size,
        "names": 8,
        "name_persons": 4,
        "id_starts": 4,
        "name_starts": 4,
    }
    end = aligned(sections["ids"].length)
    for name, file in parts.items():
        sections[name] = Section(end, file.seek(0, os.SEEK_END), widths.get(name, 1))
        end = aligned(end + sections[name].length)
    header = Header(
        byte_order=sys.byteorder,
        rows=read.rows,
        types=sorted(read.types),
        name_only=persons.name_only,
        id_shift=persons.id_starts.shift,
        name_shift=persons.name_starts.shift,
        salt=read.salt.hex(),
        size=end,
        sections=sections,
    )
    text = msgspec.json.encode(header)
    out.write(MAGIC + len(text).to_bytes(8, "little") + text)
    _align(out)
    out.write(persons.ids)
    _align(out)
    for file in parts.values():
        file.seek(0)
        while piece := file.read(_PIECE):
            out.write(piece)
        _align(out)


def _align(out: BinaryIO) -> None:
    end = out.tell()
    out.write(bytes(aligned(end) - end))
