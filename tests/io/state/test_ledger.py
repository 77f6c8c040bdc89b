"""The ledger adds up, per run and over all runs."""

from __future__ import annotations

from edx2lrs.io.state.outbox import Settlement
from edx2lrs.transforms.counters import Counted


def settle_first(state, consumer):
    block = state.outbox.waiting_blocks(consumer)[0]
    state.outbox.settle(consumer, [Settlement(block.waiting.row, block.waiting.indexes[:1], "delivered")], {"requests": 1})


def test_a_run_takes_over_what_waits(state, keep, statement):
    keep(state, ("one", [statement(n) for n in range(3)]))
    settle_first(state, "one")

    run = state.ledger.begin_run("deliver", ["one", "two"], "job")
    settle_first(state, "one")

    assert state.ledger.totals(run.number) == {
        Counted("one", "taken_over"): 2,
        Counted("one", "delivered"): 1,
        Counted("one", "requests"): 1,
    }
    assert state.ledger.totals() == {
        Counted("", "read"): 1,
        Counted("one", "statements"): 3,
        Counted("one", "delivered"): 2,
        Counted("one", "requests"): 2,
    }


def test_counts_from_outside_of_waves(state):
    state.ledger.add({Counted("", "read"): 2, Counted("", "dead", "unreadable"): 2})
    state.ledger.add({Counted("", "read"): 1})

    assert state.ledger.totals() == {Counted("", "read"): 3, Counted("", "dead", "unreadable"): 2}


def test_a_consumer_that_comes_after_something_was_read_is_new(state, keep, statement):
    assert state.ledger.new_consumers(["three"]) == []
    keep(state, ("one", [statement(1)]))

    assert state.ledger.new_consumers(["one", "three"]) == ["three"]
    assert state.ledger.begin_run("test", ["one", "three"], "job").new_consumers == ["three"]
    assert state.ledger.begin_run("test", ["one", "three"], "job").new_consumers == []

def test_names_of_unknown_events_have_an_end(state):
    """Names may be learners' own texts: the rarest count as others."""
    names = [f"name.{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600)]
    for at in range(0, 600, 100):
        state.ledger.add({Counted("", "unknown_names", names[n]): 600 - n for n in range(at, at + 100)})
    totals = state.ledger.totals()
    assert len(totals) == 501
    assert totals[Counted("", "unknown_names", "name.aa")] == 600
    assert totals[Counted("", "unknown_names", "other")] == sum(range(1, 101))
