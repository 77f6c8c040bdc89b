"""The senders' side: what waits comes oldest first, and is settled once."""

from __future__ import annotations

import time

import pytest

from edx2lrs.io.state.outbox import Settlement
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure

REFUSED = Failure("deliver", "rejected", "refused", "p:1", b"{}", "statement", "one", "some-id", 400, "bad verb", 1)


def test_blocks_come_oldest_first_with_what_a_sender_needs(state, keep, statement):
    before = time.time()
    keep(state, ("one", [statement(1), statement(2)]), ("two", [statement(9)]))
    keep(state, ("one", [statement(3)]))

    first, second = state.outbox.waiting_blocks("one")
    assert first.waiting.row < second.waiting.row
    assert before <= first.created <= time.time()
    assert [(s.index, s.id, s.body, s.origin) for s in first.waiting.statements()] == [
        (i, statement(n).id, statement(n).body, statement(n).origin) for i, n in enumerate([1, 2])
    ]
    assert state.outbox.waiting_blocks("one", after=first.waiting.row) == [second]
    assert state.outbox.waiting_blocks("one", limit=1) == [first]


def test_duplicates_of_a_block_do_not_wait(state, keep, statement):
    keep(state, ("one", [statement(2)]))
    keep(state, ("one", [statement(1), statement(2), statement(3)]))

    blocks = state.outbox.waiting_blocks("one")
    assert [[s.body for s in block.waiting.statements()] for block in blocks] == [[b'{"n":2}'], [b'{"n":1}', b'{"n":3}']]
    assert [s.index for s in blocks[1].waiting.statements()] == [0, 2]
    assert state.outbox.waiting("one") == 3


def test_a_block_is_settled_bit_by_bit(state, keep, statement):
    keep(state, ("one", [statement(n) for n in range(10)]))
    (block,) = state.outbox.waiting_blocks("one")

    for index in (9, 0, 4):
        state.outbox.settle("one", [Settlement(block.waiting.row, (index,), "delivered")], {})
    (rest,) = state.outbox.waiting_blocks("one")
    assert [s.index for s in rest.waiting.statements()] == [1, 2, 3, 5, 6, 7, 8]
    assert state.outbox.waiting("one") == 7

    state.outbox.settle("one", [Settlement(block.waiting.row, (s.index,), "delivered") for s in rest.waiting.statements()], {})
    assert state.outbox.waiting_blocks("one") == []
    assert state.outbox.waiting("one") == 0


def test_outcomes_and_increments_are_counted(state, keep, statement):
    keep(state, ("one", [statement(n) for n in range(5)]))
    (block,) = state.outbox.waiting_blocks("one")

    settled = state.outbox.settle(
        "one",
        [
            Settlement(block.waiting.row, (0,), "delivered"),
            Settlement(block.waiting.row, (1,), "already_stored"),
            Settlement(block.waiting.row, (2,), "conflicts"),
            Settlement(block.waiting.row, (3,), "dead_statements", REFUSED),
        ],
        {"requests": 4, "retries": 1},
    )

    assert settled == 4
    assert {each.text: n for each, n in state.ledger.totals().items() if each.consumer == "one"} == {
        "statements": 5,
        "delivered": 1,
        "already_stored": 1,
        "conflicts": 1,
        "dead_statements/rejected": 1,
        "requests": 4,
        "retries": 1,
    }
    (letter,) = state.dead_letters.read()
    assert (letter.http_status, letter.http_body, letter.attempts) == (400, "bad verb", 1)


def test_a_settlement_may_come_twice(state, keep, statement):
    keep(state, ("one", [statement(1), statement(2)]))
    (block,) = state.outbox.waiting_blocks("one")
    settlement = Settlement(block.waiting.row, (0,), "delivered")

    counts = [state.outbox.settle("one", settlements, {}) for settlements in ([settlement, settlement], [settlement])]

    assert counts == [1, 0]
    assert state.outbox.waiting("one") == 1
    assert state.ledger.totals()[Counted("one", "delivered")] == 1


@pytest.mark.parametrize("settlement", [Settlement(99, (0,), "delivered"), Settlement(1, (99,), "delivered")])
def test_a_settlement_of_nothing_is_passed_over(state, keep, statement, settlement):
    keep(state, ("one", [statement(1)]))

    assert state.outbox.settle("one", [settlement], {}) == 0
    assert state.outbox.waiting("one") == 1


def test_a_block_of_another_consumer_cannot_be_settled(state, keep, statement):
    keep(state, ("one", [statement(1)]))
    (block,) = state.outbox.waiting_blocks("one")

    assert state.outbox.settle("two", [Settlement(block.waiting.row, (0,), "delivered")], {}) == 0
    assert state.outbox.waiting("one") == 1


def test_changes_are_seen(state, keep, statement):
    before = state.outbox.changes()
    assert state.outbox.changes() == before

    keep(state, ("one", [statement(1)]))
    assert state.outbox.changes() != before


def test_circuits_are_closed_again_by_the_next_run(state):
    state.outbox.flag_circuit("two", True)
    assert state.outbox.open_circuits() == {"two"}

    state.ledger.begin_run("test", ["one", "two"], "job")
    assert state.outbox.open_circuits() == frozenset()


def test_statements_of_a_consumer_that_was_removed_stay_and_are_named(state, keep, statement):
    keep(state, ("one", [statement(1)]), ("two", [statement(1), statement(2)]))

    run = state.ledger.begin_run("test", ["one"], "job")

    assert state.ledger.totals(run.number) == {Counted("one", "taken_over"): 1, Counted("two", "taken_over"): 2}
    assert state.outbox.waiting_counts() == {"one": 1, "two": 2}
