"""What waits under other terms than its consumer's present ones is held, and the counters say how much."""

from __future__ import annotations

import pytest

from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.outbox import Settlement
from edx2lrs.io.state.terms import HeldStatements
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.packing.blocks import pack

OLD = '{"access": "1", "url": "1"}'
NEW = '{"access": "2", "url": "1"}'
MOVED = '{"access": "1", "url": "2"}'


def under(one, two=OLD):
    return {"one": one, "two": two}


@pytest.fixture
def waits(state, keep, statement):
    """Three statements for each consumer, made under the old terms."""
    state.ledger.begin_run("test", ["one", "two"], "job", under(OLD))
    keep(state, ("one", [statement(n) for n in range(3)]), ("two", [statement(n) for n in range(3)]))
    return state


def counts(state):
    return state.outbox.waiting_counts()["one"], state.outbox.sendable_counts()["one"]


def test_other_terms_hold_what_waits_of_that_consumer_alone(waits):
    waits.ledger.begin_run("test", ["one", "two"], "job", under(NEW))

    assert waits.outbox.held() == [HeldStatements("one", 3, ("access",))]
    assert waits.outbox.waiting_blocks("one") == []
    assert counts(waits) == (3, 0)
    assert waits.outbox.sendable_counts()["two"] == 3


def test_terms_that_come_back_hold_nothing(waits):
    waits.ledger.begin_run("test", ["one", "two"], "job", under(NEW))
    waits.ledger.begin_run("test", ["one", "two"], "job", under(OLD))
    assert (waits.outbox.held(), counts(waits)) == ([], (3, 3))


def test_a_consumer_that_is_gone_is_told_and_its_statements_come_back_with_it(waits):
    waits.ledger.begin_run("test", ["two"], "job", {"two": OLD})
    assert waits.outbox.held() == [HeldStatements("one", 3, None)]
    waits.ledger.begin_run("test", ["one", "two"], "job", under(OLD))
    assert waits.outbox.held() == []


def test_a_new_address_holds_only_where_the_old_one_took_something(waits):
    assert waits.ledger.begin_run("test", ["one", "two"], "job", under(MOVED)).redirected == {"one": 3}
    assert counts(waits) == (3, 3)
    (block,) = waits.outbox.waiting_blocks("one")
    waits.outbox.settle("one", [Settlement(block.waiting.row, (0,), "delivered")], {})

    assert waits.ledger.begin_run("test", ["one", "two"], "job", under(OLD)).redirected == {}
    assert waits.outbox.held() == [HeldStatements("one", 2, ("url",))]


def test_terms_that_change_while_a_request_is_under_way(waits):
    (block,) = waits.outbox.waiting_blocks("one")
    assert waits.ledger.add_consumers(["one", "two"], under(NEW)).changed == ("one",)

    waits.outbox.settle("one", [Settlement(block.waiting.row, (0, 1), "delivered")], {})

    assert counts(waits) == (1, 0)
    assert waits.outbox.held() == [HeldStatements("one", 1, ("access",))]
    waits.outbox.settle("one", [Settlement(block.waiting.row, (2,), "delivered")], {})
    assert (counts(waits), waits.outbox.held()) == ((0, 0), [])


def test_a_wave_is_kept_under_the_terms_that_it_was_made_under(waits, statement):
    waits.ledger.add_consumers(["one", "two"], under(NEW))
    piece = waits.pieces.claim("worker")
    read = [ReadPiece(piece.key, piece.reached.offset, Reached(piece.reached.offset + 1, 9, False))]
    late = pack("one", [statement(7)])

    waits.keep_wave(KeptWave(read, [late], [], {}, {"one": OLD}))

    assert waits.outbox.held() == [HeldStatements("one", 4, ("access",))]
    assert waits.outbox.waiting_blocks("one") == []


def test_what_is_dropped_is_counted_and_may_come_again(waits, keep, statement):
    waits.ledger.begin_run("test", ["one", "two"], "job", under(NEW))
    keep(waits, ("one", [statement(9)]))

    assert waits.drop("one", held_only=True) == 3
    assert counts(waits) == (1, 1)
    assert waits.ledger.totals()[Counted("one", "dead_statements", "dropped")] == 3
    assert keep(waits, ("one", [statement(0)])).new == 1
    assert waits.drop("one", held_only=False) == 2


def test_what_is_handed_over_is_no_duplicate_and_two_of_one_id_are_one(waits):
    assert waits.hand_over("one", "two") == 3  # two has them already
    assert waits.outbox.waiting_counts() == {"one": 0, "two": 3}
    totals = waits.ledger.totals()
    assert (totals[Counted("two", "statements")], totals[Counted("two", "duplicates")]) == (6, 3)


def test_a_dead_statement_remembers_its_terms(waits):
    waits.ledger.begin_run("test", ["one", "two"], "job", under(OLD))
    (block,) = waits.outbox.waiting_blocks("one")
    refused = Failure("deliver", "refused", "no", "p:1", b"{}", "statement", "one", "some-id")
    waits.outbox.settle("one", [Settlement(block.waiting.row, (0,), "dead_statements", refused)], {})
    assert [letter.terms for letter in waits.dead_letters.read()] == [OLD]
