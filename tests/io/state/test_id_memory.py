"""What is remembered, for how long, and what makes it forgotten."""

from __future__ import annotations

import random

import pytest

from edx2lrs.io.state.outbox import Settlement
from edx2lrs.transforms.failure import Failure


def settle_all(state, consumer, outcome="delivered"):
    for block in state.outbox.waiting_blocks(consumer, limit=1_000):
        state.outbox.settle(consumer, [Settlement(s.row, (s.index,), outcome, None) for s in block.waiting.statements()], {})


def refused(body):
    return Failure("deliver", "rejected", "the consumer refused it", "p:1", body, "statement", "one", "id")


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_a_dictionary(start, keep, statement, seed):
    """Waves of 1 to 40 statements from 150 ids and both consumers, some of which are refused and forgotten."""
    chance = random.Random(seed)
    state = start(ids=100_000 if seed % 2 else 160 * 16)  # the second makes generations of 160 on the way
    remembered = {"one": set(), "two": set()}
    for _ in range(60):
        consumer = chance.choice(["one", "two"])
        numbers = [chance.randrange(150) for _ in range(chance.randint(1, 40))]
        new = set(numbers) - remembered[consumer]

        kept = keep(state, (consumer, [statement(n) for n in numbers]))

        assert (kept.new, kept.duplicates) == (len(new), len(numbers) - len(new))
        remembered[consumer] |= new
        for block in state.outbox.waiting_blocks(consumer):
            dead = {s.index for s in block.waiting.statements() if chance.random() < 0.3}
            remembered[consumer] -= {int(s.body[5:-1]) for s in block.waiting.statements() if s.index in dead}
            state.outbox.settle(
                consumer,
                [
                    Settlement(s.row, (s.index,), "dead", refused(s.body))
                    if s.index in dead
                    else Settlement(s.row, (s.index,), "delivered")
                    for s in block.waiting.statements()
                ],
                {},
            )


def test_the_oldest_ids_are_forgotten_and_the_newest_are_not(start, keep, statement):
    state = start(ids=160)
    for n in range(0, 400, 8):
        keep(state, ("one", [statement(n + i) for i in range(8)]))
        settle_all(state, "one")

    assert keep(state, ("one", [statement(n) for n in range(300, 400)])).new == 0
    assert keep(state, ("one", [statement(n) for n in range(200)])).duplicates == 0


def test_an_id_is_not_forgotten_while_its_statement_waits(start, keep, statement):
    state = start(ids=32)
    keep(state, ("one", [statement(n) for n in range(10)]))
    for n in range(10, 200, 5):
        keep(state, ("two", [statement(n + i) for i in range(5)]))
        settle_all(state, "two")

    assert keep(state, ("one", [statement(n) for n in range(10)])).duplicates == 10
    assert keep(state, ("two", [statement(11)])).new == 1

    settle_all(state, "one")
    for n in range(200, 300, 5):
        keep(state, ("two", [statement(n + i) for i in range(5)]))
        settle_all(state, "two")
    assert keep(state, ("one", [statement(n) for n in range(10)])).duplicates == 0


@pytest.mark.parametrize("waves_between", [0, 7, 100])
def test_a_refused_statement_may_come_again_once(start, keep, statement, waves_between):
    state = start(ids=64)
    keep(state, ("one", [statement(1), statement(2)]))
    (block,) = state.outbox.waiting_blocks("one")
    state.outbox.settle(
        "one",
        [Settlement(block.waiting.row, (0,), "dead", refused(b"{}")), Settlement(block.waiting.row, (1,), "delivered")],
        {},
    )
    for n in range(waves_between):
        keep(state, ("one", [statement(1_000 + n)]))

    assert keep(state, ("one", [statement(1, "new event", "{}")])).new == 1
    assert keep(state, ("one", [statement(1, "new event", "{}")])).duplicates == 1
    assert keep(state, ("one", [statement(1)])).collisions == 1  # the checks are those of what came last


def test_it_outlives_the_process(start, open_at, keep, statement):
    state = start()
    keep(state, ("one", [statement(1)]))
    state.close()

    assert keep(open_at(), ("one", [statement(1), statement(2)])).duplicates == 1
