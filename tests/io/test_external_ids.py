"""The compiled table of external ids: who is found, and how it is made once and kept for all processes of a machine."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from edx2lrs.io.external_ids import SMALL, open_external_ids, version_of
from edx2lrs.io.external_ids_database import ConflictError, ExternalIdTable, in_memory, opened_file, write_file
from edx2lrs.io.tables import LONGEST_TEXT, ExternalIdRow, TableError

USERS = 6_000
HEADER = "user_id,username,external_id_type,external_user_id,email\n"


def compiled(*rows: ExternalIdRow) -> ExternalIdTable:
    return in_memory(enumerate(rows, 1))


def xapi(user_id: int | None, username: str | None, external_id: str) -> ExternalIdRow:
    return ExternalIdRow(user_id, username, "XAPI", external_id, None)


UUIDS = {
    "as the LMS makes them": "2b6bb4a1-2d2d-4dbf-9d0d-4b8d7ce4a111",
    "nil": "00000000-0000-0000-0000-000000000000",
    "of ones": "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "of ones at first": "ffffffff-ffff-ffff-0000-000000000001",
    "capitals": "2B6BB4A1-2D2D-4DBF-9D0D-4B8D7CE4A111",
    "no hyphens": "2b6bb4a12d2d4dbf9d0d4b8d7ce4a111",
    "hyphens elsewhere": "2b6bb4a-12d2d-4dbf-9d0d-4b8d7ce4a111",
    "no UUID of that length": "x" * 36,
    "spaces in it": "2b6bb4a1-2d2d-4dbf-9d0d-4b8d7ce4a1 1",
    "other scripts": "Zoë-Ж-🙂",
    "one letter": "x",
    "long": "x" * LONGEST_TEXT,
}


@pytest.mark.parametrize("text", UUIDS.values(), ids=UUIDS.keys())
def test_an_id_comes_back_as_the_table_has_it(text: str) -> None:
    table = compiled(xapi(4, "ann", "another"), xapi(5, "bob", text), xapi(6, "eve", "a third"))
    assert (table.external_id("XAPI", 5, None), table.external_id("XAPI", None, "bob")) == (text, text)


def test_addresses_come_back_as_the_table_has_them() -> None:
    addresses = [
        "a@b.example",
        "c@b.example",
        "Zoë@ü.example",
        "x@y@b.example",
        "@",
        "no address",
        "@b.example",
        "a@",
        "x" * LONGEST_TEXT,
    ]
    table = compiled(*(ExternalIdRow(number, None, "", None, address) for number, address in enumerate(addresses, 1)))
    assert [table.email(number, None) for number in range(1, len(addresses) + 2)] == [*addresses, None]


def test_addresses_of_many_domains() -> None:
    users = (1, 2, 65_535, 65_536, 65_537)
    table = compiled(*(ExternalIdRow(user, None, "", None, f"a@{user}.example") for user in range(1, 65_538)))
    assert [table.email(user, None) for user in users] == [f"a@{user}.example" for user in users]


def test_the_largest_user_ids() -> None:
    largest = 2**63 - 1
    table = compiled(*(xapi(user_id, None, f"id-{user_id}") for user_id in (largest, 2**32, 2**32 - 1, 1)))
    for user_id in (1, 2**32 - 1, 2**32, largest):
        assert table.external_id("XAPI", user_id, None) == f"id-{user_id}"
    for user_id in (-5, 0, 2, 2**32 + 1, largest + 1, 2**70):
        assert table.external_id("XAPI", user_id, None) is None


ONE_BY_NAME = [xapi(None, "ann", "ann-x"), ExternalIdRow(5, "ann", "CALIPER", "ann-c", None)]
WHO = {
    "by name, in the row without an id": ("XAPI", None, "ann", "ann-x"),
    "by name, in the row with an id": ("CALIPER", None, "ann", "ann-c"),
    "an id that has none of the type, with a name": ("XAPI", 5, "ann", "ann-x"),
    "the id alone": ("XAPI", 5, None, None),
    "another id with the name": ("CALIPER", 77, "ann", None),
}


@pytest.mark.parametrize(("id_type", "user_id", "username", "expected"), WHO.values(), ids=WHO.keys())
def test_rows_by_name_and_rows_by_id(id_type: str, user_id: int | None, username: str | None, expected: str | None) -> None:
    assert compiled(*ONE_BY_NAME).external_id(id_type, user_id, username) == expected
    assert compiled(*reversed(ONE_BY_NAME)).external_id(id_type, user_id, username) == expected


def test_a_name_whose_rows_agree_belongs_to_the_id() -> None:
    for external_id in ("2b6bb4a1-2d2d-4dbf-9d0d-4b8d7ce4a111", "ann-x"):
        ann = ExternalIdRow(5, "ann", "XAPI", external_id, "a@b")
        table = compiled(ann._replace(user_id=None), ann, xapi(None, "bob", "bob-x"))
        assert (table.external_id("XAPI", 5, None), table.email(None, "ann")) == (external_id, "a@b")
        assert (table.external_id("XAPI", 77, "ann"), table.email(77, "ann")) == (None, None)
        assert table.external_id("XAPI", 77, "bob") == "bob-x"


CONFLICTS: dict[str, tuple[Sequence[ExternalIdRow], str, int]] = {
    "two ids": ([xapi(5, "a", "x"), xapi(6, "b", "z"), xapi(5, "a", "y")], "external_user_id", 3),
    "two ids of a name": ([xapi(None, "a", "x"), xapi(None, "a", "y")], "external_user_id", 2),
    "by name and by id": ([xapi(None, "a", "x"), xapi(5, "a", "y")], "external_user_id", 2),
    "by id and by name": ([xapi(5, "a", "y"), xapi(None, "a", "x")], "external_user_id", 2),
    "two users of a name": ([xapi(5, "a", "x"), xapi(6, "a", "y")], "username", 2),
    "two addresses": ([ExternalIdRow(5, None, "", None, "a@b"), ExternalIdRow(5, None, "", None, "a@c")], "email", 2),
    "two addresses of a name": ([ExternalIdRow(5, "a", "", None, "a@b"), ExternalIdRow(None, "a", "", None, "a@c")], "email", 2),
}


@pytest.mark.parametrize(("rows", "column", "number"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_rows_that_cannot_both_be_true(rows: Sequence[ExternalIdRow], column: str, number: int) -> None:
    with pytest.raises(ConflictError) as raised:
        compiled(*rows)
    assert (raised.value.column, raised.value.number) == (column, number)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edx2lrs"


def external_id(user: int, salt: str = "") -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{salt}{user}"))


@pytest.fixture
def large(cache: Path) -> Path:
    """A table that is not compiled in memory."""
    path = cache.parent.parent / "ids.csv"
    write(path)
    return path


def write(path: Path, salt: str = "") -> None:
    rows = [f"{user},learner_{user},XAPI,{external_id(user, salt)},{user}@example.com\n" for user in range(USERS, 0, -1)]
    path.write_text(HEADER + "".join(rows))
    assert path.stat().st_size > SMALL


def files(cache: Path) -> list[Path]:
    return sorted(path for path in cache.iterdir() if path.suffix != ".lock")


def opened(path: Path, emails: bool = False) -> ExternalIdTable:
    table = open_external_ids(str(path), emails)
    assert table is not None
    return table


def test_a_large_table_is_compiled_into_a_file_of_this_user_alone(large: Path, cache: Path) -> None:
    table = opened(large)
    assert [table.external_id("XAPI", user, None) for user in (1, 2, USERS, USERS + 1)] == [
        external_id(1),
        external_id(2),
        external_id(USERS),
        None,
    ]
    assert table.external_id("XAPI", None, "learner_77") == external_id(77)
    (file,) = files(cache)
    assert [oct(path.stat().st_mode & 0o777) for path in (cache, file)] == ["0o700", "0o600"]


def test_no_name_and_no_address_is_in_the_file_unless_addresses_are_asked_for(large: Path, cache: Path) -> None:
    assert not opened(large).has_emails
    (without,) = files(cache)
    assert b"example.com" not in without.read_bytes()
    assert opened(large, emails=True).email(5, None) == "5@example.com"
    (with_emails,) = set(files(cache)) - {without}
    assert b"@example.com" in with_emails.read_bytes()
    assert b"learner_" not in without.read_bytes() + with_emails.read_bytes()


def test_a_file_with_addresses_serves_those_who_want_none(large: Path, cache: Path) -> None:
    opened(large, emails=True)
    assert opened(large).external_id("XAPI", 5, None) == external_id(5)
    assert len(files(cache)) == 1


def test_a_small_table_leaves_no_file(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(HEADER + "5,ann,XAPI,ann-x,\n")
    assert opened(path).external_id("XAPI", 5, None) == "ann-x"
    assert not cache.exists()


def test_it_is_compiled_once(large: Path, cache: Path) -> None:
    opened(large)
    (file,) = files(cache)
    first = file.stat()
    opened(large)
    assert [path.stat() for path in files(cache)] == [first]


def test_it_is_compiled_again_when_the_table_changes_and_the_old_one_goes(large: Path, cache: Path) -> None:
    before = opened(large)
    old = files(cache)
    write(large, "new")
    os.utime(large, ns=(1, 1))
    assert opened(large).external_id("XAPI", 5, None) == external_id(5, "new")
    assert len(files(cache)) == 1
    assert files(cache) != old
    assert before.external_id("XAPI", 6, None) == external_id(6)


@pytest.mark.parametrize("damage", [b"", b"edx2lrs external ids 1\n\n", b"x" * 5000])
def test_a_damaged_file_is_made_again(large: Path, cache: Path, damage: bytes) -> None:
    opened(large)
    (file,) = files(cache)
    file.write_bytes(damage)
    assert opened(large).external_id("XAPI", 5, None) == external_id(5)


def test_a_file_that_was_cut_off_is_made_again(large: Path, cache: Path) -> None:
    opened(large)
    (file,) = files(cache)
    file.write_bytes(file.read_bytes()[:-8])
    assert opened(large).external_id("XAPI", USERS, None) == external_id(USERS)


def asked(table: ExternalIdTable, user: int) -> list[str | None]:
    who = [(user, None), (None, f"learner_{user}"), (user, f"learner_{user}"), (-user, f"learner_{user}")]
    return [table.external_id("XAPI", *each) for each in who] + [table.email(*each) for each in who]


def test_a_flipped_bit_anywhere_never_makes_another_person(tmp_path: Path) -> None:
    rows = [ExternalIdRow(user, f"learner_{user}", "XAPI", external_id(user), f"{user}@example.com") for user in range(1, 101)]
    rows += [ExternalIdRow(None, f"learner_{user}", "XAPI", f"text-{user}", None) for user in range(101, 121)]
    whole = tmp_path / "whole"
    write_file(whole, enumerate(rows, 1))
    content, users = whole.read_bytes(), range(1, 121, 7)
    right = {user: asked(opened_file(whole), user) for user in users}
    at_random, outcomes = random.Random(7), Counter[str]()
    for place in range(0, len(content), 31):
        damaged = tmp_path / f"damaged-{place}"
        flipped = content[place] ^ 1 << at_random.randrange(8)
        damaged.write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        try:
            table = opened_file(damaged)
            for user in users:
                for found, expected in zip(asked(table, user), right[user], strict=True):
                    assert found in (expected, None), (place, flipped)
            outcomes["opened"] += 1
        except sqlite3.DatabaseError:
            outcomes["error"] += 1
        damaged.unlink()
    assert min(outcomes["opened"], outcomes["error"]) > 20


def test_damage_that_a_look_up_meets_makes_the_file_again(large: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(large)
    (file,) = files(cache)
    content = file.read_bytes()
    first, second = uuid.UUID(external_id(77)).bytes, uuid.UUID(external_id(78)).bytes
    assert (content.count(first), content.count(second)) == (1, 1)
    file.write_bytes(content.replace(first, b"-" * 16).replace(second, first).replace(b"-" * 16, second))
    table, other = opened(large), opened(large)
    assert table.external_id("XAPI", 5, None) == external_id(5)
    assert table.external_id("XAPI", 77, None) == external_id(77)
    assert table.external_id("XAPI", None, "learner_78") == external_id(78)
    (line,) = caplog.messages
    assert line == f"{large}: its compiled form {file} is damaged; it is compiled again"
    made_again = files(cache)
    assert file not in made_again
    assert other.external_id("XAPI", 78, None) == external_id(78)  # the other process's file stays
    assert files(cache) == made_again


def test_threads_look_up_at_once_also_while_a_damaged_file_is_made_again(large: Path, cache: Path) -> None:
    opened(large)
    (file,) = files(cache)
    file.write_bytes(file.read_bytes().replace(uuid.UUID(external_id(77)).bytes, bytes(16)))
    table = opened(large)

    def look_up(start: int) -> list[str | None]:
        found: list[str | None] = []
        for user in range(start, USERS, 40):
            found += (table.external_id("XAPI", user, None), table.external_id("XAPI", None, f"learner_{user}"))
        return found

    with ThreadPoolExecutor(8) as threads:
        for start, found in zip(range(1, 9), threads.map(look_up, range(1, 9)), strict=True):
            assert found == [external_id(user) for user in range(start, USERS, 40) for _ in "in"]


def test_opening_does_not_read_the_whole_file(large: Path, cache: Path) -> None:
    opened(large)
    (file,) = files(cache)
    content = file.read_bytes()
    half = len(content) // 2
    file.write_bytes(content[:half] + bytes(8192) + content[half + 8192 :])
    opened(large)
    assert files(cache) == [file]


@pytest.mark.parametrize("end", ["", "-email", ".part"])
def test_a_file_of_an_older_form_is_not_opened_and_goes(large: Path, cache: Path, end: str) -> None:
    opened(large)
    (file,) = files(cache)
    source = file.name.partition("-")[0]
    content = sha256(b"edx2lrs external ids 1\n\n" + version_of(str(large)).text.encode()).hexdigest()[:16]
    old = cache / f"{source}-{content}{end}"
    old.write_bytes(b"edx2lrs external ids 1\n\n")
    file.unlink()
    assert opened(large).external_id("XAPI", 5, None) == external_id(5)
    assert len(files(cache)) == 1
    assert not old.exists()


KILLED = """
import os, signal, sys
from edx2lrs.io.external_ids import open_external_ids
open_external_ids(sys.argv[1], False, lambda text: os.kill(os.getpid(), signal.SIGKILL if "sorting" in text else 0))
"""


def test_a_build_that_was_killed_leaves_nothing_that_is_taken_for_a_table(large: Path, cache: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, large], cwd=large.parent, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.suffix for path in files(cache)] == [".part"]
    assert opened(large).external_id("XAPI", USERS, None) == external_id(USERS)
    assert [path.suffix for path in files(cache)] == [""]


def test_a_build_that_was_interrupted_leaves_nothing(large: Path, cache: Path) -> None:
    def interrupt(text: str) -> None:
        raise KeyboardInterrupt(text)

    with pytest.raises(KeyboardInterrupt):
        open_external_ids(str(large), emails=False, on_progress=interrupt)
    assert files(cache) == []


def test_a_wrong_table_leaves_nothing(large: Path, cache: Path) -> None:
    with large.open("a") as file:
        file.write("6,learner_6,XAPI,do-not-show,\n")
    with pytest.raises(TableError) as raised:
        opened(large)
    assert str(raised.value) == f"{large}: line {USERS + 2}, column external_user_id: another row gives this user another"
    assert files(cache) == []


def test_who_does_not_wait_gets_nothing_while_another_compiles(large: Path) -> None:
    inner: list[ExternalIdTable | None] = []

    def step(_: str) -> None:
        inner.append(open_external_ids(str(large), emails=False, patient=False))

    rows = large.read_text()
    large.write_text(rows + "".join(f"{user},,XAPI,x-{user},\n" for user in range(USERS + 1, 60_000)))
    table = open_external_ids(str(large), emails=False, on_progress=step)
    assert table is not None
    assert inner
    assert set(inner) == {None}
    assert open_external_ids(str(large), emails=False, patient=False) is not None


PROCESS = """
import sys
from edx2lrs.io.external_ids import open_external_ids
print(open_external_ids(sys.argv[1], False).external_id("XAPI", 5, None))
"""


def test_processes_that_start_at_once_make_one_whole_file(large: Path, cache: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, large], stdout=subprocess.PIPE, text=True, cwd=large.parent) for _ in range(3)
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == [f"{external_id(5)}\n"] * 3
    assert len(files(cache)) == 1


def test_a_table_that_is_replaced_while_it_is_read_is_read_again(large: Path) -> None:
    rows = large.read_text() + "".join(f"{user},,XAPI,x-{user},\n" for user in range(USERS + 1, 60_000))
    large.write_text(rows)
    replaced: list[str] = []

    def replace(_: str) -> None:
        if not replaced:
            replaced.append("once")
            other = large.with_suffix(".new")
            other.write_text(rows + "70000,,XAPI,newest,\n")
            other.replace(large)

    table = open_external_ids(str(large), emails=False, on_progress=replace)
    assert table is not None
    assert table.external_id("XAPI", 70_000, None) == "newest"


def test_a_cache_that_others_may_write_to_is_not_used(
    large: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened(large)
    assert list(cache.iterdir()) == []
    assert len(files(tmp_path / f"edx2lrs-{os.getuid()}")) == 1


def test_without_any_place_for_it_the_fix_is_said(large: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.write_text("a file, no folder")
    monkeypatch.setattr("tempfile.tempdir", str(cache.parent))
    with pytest.raises(TableError, match=r"no folder for its compiled form, .* set XDG_CACHE_HOME"):
        opened(large)
