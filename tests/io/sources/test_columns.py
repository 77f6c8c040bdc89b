"""Exports of warehouses: the column that holds the event is found by its first value, or named by an option."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import fingerprint
from edx2lrs.io.sources.position import Reached
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.line_events import events_of_line
from testkit.tracking_records import played

ODD = 'a "quoted", text; \\ with é\tand | signs'
EVENTS = [played(number, event={"id": "b42", "text": ODD, "n": number}).decode() for number in (1, 2, 3)]


def table(rows: list[list[str]], **dialect: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue().encode()


def read(tmp_path: Path, content: bytes, column: str | None = None) -> list[tuple[int, str]]:
    """Line and number of each event; the cause of what is none; the message of a file that is refused."""
    path = tmp_path / "export"
    path.write_bytes(content)
    found: list[tuple[int, str]] = []
    reached = Reached()
    while not reached.done:  # a new reader each time
        polled = FileReader(str(path), reached, column=column).poll(1)
        for lines in polled.lines:
            for line, body in enumerate(lines.records, lines.first_line):
                if body.strip():
                    for _, event in events_of_line(body.strip()):
                        found.append((line, event.cause if isinstance(event, Refusal) else str(int((event.time or "")[20:26]))))
        if polled.damage:
            return [(polled.damage.line, polled.damage.message)]
        reached = polled.reached
    return found


HEADER = ["id", "received", "raw_event", "note"]
ROWS = [[str(number), "2024-03-13", event, "a, b\nc" if number == 1 else ""] for number, event in enumerate(EVENTS)]
FOUND = [(2, "1"), (3, "2"), (5, "3")]  # a note has two lines
DIALECTS: dict[str, dict[str, Any]] = {
    "commas": {},
    "semicolons": {"delimiter": ";"},
    "tabs": {"delimiter": "\t"},
    "all in quotes": {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},
    "back-slashes": {"quoting": csv.QUOTE_ALL, "escapechar": "\\", "doublequote": False},
}


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_the_column_of_events_is_found(tmp_path: Path, dialect: dict[str, Any]) -> None:
    content = table([HEADER, *ROWS], **dialect)
    assert read(tmp_path, content) == FOUND
    assert fingerprint(str(tmp_path / "export")).packed  # one part
    assert read(tmp_path, content, "raw_event") == FOUND
    assert read(tmp_path, content, "3") == FOUND
    assert read(tmp_path, gzip.compress(b"\xef\xbb\xbf" + content)) == FOUND
    assert read(tmp_path, content.decode().encode("utf-16")) == FOUND
    without_names = [(line - 1, number) for line, number in FOUND]
    assert read(tmp_path, table(ROWS, **dialect)) == without_names
    assert read(tmp_path, table(ROWS, **dialect), "3") == without_names
    single = [(1, "1"), (2, "2"), (3, "3")]
    assert read(tmp_path, table([[event] for event in EVENTS], **{"quoting": csv.QUOTE_ALL, **dialect})) == single


def test_of_several_columns_with_objects_the_one_with_events_is_read(tmp_path: Path) -> None:
    rows = [[json.dumps({"a": number}), event, json.dumps({"event": number})] for number, event in enumerate(EVENTS)]
    assert [number for _, number in read(tmp_path, table([["x", "y", "z"], *[row[:2] for row in rows]]))] == ["1", "2", "3"]
    [(line, message)] = read(tmp_path, table([["x", "y", "z"], *[[row[1], row[1]] for row in rows]]))
    assert line == 1
    assert "columns: x, y, z" in message
    assert "--event-column" in message
    doubled = table([["x", "y", "z"], *[[row[1], row[1]] for row in rows]])
    assert [number for _, number in read(tmp_path, doubled, "y")] == ["1", "2", "3"]


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    [(_, message)] = read(tmp_path, table([HEADER, *ROWS]), "event")
    assert "columns: id, received, raw_event, note" in message


def test_rows_without_an_event_are_records(tmp_path: Path) -> None:
    rows = [ROWS[0], ["7", "2024", "", ""], ["8"], ROWS[2]]
    assert [number for _, number in read(tmp_path, table([HEADER, *rows]))] == ["1", "not_json", "not_json", "3"]
    cut = table([HEADER, *ROWS])[:-40]
    assert [number for _, number in read(tmp_path, cut)] == ["1", "2", "not_json"]


def test_json_lines_have_a_column_too(tmp_path: Path) -> None:
    rows = [{"id": number, "username": "bob", "event_type": "x", "raw": event} for number, event in enumerate(EVENTS)]
    rows[1]["raw"] = json.loads(EVENTS[1])
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert read(tmp_path, content, "raw") == [(1, "1"), (2, "2"), (3, "3")]
    assert [cause for _, cause in read(tmp_path, content)] == ["not_an_event"] * 3
    plain = "".join(json.dumps({"id": 1, "any_name": event}) + "\n" for event in EVENTS).encode()
    assert read(tmp_path, plain) == [(1, "1"), (2, "2"), (3, "3")]  # an envelope


def test_a_log_is_no_table(tmp_path: Path) -> None:
    lists = played(1, event={"id": "b42", "list": ["a", '{"b": 1}', '{"c'] }, page='x,"{""a"').decode().replace('", "', '","')
    assert read(tmp_path, f"{lists}\n{lists}\n".encode()) == [(1, "1"), (2, "1")]
    assert read(tmp_path, f"Mar 13 06:00:01 lms: {lists}\n".encode()) == [(1, "1")]
