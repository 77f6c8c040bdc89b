"""The two look-up tables: files that the site exports, read as CSV, JSON lines or Avro from any file system."""

from __future__ import annotations

import csv
import re
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import msgspec

from edx2lrs.io.paths import open_bytes
from edx2lrs.transforms.people.course_names import CourseNames
from edx2lrs.transforms.people.person_ids import LARGEST_ID, NoPersonError, id_or_name, username_of

ID_COLUMNS = ("user_id", "username", "external_id_type", "external_user_id")
_COURSE_COLUMNS = ("course_id", "display_name")
ID_TYPES = ("XAPI", "CALIPER", "LTI")
LONGEST_TEXT = 0xFFFD  # bytes
_LONGEST_LINE = 1024 * 1024
_LIMITED = ("external_user_id", "email")
_AVRO = b"Obj\x01"
_UUID_OF_MYSQL = re.compile(r"[0-9a-fA-F]{32}\Z")  # where the LMS keeps UUIDs as char(32)


class TableError(Exception):
    """A table that cannot be used. The message names file, line (or record), column, the type found and the one
    expected, never a value of the table."""


class TableRow(NamedTuple):
    """Where a record stands: ``word`` is "line" or "record"."""

    path: str
    word: str
    number: int

    def __str__(self) -> str:
        return f"{self.path}: {self.word} {self.number}"


class ExternalIdRow(NamedTuple):
    """One row of the table of external ids. ``user_id`` or ``username`` is there; ``type`` is in upper case."""

    user_id: int | None
    username: str | None
    type: str
    external_id: str | None
    email: str | None


_make_row = partial(tuple.__new__, ExternalIdRow)  # in a third of the time of a call of the class
_Record = tuple[str, int, Sequence[Any]]
"""Word and number of a ``TableRow``, and the values of the wanted columns, as the format has them."""
_Read = TypeVar("_Read")


class _WrongValue(Exception):
    """What is wrong with a record: the column, what was found, and what was expected."""


def external_id_rows(path: str, emails: bool) -> Iterator[tuple[int, ExternalIdRow]]:
    """The rows of the table of external ids, checked, each after the number of its line or record. Columns: ``user_id``,
    ``username``, ``external_id_type``, ``external_user_id`` and perhaps ``email``, which is in no row unless ``emails`` are asked
    for; others are not looked at. The format is told by the content: Avro, JSON lines, else CSV. An id of 32 hexadecimal digits is
    a UUID as MySQL has it, and gets its hyphens, as in what the LMS sends. Raises TableError."""
    return _checked(path, partial(_row, emails), ID_COLUMNS, ("email",))


def table_row(path: str, number: int) -> TableRow:
    """The place of the record that ``external_id_rows`` gave this number."""
    with open_bytes(path) as file:
        return TableRow(path, "record" if file.read(len(_AVRO)) == _AVRO else "line", number)


def read_course_names(path: str) -> CourseNames:
    """The table of course names. Columns: ``course_id``, ``display_name``; the last row of a course counts, an empty
    name is none. The format is told as for external ids. Raises TableError."""
    names: dict[str, str] = {}
    for _, (course_id, name) in _checked(path, _course, _COURSE_COLUMNS, ()):
        if name is not None:
            names[course_id] = name
        else:
            names.pop(course_id, None)
    return CourseNames(names)


def _checked(
    path: str, read: Callable[[Sequence[Any]], _Read], columns: tuple[str, ...], optional: tuple[str, ...]
) -> Iterator[tuple[int, _Read]]:
    """What ``read`` makes of the values of each record, after the number of the record."""
    for word, number, values in _records(path, columns, optional):
        try:
            row = read(values)
        except _WrongValue as wrong:
            raise TableError(f"{TableRow(path, word, number)}, column {wrong}") from None
        yield number, row


def _course(values: Sequence[Any]) -> tuple[str, str | None]:
    course_id, name = _text(values[0], "course_id"), _text(values[1], "display_name")
    if course_id is None:
        raise _WrongValue("course_id: found nothing, expected a course key")
    return course_id, name


def _row(emails: bool, values: Sequence[Any]) -> ExternalIdRow:
    user_id, username, id_type, external_id, email = values
    user_id, username = _user_id(user_id), username_of(_text(username, "username"))
    if user_id is None and username is None:
        raise _WrongValue("user_id: found nothing, expected a user id (or a username)")
    id_type = _text(id_type, "external_id_type")
    external_id = _text(external_id, "external_user_id")
    email = _text(email, "email") if emails or external_id is None else None
    if external_id is not None:
        if id_type is None:
            raise _WrongValue("external_id_type: found nothing, expected XAPI, CALIPER or LTI")
        if len(external_id) == 32 and _UUID_OF_MYSQL.match(external_id):
            external_id = str(uuid.UUID(hex=external_id))
    elif email is None:
        raise _WrongValue("external_user_id: found nothing, expected an external id")
    return _make_row((user_id, username, id_type.upper() if id_type else "", external_id, email if emails else None))


def _text(value: Any, column: str) -> str | None:
    if isinstance(value, str):
        text = value.strip()
        if len(text) > LONGEST_TEXT // 4 and column in _LIMITED and len(text.encode()) > LONGEST_TEXT:
            raise _WrongValue(f"{column}: found a longer text, expected {LONGEST_TEXT} bytes at most")
        return text or None
    if value is None:
        return None
    raise _WrongValue(f"{column}: found {_kind(value)}, expected text")


def _user_id(value: Any) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        if len(text) < 20 and text.isdigit() and text.isascii():
            value = int(text)  # nearly always
    if type(value) is int and 0 < value <= LARGEST_ID:
        return value
    try:
        found = "" if type(value) is int else id_or_name(value)
    except NoPersonError:
        found = ""
    if isinstance(found, str):
        kind = "a number out of range" if type(value) is int else _kind(value)
        raise _WrongValue(f"user_id: found {kind}, expected a whole number above 0")
    return found


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text that is no number"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), type(value).__name__)


def _records(path: str, columns: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[_Record]:
    try:
        with open_bytes(path) as file:
            bounded = iter(partial(file.readline, _LONGEST_LINE), b"")
            first = next(bounded, b"").removeprefix(b"\xef\xbb\xbf")
            lines = _decoded(path, chain([first], bounded))
            if first.startswith(_AVRO):
                yield from _avro(path, columns, optional)
            elif first.lstrip()[:1] == b"{":
                yield from _json_lines(path, lines, columns, optional)
            else:
                yield from _csv(path, lines, columns, optional)
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error):
        raise TableError(f"{path}: cannot be read: its compressed data is damaged or cut off") from None


def _decoded(path: str, lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            raise TableError(f"{path}: line {number}: longer than {_LONGEST_LINE:,} bytes; expected a line for each row")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise TableError(f"{path}: line {number}: bytes that are not UTF-8; export the table as UTF-8") from None
        yield text


def _csv(path: str, lines: Iterable[str], columns: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[_Record]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_columns(path, "line 1", header, columns, optional)
        pick = itemgetter(*(header.index(name) if name in header else len(header) for name in columns + optional))
        for values in reader:
            if not values:
                continue
            if len(values) != len(header):
                place = TableRow(path, "line", reader.line_num)
                raise TableError(f"{place}: found {len(values)} columns, expected {len(header)} as in the header")
            values.append("")  # the optional column, where there is none
            yield "line", reader.line_num, pick(values)
    except csv.Error as error:
        raise TableError(f"{path}: line {reader.line_num}: broken CSV: {error}") from None


def _json_lines(path: str, lines: Iterable[str], columns: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[_Record]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = TableRow(path, "line", number)
        try:
            values = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            raise TableError(f"{place}: found no valid JSON, expected one object per line") from None
        if not isinstance(values, dict):
            raise TableError(f"{place}: found {_kind(values)}, expected an object")
        _check_columns(path, f"line {number}", values, _needed(columns, values), optional)
        yield "line", number, [values.get(name) for name in columns + optional]


def _avro(path: str, columns: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[_Record]:
    from edx2lrs.io.avro_records import AvroError, records  # only when there is Avro: slow to import

    number = 0
    try:
        with open_bytes(path) as file:
            for number, values in enumerate(records(file), 1):
                if not isinstance(values, dict):
                    raise TableError(f"{TableRow(path, 'record', number)}: found {_kind(values)}, expected a record")
                if number == 1:
                    _check_columns(path, "schema", values, columns, optional)
                yield "record", number, [values.get(name) for name in columns + optional]
    except AvroError as error:
        raise TableError(f"{path}: record {number + 1}: broken Avro: {error}") from None
    except (ValueError, KeyError, TypeError, EOFError, IndexError, StopIteration) as error:
        raise TableError(f"{path}: record {number + 1}: broken Avro ({type(error).__name__})") from None


def _needed(columns: tuple[str, ...], values: Iterable[str]) -> tuple[str, ...]:
    """In JSON lines a user may be given by id or name alone, so one of the two keys may be missing."""
    if columns is ID_COLUMNS and ("user_id" in values or "username" in values):
        return tuple(column for column in columns if column not in ("user_id", "username"))
    return columns


def _check_columns(path: str, place: str, found: Iterable[str], expected: tuple[str, ...], optional: tuple[str, ...]) -> None:
    found = list(found)
    doubled = sorted({name for name in expected + optional if found.count(name) > 1})
    if doubled:
        raise TableError(f"{path}: {place}: column {doubled[0]} is there twice")
    missing = [column for column in expected if column not in found]
    if missing:
        raise TableError(f"{path}: {place}: column {', '.join(missing)} is missing; expected the header {','.join(expected)}")
