"""Exports of warehouses: rows of which one column holds the event, as CSV or as JSON lines.

CSV is told by a field that is JSON in quotes, with the quotes of JSON doubled or behind back-slashes. The column is told by its first
value, or by the option ``--event-column``: a name of the first row, or a number from 1 on. JSON lines need the option only if a row
has keys that the LMS writes too: otherwise a row is an envelope."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

from edx2lrs.io.sources.lines import KEPT_OF_A_LONG_LINE, LONGEST_LINE, Lines, LongLine, cut
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.line_events import events_of_line

_json_in_quotes = re.compile(rb'(?:\A|[\n,;\t|])"\s*[\[{]+\s*(""|\\")\w').search
_MARK = "\ufeff"
_DELIMITERS = ",\t;|"


class _Csv(NamedTuple):
    """A dialect. ``quote``: how a quote within a text is written."""

    delimiter: str
    quote: str

    def quotes(self, line: str) -> int:
        """How many quotes begin or end a text in ``line``, or stand in pairs."""
        return (re.sub(r"\\.", "", line, flags=re.DOTALL) if self.quote == '\\"' else line).count('"')

    def fields(self, record: str) -> list[str]:
        inner = r'[^"\\]*(?:\\.[^"\\]*)*' if self.quote == '\\"' else r'[^"]*(?:""[^"]*)*'
        end = re.escape(self.delimiter)
        found = re.findall(rf'(?:"({inner})"|([^{end}]*))({end}|\Z)', record, re.DOTALL)
        return [self._plain(quoted) or bare for quoted, bare, _ in (found[:-1] if found[-2:-1] and not found[-2][2] else found)]

    def _plain(self, quoted: str) -> str:
        if self.quote == '""':
            return quoted.replace('""', '"')
        return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], quoted, flags=re.DOTALL)


class _Column(NamedTuple):
    """Where the events are in CSV. ``has_names``: whether the first row holds the names of columns."""

    dialect: _Csv
    number: int
    has_names: bool


_Rows = Callable[[Iterator[bytes]], Iterator[Lines | LongLine]]


def rows_of(head: bytes, column: str | None) -> _Rows | str | None:
    """How the rows of a text that begins with ``head`` are read; None if the text has no such rows; a text says why not."""
    if column is not None and head.removeprefix(_MARK.encode()).lstrip()[:1] == b"{":
        return partial(_of_json, column)
    quotes = _json_in_quotes(head)
    is_log = head.lstrip()[:1] == b"{" or (quotes is not None and _has_event(head.partition(b"\n")[0].decode(errors="replace")))
    if column is None and (quotes is None or is_log):
        return None
    text = head.decode(errors="surrogateescape").removeprefix(_MARK)
    found = _column_of(text, quotes[1].decode() if quotes else '""', column)
    return partial(_of_csv, found) if isinstance(found, _Column) else found


def _column_of(text: str, quote: str, column: str | None) -> _Column | str:
    lines = [f"{line}\n" for line in text.split("\n")]
    for dialect in (_Csv(delimiter, quote) for delimiter in _DELIMITERS):
        first, *others = _first_rows(dialect, lines)
        names, row = [name.strip() for name in first], others[0] if others else first
        if column is not None:
            if column in names:
                return _Column(dialect, names.index(column), True)
            index = int(column) - 1 if column.isdigit() else -1
            if 0 <= index < len(row) and _is_object(row[index]):
                return _Column(dialect, index, not any(map(_is_object, first)))
            continue
        objects = [index for index, value in enumerate(row) if _is_object(value)]
        events = [index for index in objects if _has_event(row[index])] or objects
        if len(events) == 1:
            return _Column(dialect, events[0], not any(map(_has_event, first)))
    header = lines[0].rstrip("\r\n")
    names = _Csv(max(_DELIMITERS, key=header.count), quote).fields(header)
    shown = ", ".join(name for name in names if len(name) < 50 and name.isprintable() and "{" not in name)
    return f"a table whose column of events is not clear (columns: {shown[:300]}); --event-column names the column"


def _first_rows(dialect: _Csv, lines: list[str]) -> list[list[str]]:
    """The first row, and the second one, if there is one. The last row of ``lines`` may be cut."""
    rows: list[list[str]] = []
    open_row = ""
    for line in lines:
        open_row += line
        if dialect.quotes(open_row) % 2 == 0 and open_row.strip():
            rows.append(dialect.fields(open_row.strip("\r\n")))
            open_row = ""
        if len(rows) == 2:
            return rows
    return [*rows, dialect.fields(f'{open_row}"')] if open_row.strip() else rows or [[]]


def _is_object(value: str) -> bool:
    return value.lstrip()[:1] in ("{", "[")


def _has_event(value: str) -> bool:
    return any(not isinstance(event, Refusal) for _, event in events_of_line(value.encode(errors="surrogateescape")))


def _of_csv(column: _Column, pieces: Iterator[bytes]) -> Iterator[Lines | LongLine]:
    """The events of a column. A row without an event is given as it is."""
    dialect, index, is_names = column
    parts: list[str] = []
    size = quotes = first_line = 0
    for number, line in _numbered(pieces):
        if isinstance(line, LongLine):
            yield line
            continue
        text = line.decode(errors="surrogateescape")
        first_line = first_line if parts else number
        parts.append(text)
        size += len(text)
        quotes += dialect.quotes(text)
        if quotes % 2 and size <= LONGEST_LINE and text.endswith("\n"):
            continue  # a text goes on in the next line
        row = "".join(parts)
        parts, size, quotes = [], 0, 0
        if is_names or not row.strip():
            is_names = is_names and not row.strip()
        elif len(row) > LONGEST_LINE:
            yield LongLine(row.encode(errors="surrogateescape")[:KEPT_OF_A_LONG_LINE], first_line, len(row))
        else:
            fields = dialect.fields(row.removeprefix(_MARK).rstrip("\r\n"))
            yield _record(fields[index] if index < len(fields) else "", row, first_line)
    if parts:
        yield _record("", "".join(parts), first_line)


def _of_json(key: str, pieces: Iterator[bytes]) -> Iterator[Lines | LongLine]:
    for number, line in _numbered(pieces):
        if isinstance(line, LongLine):
            yield line
            continue
        row = line.decode(errors="surrogateescape").removeprefix(_MARK)
        try:
            values = json.loads(row)
        except (ValueError, RecursionError):
            values = None
        value: Any = values.get(key) if isinstance(values, dict) else None
        yield _record(json.dumps(value) if isinstance(value, (dict, list)) else value if isinstance(value, str) else "", row, number)


def _record(event: str, row: str, line: int) -> Lines:
    text = event.strip() or row.strip()
    return Lines(text.encode(errors="surrogateescape") + (b"\n" if row.endswith("\n") or event else b""), line, 1, together=True)


def _numbered(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes | LongLine]]:
    for part in cut(pieces, 1):
        if isinstance(part, LongLine):
            yield part.line, part
        else:
            yield from enumerate(BytesIO(part.data), part.first_line)
