"""A state directory that was damaged on the disk: nothing altered is sent, what is lost is counted and named, all else goes on."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from edx2lrs.io.state.errors import StateError, StateFault
from edx2lrs.io.state.integrity import FILE_NAME
from edx2lrs.io.state.outbox import Settlement
from edx2lrs.io.state.state import join_state, open_state
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure
from testkit.sums import assert_statements_add_up

BLOCKS, SIZE = 6, 40


@pytest.fixture
def body():
    return lambda number: b'{"id":"%s","text":"%s"}' % (b"%032x" % number, b"abc %d " % number * 5)


@pytest.fixture
def kept(state, keep, statement, body):
    """A closed state directory in which blocks wait, one of them settled in part, with a dead letter."""
    failure = Failure("parse", "not_json", "no JSON", "/logs/tracking.log:1", b"{")
    for block in range(BLOCKS):
        some = [statement(n, body=body(n).decode()) for n in range(block * SIZE, (block + 1) * SIZE)]
        keep(state, ("one", some), failures=[failure] if block == 0 else [])
    first = state.outbox.waiting_blocks("one")[0]
    state.outbox.settle("one", [Settlement(first.waiting.row, [3, 5], "delivered")], {})
    state.close()
    with closing(sqlite3.connect(state.folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return state.folder


def altered(folder: Path, sql: str, *arguments: object) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute(sql, arguments)
        connection.commit()


def column(folder: Path, name: str, row: int) -> bytes:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        value: bytes = connection.execute(f"SELECT {name} FROM blocks WHERE row = ?", (row,)).fetchone()[0]
    return value


def deliver(folder: Path):
    """All that waits is taken by its consumer: the bodies, the ledger, what waits then, letters by cause and what was said."""
    with open_state(folder, ids=1_000, statements=1_000) as state:
        state.ledger.begin_run("deliver", ["one", "two"], "job", {"one": "{}", "two": "{}"})
        state.outbox.set_damaged_apart()
        bodies = []
        for _ in range(BLOCKS + 1):
            for block in state.outbox.waiting_blocks("one"):
                bodies += block.waiting.bodies
                state.outbox.settle("one", [Settlement(block.waiting.row, block.waiting.indexes, "delivered")], {})
        letters = Counter(letter.cause for letter in state.dead_letters.read())
        return bodies, state.ledger.totals(), state.outbox.waiting_counts(), letters, state.outbox.damage


@pytest.mark.parametrize("name", ["ids", "positions", "bodies", "settled", "seals"])
def test_each_bit_of_a_block_is_watched(kept, body, name):
    whole = column(kept, name, 2)
    for bit in random.Random(name).sample(range(8 * len(whole)), 8):
        copy = kept.parent / f"{name} {bit}"
        shutil.copytree(kept, copy)
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        altered(copy, f"UPDATE blocks SET {name} = ? WHERE row = 2", bytes(flipped))

        bodies, totals, waiting, letters, damage = deliver(copy)

        assert bodies == [body(n) for n in range(BLOCKS * SIZE) if n not in (3, 5) and n // SIZE != 1]
        assert totals[Counted("one", "dead_statements", "damaged")] == letters["damaged"] == SIZE
        assert_statements_add_up(Counter(totals), waiting)
        assert waiting == {"one": 0, "two": 0}
        assert len(damage) == 1
        assert str(copy) in damage[0]
        assert "40 statements of consumer one" in damage[0]


def test_what_can_still_be_read_of_a_damaged_block_is_in_its_letters(kept, body):
    altered(kept, "UPDATE blocks SET ids = zeroblob(length(ids)), positions = substr(positions, 9) WHERE row = 2")
    with open_state(kept, ids=1_000, statements=1_000) as state:
        state.outbox.set_damaged_apart()
        letters = [letter for letter in state.dead_letters.read() if letter.cause == "damaged"]
    assert [letter.payload for letter in letters] == [body(n) for n in range(SIZE, 2 * SIZE)]
    assert [letter.statement_id for letter in letters] == [f"{n:032x}" for n in range(SIZE, 2 * SIZE)]
    assert {letter.payload_form for letter in letters} == {"full"}


def test_a_letter_without_its_payload_is_not_sent_again(kept):
    altered(kept, "UPDATE blocks SET bodies = substr(bodies, 9) WHERE row = 2")
    with open_state(kept, ids=1_000, statements=1_000) as state:
        state.outbox.set_damaged_apart()
        letters = [letter for letter in state.dead_letters.read() if letter.cause == "damaged"]
    assert {(letter.payload, letter.payload_form) for letter in letters} == {(b"", "none")}
    assert letters[0].position == "/logs/tracking.log:40"


def test_a_dead_letter_that_was_damaged_is_named(kept):
    altered(kept, "UPDATE dead_letters SET letter = substr(letter, 2)")
    assert deliver(kept)[3] == {"damaged": 1}


# what is done to the tables -> what is delivered of what waits
TABLES = [
    pytest.param("UPDATE consumers SET waiting = -100 WHERE name = 'one'", BLOCKS * SIZE - 2, id="a negative count"),
    pytest.param("UPDATE consumers SET waiting = 'many' WHERE name = 'one'", None, id="a count that is no number"),
    pytest.param("UPDATE consumers SET waiting = 99999999 WHERE name = 'one'", BLOCKS * SIZE - 2, id="a large count"),
    pytest.param("UPDATE blocks SET consumer = 2 WHERE row = 2", BLOCKS * SIZE - 2, id="a block of another consumer"),
    pytest.param("UPDATE blocks SET consumer = 77 WHERE row = 2", BLOCKS * SIZE - 2, id="a block of nobody"),
    pytest.param("UPDATE blocks SET ids = substr(ids, 17) WHERE row = 2", (BLOCKS - 1) * SIZE - 2, id="an id is missing"),
    pytest.param("UPDATE blocks SET count = 1 << 40 WHERE row = 2", (BLOCKS - 1) * SIZE - 2, id="a large block"),
    pytest.param("UPDATE blocks SET bodies = 'text' WHERE row = 2", (BLOCKS - 1) * SIZE - 2, id="text for bytes"),
    pytest.param("UPDATE ledger SET count = -5 WHERE key = 'read'", None, id="a negative total"),
    pytest.param("UPDATE pieces SET offset = 'far'", None, id="text for a number"),
    pytest.param("DELETE FROM blocks WHERE row = 2", (BLOCKS - 1) * SIZE - 2, id="a block is missing"),
]


@pytest.mark.parametrize(("sql", "delivered"), TABLES)
def test_wrong_values_are_set_right_or_named(kept, sql, delivered):
    altered(kept, sql)
    if delivered is None:
        with pytest.raises(StateFault, match=rf"{kept}.*damaged"):
            deliver(kept)
        return
    bodies, totals, waiting, _, _ = deliver(kept)
    assert len(bodies) == delivered
    assert waiting == {"one": 0, "two": 0}
    assert_statements_add_up(Counter(totals), waiting)


def run_over(folder: Path, version: int) -> None:
    altered(folder, f"PRAGMA user_version = {version}")


DAMAGE = [
    pytest.param(lambda folder: (folder / FILE_NAME).write_bytes(b""), id="cut to nothing"),
    pytest.param(lambda folder: (folder / FILE_NAME).write_bytes(b"S"), id="cut to a byte"),
    pytest.param(lambda folder: (folder / FILE_NAME).unlink(), id="missing"),
    pytest.param(lambda folder: run_over(folder, 1), id="version 1"),
    pytest.param(lambda folder: run_over(folder, 0), id="version 0"),
    pytest.param(lambda folder: run_over(folder, -1), id="version -1"),
    pytest.param(lambda folder: zeroed(folder, 0), id="the first page zeroed"),
]


def zeroed(folder: Path, page: int) -> None:
    with (folder / FILE_NAME).open("r+b") as file:
        file.seek(4_096 * page)
        file.write(bytes(4_096))


def test_a_page_of_zeros_is_named(kept):
    zeroed(kept, 1)
    with pytest.raises(StateFault, match=rf"{kept}.*damaged; restore the directory from a copy"):
        open_state(kept, ids=1, statements=1)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_is_never_taken_for_new(kept, damage, create):
    damage(kept)
    with pytest.raises(StateFault, match=rf"{kept}.*damaged; restore the directory from a copy"):
        open_state(kept, ids=1, statements=1, create=create)
    with pytest.raises(StateError, match=str(kept)):
        join_state(kept)


def test_a_database_that_is_missing_beside_letters_is_damage_without_a_lock_too(kept):
    (kept / FILE_NAME).unlink()
    (kept / "owner.lock").unlink()
    (kept / "dead-letters").mkdir()
    (kept / "dead-letters" / "a.avro").write_bytes(b"Obj")
    with pytest.raises(StateFault, match="is missing, beside dead-letters"):
        open_state(kept, ids=1, statements=1)


def test_a_directory_whose_making_was_cut_off_is_new(tmp_path):
    (tmp_path / "owner.lock").write_text("123\n")
    (tmp_path / FILE_NAME).write_bytes(b"")
    open_state(tmp_path, ids=1, statements=1).close()


@pytest.mark.parametrize("seed", range(4))
def test_random_flips_never_alter_what_is_sent(kept, body, seed):
    """Each trial: a few bits anywhere in a copy. What was damaged is told as a fault of the state, or set apart."""
    chance = random.Random(seed)
    known = {body(n) for n in range(BLOCKS * SIZE)}
    whole = (kept / FILE_NAME).read_bytes()
    told: list[str] = []
    for trial in range(60):
        copy = kept.parent / f"copy {trial}"
        shutil.copytree(kept, copy)
        content = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4))):
            at = chance.randrange(len(content)) if chance.random() < 0.8 else chance.randrange(4_096)
            content[at] ^= 1 << chance.randrange(8)
        (copy / FILE_NAME).write_bytes(content)
        try:
            bodies, _, waiting, _, _ = deliver(copy)
        except StateError as error:
            told.append(str(error).partition(str(copy))[2])
        else:
            assert set(bodies) <= known, trial
            assert all(number >= 0 for number in waiting.values())
        shutil.rmtree(copy)
    assert all(told)
    assert not any("\n" in text for text in told)
