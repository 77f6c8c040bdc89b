"""A state directory that was damaged between two commands: said in a line, nothing altered arrives, the rest does."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing

import pytest

from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played

CONFIG = yaml_of(consumer("campus", retry={"max_attempts": 1, "base_delay": "10ms", "max_delay": "20ms"}))
EVENTS = 300


@pytest.fixture
def waiting(edx2lrs, sandbox, config, tmp_path):
    """A state directory in which all statements wait: gives what runs `deliver` on it."""
    (tmp_path / "tracking.log").write_bytes(b"\n".join(played(number) for number in range(EVENTS)))
    path = config(sandbox.address, CONFIG)
    sandbox.stop()
    run = edx2lrs("run", "--config", path, "--input", "tracking.log", "--state", "state", "--workers", 1)
    assert run.code == 1
    sandbox.start()
    return lambda: edx2lrs("deliver", "--config", path, "--state", "state")


def database(folder, sql, *arguments):
    with closing(sqlite3.connect(folder / "state" / "state.db")) as connection:
        rows = connection.execute(sql, arguments).fetchall()
        connection.commit()
    return rows


def test_a_damaged_block_is_named_and_the_others_arrive(waiting, sandbox, tmp_path, assert_adds_up):
    [(bodies, size)] = database(tmp_path, "SELECT bodies, count FROM blocks ORDER BY row LIMIT 1")
    flipped = bytearray(bodies)
    flipped[random.Random(1).randrange(len(flipped))] ^= 4
    database(tmp_path, "UPDATE blocks SET bodies = ? WHERE row = (SELECT min(row) FROM blocks)", bytes(flipped))
    result = waiting()
    assert result.code == 1
    assert f"{size} statements of consumer campus were damaged on the disk" in result.text
    assert result.report["consumers"]["campus"]["dead"] == {"records": {}, "statements": {"damaged": size}}
    assert_adds_up(result.report)
    assert_adds_up(result.report["all_runs"])
    assert sandbox.stored("campus") == EVENTS - size


@pytest.mark.parametrize("damage", ["nothing left", "a byte left", "missing", "removed"])
def test_a_lost_database_is_told_in_one_line(waiting, tmp_path, damage):
    path = tmp_path / "state" / "state.db"
    if damage == "missing":
        path.unlink()
    elif damage == "removed":
        shutil.rmtree(tmp_path / "state")
    else:
        path.write_bytes(b"S"[: damage == "a byte left"])
    result = waiting()
    assert result.code == (2 if damage == "removed" else 3)
    assert "state" in result.text
    assert "Traceback" not in result.text
    assert len(result.text.strip().splitlines()) == 1


@pytest.mark.parametrize("waiting_number", [-100, 10**9])
def test_a_wrong_number_of_waiting_statements_is_counted_anew(waiting, sandbox, tmp_path, assert_adds_up, waiting_number):
    database(tmp_path, "UPDATE consumers SET waiting = ?", waiting_number)
    result = waiting()
    assert result.code == 1
    assert "the number of statements that wait for consumer campus was damaged on the disk" in result.text
    assert_adds_up(result.report)
    assert sandbox.stored("campus") == EVENTS
