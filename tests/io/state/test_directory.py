"""Opening a state directory, and what can be wrong with it: each fault names the directory and the fix."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edx2lrs.io.state.errors import StateFault, StateGone, StateInUse, StateUnusable
from edx2lrs.io.state.integrity import FILE_NAME
from edx2lrs.io.state.pieces import PieceKey
from edx2lrs.io.state.state import join_state, open_state
from edx2lrs.transforms.failure import Failure

PIECE = PieceKey("/logs/tracking.log")
OWNER = """
import sys
from pathlib import Path
from edx2lrs.io.state.state import open_state
state = open_state(Path(sys.argv[1]), ids=10, statements=10)
print("open", flush=True)
sys.stdin.read()
"""


def owner(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "open\n"
    return process


def test_a_second_owner_is_refused_until_the_first_is_gone(tmp_path):
    first = owner(tmp_path)
    with pytest.raises(StateInUse, match=rf"{tmp_path}.*{first.pid}.*another --state"):
        open_state(tmp_path, ids=10, statements=10)

    first.kill()
    first.communicate()
    open_state(tmp_path, ids=10, statements=10).close()


def test_a_second_owner_is_refused_though_the_lock_file_was_removed(tmp_path):
    first = owner(tmp_path)
    (tmp_path / "owner.lock").unlink()
    with pytest.raises(StateInUse, match=str(tmp_path)):
        open_state(tmp_path, ids=10, statements=10)
    first.kill()
    first.communicate()


@pytest.mark.parametrize("removed", ["the database", "the directory"])
def test_a_state_that_was_removed_while_it_is_open_is_named(state, keep, statement, removed):
    if removed == "the database":
        (state.folder / FILE_NAME).unlink()
    else:
        shutil.rmtree(state.folder)
    for use in (state.outbox.changes, lambda: keep(state, ("one", [statement(1)]))):
        with pytest.raises(StateGone, match=rf"{state.folder}.*was removed or replaced while the job ran"):
            use()


@pytest.fixture
def umask():
    """The umask that lets everybody do everything."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_for_its_owner_alone(start, keep, statement):
    state = start()
    keep(state, ("one", [statement(1)]), failures=[Failure("parse", "not_json", "no JSON", "a:1", b"x")])
    state.dead_letters.export(state.dead_letters_folder)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in [state.folder, *state.folder.rglob("*")]}
    assert {mode for name, mode in modes.items() if name in ("state", "dead-letters")} == {"0o700"}
    assert {mode for name, mode in modes.items() if name not in ("state", "dead-letters")} == {"0o600"}
    assert {"state.db", "state.db-wal", "owner.lock", "writer.lock"} < modes.keys()


def test_an_older_directory_that_others_may_read_is_named(state, open_at, caplog):
    state.close()
    open_at().close()
    assert "chmod" not in caplog.text
    (state.folder / FILE_NAME).chmod(0o644)
    open_at()
    assert f"chmod -R go= {state.folder}" in caplog.text


def test_workers_join_beside_the_owner(state, keep, statement):
    with join_state(state.folder) as worker:
        keep(worker, ("one", [statement(1)]))

    assert state.outbox.waiting("one") == 1


def test_bounds_hold_for_workers(start, keep, statement):
    state = start(statements=1)
    state.outbox.flag_circuit("one", True)
    with join_state(state.folder) as worker:
        assert keep(worker, ("one", [statement(1), statement(2)])).overflowed == 2


def changed(folder: Path, sql: str) -> None:
    connection = sqlite3.connect(folder / FILE_NAME)
    connection.executescript(sql)
    connection.close()


def test_a_newer_version_is_refused(state):
    state.close()
    changed(state.folder, "PRAGMA user_version = 99")

    for opened in (lambda: open_state(state.folder, ids=10, statements=10), lambda: join_state(state.folder)):
        with pytest.raises(StateUnusable, match=rf"{state.folder}.*newer edx2lrs.*99"):
            opened()


def test_a_database_of_another_program_is_refused(tmp_path):
    changed(tmp_path, "CREATE TABLE bookmarks (url)")

    with pytest.raises(StateUnusable, match="not written by edx2lrs"):
        open_state(tmp_path, ids=10, statements=10)


@pytest.mark.parametrize("opened", [join_state, lambda folder: open_state(folder, ids=1, statements=1, create=False)])
def test_a_directory_without_state_is_refused_where_one_is_needed(tmp_path, opened):
    with pytest.raises(StateUnusable, match=f"{tmp_path}.*state.db"):
        opened(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_named(state):
    state.close()
    (state.folder / FILE_NAME).write_bytes(b"no database at all" * 1_000)

    with pytest.raises(StateFault, match=rf"{state.folder}.*damaged"):
        open_state(state.folder, ids=10, statements=10)


def test_a_database_damaged_inside_is_named(state, keep, statement):
    keep(state, ("one", [statement(n) for n in range(1_000)]))
    state.close()
    content = bytearray((state.folder / FILE_NAME).read_bytes())
    content[4_096:] = b"\xff" * (len(content) - 4_096)
    (state.folder / FILE_NAME).write_bytes(content)

    with pytest.raises(StateFault, match=rf"{state.folder}.*damaged"):
        open_state(state.folder, ids=10, statements=10).outbox.waiting_blocks("one")


def test_a_path_that_cannot_be_a_directory_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StateFault, match=rf"{tmp_path}/file/state.*cannot be written"):
        open_state(tmp_path / "file" / "state", ids=10, statements=10)


def test_a_directory_that_cannot_be_written_is_named(monkeypatch, state, open_at):
    state.close()
    connect = sqlite3.connect

    def read_only(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.execute("PRAGMA query_only = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(StateFault, match=rf"{state.folder}.*cannot be written"):
        open_at()


def test_a_full_disk_keeps_nothing_of_the_wave_and_loses_nothing(monkeypatch, start, open_at, keep, statement):
    """SQLite's own limit of pages gives the error of a full disk."""
    state = start()
    keep(state, ("one", [statement(1)]))
    state.close()
    connect = sqlite3.connect

    def on_a_small_disk(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 5}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", on_a_small_disk)
    full = open_at()
    failure = Failure("parse", "not_json", "no JSON", f"{PIECE.file}:1", b"x" * 100_000)
    with pytest.raises(StateFault, match=rf"{full.folder}.*disk is full"):
        keep(full, ("one", [statement(2)]), failures=[failure])
    assert full.pieces.get(PIECE).reached.offset == 10
    assert (full.outbox.waiting("one"), full.dead_letters.count()) == (1, 0)
    full.close()

    monkeypatch.undo()
    state = open_at()
    keep(state, ("one", [statement(2)]), failures=[failure])
    assert (state.outbox.waiting("one"), state.dead_letters.count()) == (2, 1)
