"""A wave is kept whole or not at all; of statements with one id only the first is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hamcrest import assert_that, calling, equal_to, has_entries, has_key, not_, raises

from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.errors import StaleWave
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import join_state
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.transforms.counters import Counted, counted
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.packing.blocks import pack
from testkit.pieces import finish

PIECE = PieceKey("/logs/tracking.log")


def bodies(state, consumer):
    return [s.body for block in state.outbox.waiting_blocks(consumer) for s in block.waiting.statements()]


def test_a_wave_brings_statements_position_and_counts(state, keep, statement):
    kept = keep(state, ("one", [statement(1), statement(2)]), ("two", [statement(1)]))

    assert kept == (3, 0, 0, 0)
    assert bodies(state, "one") == [b'{"n":1}', b'{"n":2}']
    assert bodies(state, "two") == [b'{"n":1}']
    piece = state.pieces.get(PIECE)
    assert (piece.reached.offset, piece.reached.lines) == (10, 1)
    assert_that(
        state.ledger.totals(), has_entries({Counted("", "read"): 1, Counted("one", "statements"): 2, Counted("two", "statements"): 1})
    )


@pytest.mark.parametrize("begins", [0, 5, 20])
def test_a_wave_that_starts_elsewhere_leaves_no_trace(state, keep, statement, begins):
    keep(state, ("one", [statement(1)]))
    before = state.ledger.totals()

    assert_that(calling(keep).with_args(state, ("one", [statement(2)]), start=begins), raises(StaleWave, PIECE.file))

    assert bodies(state, "one") == [b'{"n":1}']
    assert state.ledger.totals() == before


def test_a_wave_on_a_finished_piece_is_stale(state, keep):
    finish(state, PIECE)

    with pytest.raises(StaleWave):
        keep(state)


# event and body of the second statement with the same id -> what becomes of it
SECOND = [
    ("", "", "duplicate"),
    ("", '{"other":"body"}', "duplicate"),  # a new course name or mapping version
    ("other event", "", "duplicate"),
    ("other event", '{"other":"body"}', "collision"),
]


@pytest.mark.parametrize(("event", "body", "fate"), SECOND)
@pytest.mark.parametrize("where", ["same block", "same wave", "later wave"])
def test_the_second_statement_with_an_id(state, keep, statement, event, body, fate, where):
    first, second = statement(1), statement(1, event, body)
    if where == "same block":
        kept = keep(state, ("one", [statement(7), first, second]))
    elif where == "same wave":
        kept = keep(state, ("one", [statement(7), first]), ("one", [second]))
    else:
        keep(state, ("one", [statement(7), first]))
        kept = keep(state, ("one", [second]))

    assert (kept.duplicates, kept.collisions) == ((1, 0) if fate == "duplicate" else (0, 1))
    assert bodies(state, "one") == [b'{"n":7}', b'{"n":1}']
    letters = list(state.dead_letters.read())
    assert [letter.cause for letter in letters] == (["id_collision"] if fate == "collision" else [])
    total = state.ledger.totals()
    assert total[Counted("one", "statements")] == 3
    assert total[counted("one", "duplicates" if fate == "duplicate" else "dead_statements/id_collision")] == 1


def test_a_collision_is_a_dead_letter_with_the_statement(state, keep, statement):
    keep(state, ("one", [statement(1)]))
    second = statement(1, "other event", '{"other":"body"}')

    keep(state, ("one", [second]))

    (letter,) = state.dead_letters.read()
    assert (letter.stage, letter.consumer, letter.payload_kind) == ("guard", "one", "statement")
    assert letter.payload == second.body
    assert (letter.position, letter.event_name) == second.origin
    assert letter.statement_id.replace("-", "") == second.id.hex()
    assert letter.job_name == "job"


def test_each_consumer_has_its_own_ids(state, keep, statement):
    keep(state, ("one", [statement(1)]))

    assert keep(state, ("two", [statement(1)])).new == 1


def test_failures_become_dead_letters(state, keep):
    keep(state, failures=[Failure("parse", "not_json", "line is not JSON", f"{PIECE.file}:3", b"{")])

    (letter,) = state.dead_letters.read()
    assert (letter.cause, letter.payload, letter.payload_kind) == ("not_json", b"{", "record")


def test_a_consumer_that_is_up_takes_more_than_the_bound(start, keep, statement):
    state = start(statements=2)

    assert keep(state, ("one", [statement(n) for n in range(5)])).new == 5


def test_a_consumer_that_is_cut_off_overflows_at_its_bound(start, keep, statement):
    state = start(statements=3)
    state.outbox.flag_circuit("one", True)

    kept = keep(
        state,
        ("one", [statement(1), statement(2)]),
        ("one", [statement(2), statement(3), statement(4)]),
        ("one", [statement(5)]),
        ("two", [statement(n) for n in range(5)]),
    )

    assert kept == (2 + 1 + 5, 1, 0, 2)
    assert bodies(state, "one") == [b'{"n":1}', b'{"n":2}', b'{"n":5}']
    assert [(letter.cause, letter.payload) for letter in state.dead_letters.read()] == [
        ("outage", b'{"n":3}'),
        ("outage", b'{"n":4}'),
    ]
    assert_that(
        state.ledger.totals(),
        has_entries({Counted("one", "statements"): 6, Counted("one", "duplicates"): 1, Counted("one", "dead_statements", "outage"): 2}),
    )
    assert_that(state.ledger.totals(), not_(has_key(Counted("two", "dead_statements", "outage"))))


def test_what_overflowed_may_come_again(start, keep, statement):
    state = start(statements=1)
    state.outbox.flag_circuit("one", True)
    keep(state, ("one", [statement(1), statement(2)]))
    state.outbox.flag_circuit("one", False)

    assert_that(keep(state, ("one", [statement(1), statement(2)])).new, equal_to(2))


def test_of_workers_that_bring_the_same_at_once_one_is_first(state, statement):
    """Eight pieces with the same 200 statements, kept by eight workers: each statement is new once."""
    pieces = [str(n) for n in range(8)]
    state.pieces.register([SeenPiece(PieceKey(key), 1, "a", 10) for key in pieces])
    block = pack("one", [statement(n) for n in range(200)])

    def work(key):
        with join_state(state.folder) as worker:
            return worker.keep_wave(KeptWave([ReadPiece(PieceKey(key), 0, Reached(10, 200, True))], [block], [], {}))

    with ThreadPoolExecutor(len(pieces)) as threads:
        kept = list(threads.map(work, pieces))

    assert sorted(each.new for each in kept) == [0] * 7 + [200]
    assert sum(each.duplicates for each in kept) == 7 * 200
    assert state.outbox.waiting("one") == 200


def test_a_consumer_that_no_run_has_named_is_refused(state, keep, statement):
    with pytest.raises(ValueError, match="three"):
        keep(state, ("three", [statement(1)]))
    assert state.pieces.get(PIECE).reached.offset == 0
