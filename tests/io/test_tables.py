"""The look-up tables as their files: every format, and faults that name file, line, column and type but no value."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pytest

from edx2lrs.io.external_ids import open_external_ids
from edx2lrs.io.external_ids_database import ExternalIdTable
from edx2lrs.io.tables import TableError, read_course_names

HEADER = "user_id,username,external_id_type,external_user_id,email\n"
ROWS: list[dict[str, Any]] = [
    {"user_id": 5, "username": "ann", "external_id_type": "XAPI", "external_user_id": "ann-x", "email": "ann@example.com"},
    {"user_id": 5, "username": "ann", "external_id_type": "caliper", "external_user_id": "ann-c", "email": None},
    {"user_id": 6, "username": "Zoë, B.", "external_id_type": "XAPI", "external_user_id": "zoe-x", "email": None},
    {"user_id": None, "username": "bob", "external_id_type": "XAPI", "external_user_id": "bob-x", "email": None},
    {"user_id": 7, "username": None, "external_id_type": "mb_coaching", "external_user_id": "c-7", "email": None},
]
SECRET = "do-not-show"


def read_external_ids(path: str) -> ExternalIdTable:
    table = open_external_ids(path, emails=True)
    assert table is not None
    return table


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    lines = [",".join(f'"{"" if value is None else value}"' for value in row.values()) for row in rows]
    return (HEADER + "\n".join(lines) + "\n").encode()


def as_json_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_avro(rows: list[dict[str, Any]], path: Path) -> None:
    text = ["null", "string"]
    types = {"user_id": ["null", "long"], "username": text, "external_id_type": text, "external_user_id": text, "email": text}
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": types[name]} for name in rows[0]]}
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows)


@pytest.mark.parametrize("form", ["csv", "csv with BOM and CRLF", "gz", "jsonl", "jsonl with BOM", "avro"])
def test_external_ids_in_every_format(tmp_path: Path, form: str) -> None:
    path = tmp_path / "ids"
    if form == "avro":
        as_avro(ROWS, path)
    else:
        data = as_json_lines(ROWS) if "jsonl" in form else as_csv(ROWS)
        data = b"\xef\xbb\xbf" + data if "BOM" in form else data
        data = data.replace(b"\n", b"\r\n") if "CRLF" in form else data
        path.write_bytes(gzip.compress(data) if form == "gz" else data)
    table = read_external_ids(str(path))
    assert table.rows == 5
    assert table.types == {"XAPI", "CALIPER", "MB_COACHING"}
    assert [table.external_id("XAPI", user_id, None) for user_id in (5, 6, 7, 8)] == ["ann-x", "zoe-x", None, None]
    assert [table.external_id("XAPI", None, name) for name in ("ann", "Zoë, B.", "bob", "eve")] == [
        "ann-x",
        "zoe-x",
        "bob-x",
        None,
    ]
    assert (table.external_id("CALIPER", 5, "ann"), table.email(5, "ann"), table.email(None, "ann"), table.email(6, None)) == (
        "ann-c",
        "ann@example.com",
        "ann@example.com",
        None,
    )


def test_other_columns_blank_lines_and_order_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("note,external_user_id, username ,user_id,external_id_type\nx,ann-x,ann, 5 ,XAPI\n\n,bob-x,bob,,XAPI\n")
    table = read_external_ids(str(path))
    assert (table.external_id("XAPI", 5, None), table.external_id("XAPI", None, "bob"), table.has_emails) == (
        "ann-x",
        "bob-x",
        False,
    )


def test_a_table_of_nothing_but_its_header_knows_nobody(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(HEADER)
    assert read_external_ids(str(path)).external_id("XAPI", 5, "ann") is None


def test_a_uuid_as_mysql_has_it_gets_its_hyphens(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(HEADER + "5,ann,XAPI,2b6bb4a12d2d4dbf9d0d4b8d7ce4a111,\n6,bob,XAPI,2b6bb4a12d2d4dbf9d0d4b8d7ce4a11,\n")
    table = read_external_ids(str(path))
    assert [table.external_id("XAPI", user_id, None) for user_id in (5, 6)] == [
        "2b6bb4a1-2d2d-4dbf-9d0d-4b8d7ce4a111",
        "2b6bb4a12d2d4dbf9d0d4b8d7ce4a11",
    ]


def test_the_same_row_twice_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_bytes(as_csv([*ROWS, *ROWS]))
    assert read_external_ids(str(path)).external_id("XAPI", 5, None) == "ann-x"


NO_HEADER = "line 1: column user_id, username, external_id_type, external_user_id is missing; expected the header"


HEADER_FAULTS = {
    "empty": ("", NO_HEADER),
    "rows alone": ("5,ann,XAPI,x\n", NO_HEADER),
    "a column less": ("user_id,username,external_user_id\n", "line 1: column external_id_type is missing"),
    "a column twice": ("user_id,user_id,username,external_id_type,external_user_id\n", "line 1: column user_id is there twice"),
}
ROW_FAULTS = {
    "text for a number": (
        f"5,a,XAPI,x,\n{SECRET},b,XAPI,x,\n",
        "line 3, column user_id: found text that is no number, expected a whole number above 0",
    ),
    "fraction": ("5.5,a,XAPI,x,\n", "line 2, column user_id: found text that is no number"),
    "0": ("0,a,XAPI,x,\n", "line 2, column user_id: found a number out of range, expected a whole number above 0"),
    "large": ("99999999999999999999,a,XAPI,x,\n", "line 2, column user_id: found text that is no number"),
    "no user": (f",,XAPI,{SECRET},\n", "line 2, column user_id: found nothing, expected a user id (or a username)"),
    "no id": (f"5,{SECRET},XAPI,,\n", "line 2, column external_user_id: found nothing"),
    "no type": (f"5,{SECRET},,x,\n", "line 2, column external_id_type: found nothing, expected XAPI, CALIPER or LTI"),
    "too few columns": (f"5,{SECRET}\n", "line 2: found 2 columns, expected 5 as in the header"),
    "two ids": (f"5,a,XAPI,x,\n5,a,XAPI,{SECRET},\n", "line 3, column external_user_id: another row gives this user another"),
    "two addresses": (f"5,a,XAPI,x,b@x\n5,a,LTI,y,{SECRET}@x\n", "line 3, column email: another row gives this user another"),
    "one name, two users": (f"5,{SECRET},XAPI,x,\n6,{SECRET},XAPI,y,\n", "line 3, column username: another row gives this name"),
    "one name, with an id and without": (f"5,a,XAPI,x,\n,a,XAPI,{SECRET},\n", "line 3, column external_user_id: another row"),
    "long id": (f"5,a,XAPI,{SECRET * 6000},\n", "line 2, column external_user_id: found a longer text, expected 65533 bytes"),
    "quote": (f'5,"a"{SECRET},XAPI,x,\n', "line 2: broken CSV"),
    "latin 1": ("5,a,XAPI,x,\n6,Zo\udceb,XAPI,x,\n", "line 3: bytes that are not UTF-8; export the table as UTF-8"),
    "line break in a field": ('5,"a\nb",XAPI,x,\n0,c,XAPI,x,\n', "line 4, column user_id: found a number out of range"),
}
CSV_FAULTS = HEADER_FAULTS | {name: (HEADER + rows, words) for name, (rows, words) in ROW_FAULTS.items()}


@pytest.mark.parametrize(("text", "expected"), CSV_FAULTS.values(), ids=CSV_FAULTS.keys())
def test_faults_of_a_csv(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "ids.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(TableError) as raised:
        read_external_ids(str(path))
    assert str(raised.value).startswith(f"{path}: {expected}")
    assert SECRET not in str(raised.value)


ROW = {"user_id": 5, "external_id_type": "XAPI", "external_user_id": "x"}
JSON_FAULTS = {
    "truncated": ('{"user_id": 5, "external_id_type"', "line 2: found no valid JSON, expected one object per line"),
    "list": ("[1]", "line 2: found a list, expected an object"),
    "deep": ("[" * 100_000, "line 2: found no valid JSON"),
    "float": (json.dumps(ROW | {"user_id": 5.5}), "line 2, column user_id: found a number, expected a whole number"),
    "boolean": (json.dumps(ROW | {"user_id": True}), "line 2, column user_id: found true or false"),
    "number for text": (json.dumps(ROW | {"username": 5}), "line 2, column username: found a number, expected text"),
    "no type": ('{"username": "a", "external_user_id": "x"}', "line 2: column external_id_type is missing"),
}


@pytest.mark.parametrize(("line", "expected"), JSON_FAULTS.values(), ids=JSON_FAULTS.keys())
def test_faults_of_json_lines(tmp_path: Path, line: str, expected: str) -> None:
    path = tmp_path / "ids.jsonl"
    path.write_bytes(as_json_lines(ROWS[:1]) + line.encode() + b"\n")
    with pytest.raises(TableError) as raised:
        read_external_ids(str(path))
    assert str(raised.value).startswith(f"{path}: {expected}")


@pytest.mark.parametrize("read", [read_external_ids, read_course_names])
def test_a_small_file_never_takes_much_memory(tmp_path: Path, read: Callable[[str], object]) -> None:
    path = tmp_path / "table"
    path.write_bytes(gzip.compress(bytes(300_000_000)))
    tracemalloc.start()
    with pytest.raises(TableError, match=r"line 1: longer than 1,048,576 bytes"):
        read(str(path))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": "string"} for name in ("user_id", "course_id")]}
    with path.open("wb") as file:
        fastavro.writer(file, schema, [{"user_id": "1", "course_id": "a" * 100_000_000}], codec="deflate")
    tracemalloc.reset_peak()
    with pytest.raises(TableError, match=r"record 1: broken Avro: a block that is packed from more than"):
        read(str(path))
    assert tracemalloc.get_traced_memory()[1] < 300_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_avro_is_read_with_each_codec(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "courses.avro"
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": "string"} for name in ("course_id", "display_name")]}
    with path.open("wb") as file:
        fastavro.writer(file, schema, [{"course_id": "c1", "display_name": "One"}], codec=codec)
    assert read_course_names(str(path))("c1") == "One"


def test_faults_of_an_avro_file(tmp_path: Path) -> None:
    path = tmp_path / "ids.avro"
    as_avro(ROWS, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TableError, match=r"ids\.avro: record \d: broken Avro"):
        read_external_ids(str(path))
    as_avro([{"user_id": 5, "username": "ann"}], path)
    with pytest.raises(TableError, match=r"ids\.avro: schema: column external_id_type, external_user_id is missing"):
        read_external_ids(str(path))


def test_a_file_that_is_not_there_and_one_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv.gz"
    with pytest.raises(TableError, match=r"ids\.csv\.gz: cannot be read: No such file"):
        read_external_ids(str(path))
    path.write_bytes(gzip.compress(as_csv(ROWS * 100))[:60])
    with pytest.raises(TableError, match=r"ids\.csv\.gz: cannot be read: its compressed data is damaged or cut off"):
        read_external_ids(str(path))


def test_course_names(tmp_path: Path) -> None:
    path = tmp_path / "courses.csv"
    path.write_text('course_id,display_name\nc1,"Algebra, 1"\nc2,\nc3,Álgebra\nc1,New name\nc4,x\nc4,\n', encoding="utf-8")
    names = read_course_names(str(path))
    assert [names(course) for course in ("c1", "c2", "c3", "c4", "c5")] == ["New name", None, "Álgebra", None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,name\n", "line 1: column course_id, display_name is missing"),
        ("course_id,display_name\n,x\n", "line 2, column course_id"),
    ],
)
def test_faults_of_course_names(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "courses.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=expected):
        read_course_names(str(path))
