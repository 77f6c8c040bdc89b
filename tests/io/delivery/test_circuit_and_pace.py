"""The circuit and the pace of a consumer; time is given."""

from __future__ import annotations

import pytest

from edx2lrs.io.delivery.circuit import Circuit
from edx2lrs.io.delivery.decision import Hold
from edx2lrs.io.delivery.latency import RequestSeconds
from edx2lrs.io.delivery.pace import Pace, steady_size
from edx2lrs.transforms.config_types import Rate

OUTAGE = Hold("outage", "connection refused")


def held(circuit: Circuit, now: float, why: Hold = OUTAGE) -> Circuit:
    return circuit.hold(why, now, 300.0, lambda: 1.0)


def test_a_circuit_opens_probes_and_closes() -> None:
    opened = held(Circuit(), 100.0)
    assert (opened.state, opened.reason, opened.probe_at) == ("open", "connection refused", 101.0)
    assert opened.probe(100.9).state == "open"
    assert opened.probe(101.0).state == "half_open"
    assert opened.probe(101.0).close() == Circuit()


def test_each_probe_that_fails_doubles_the_wait_up_to_the_bound() -> None:
    circuit, now, waits = held(Circuit(), 0.0), 0.0, []
    for _ in range(12):
        waits.append(circuit.probe_at - now)
        now = circuit.probe_at
        circuit = held(circuit.probe(now), now)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert circuit.opened_at == 0.0


def test_jitter_keeps_half_of_the_wait() -> None:
    assert Circuit().hold(OUTAGE, 0.0, 300.0, lambda: 0.0).probe_at == 0.5


def test_what_the_lrs_asked_for_is_waited_for() -> None:
    assert held(Circuit(), 0.0, Hold("outage", "", probe_after=3600.0)).probe_at == 3600.0


def test_the_rate_holds_without_bursts() -> None:
    pace, now, sent = Pace(Rate(statements_per_second=500)), 0.0, 0
    while now < 10.0:
        pace.sent(100, now)
        sent += 100
        now = max(now, pace.next_at)
    assert sent == pytest.approx(5000, abs=100)


def test_idle_time_saves_up_nothing() -> None:
    pace = Pace(Rate(statements_per_second=100))
    pace.sent(100, 0.0)
    pace.sent(100, 50.0)
    assert pace.next_at == 51.0


@pytest.mark.parametrize(("rate", "size"), [(500, 1000), (500, 300), (500, 100), (499, 100), (7, 3), (33, 100), (1, 100)])
def test_no_second_has_more_than_the_rate_says(rate: float, size: int) -> None:
    limits = Rate(statements_per_second=rate)
    batch = steady_size(size, limits)
    assert 1 <= batch <= size
    pace, now, sent = Pace(limits), 0.0, []
    while now < 20.0:
        sent.append(now)
        pace.sent(batch, now)
        now = pace.next_at
    most = max(sum(batch for at in sent if start <= at < start + 1 - 1e-6) for start in sent)
    assert most <= max(rate, 1)
    assert batch * len(sent) >= 0.8 * rate * 20


def step(pace: Pace, seconds: float, statements: int = 100, full: bool = True) -> int:
    """As many answers as a step up or down is made of; gives how many may be in flight after it."""
    for _ in range(8):
        pace.accepted(statements, seconds, full)
    return pace.in_flight_limit


def test_push_back_halves_once_for_what_is_under_way_and_successes_raise_again() -> None:
    pace = Pace(Rate(concurrency=8))
    while step(pace, 0.2) < 8:
        pass
    for _ in range(3):
        pace.pushed_back(2.0, 30.0, 10.0)
    assert (pace.in_flight_limit, pace.next_at) == (4, 12.0)
    pace.pushed_back(0.0, 30.0, 41.0)
    assert pace.in_flight_limit == 2
    assert [step(pace, 0.2) for _ in range(8)] == [3, 4, 5, 6, 7, 8, 8, 8]


def test_round_trips_that_get_long_take_back_what_they_do_not_pay_for() -> None:
    # An LRS that works on four requests at a time: with more in flight each of them only takes longer.
    pace = Pace(Rate(concurrency=64))
    limits = [step(pace, 1.0 * max(1.0, pace.in_flight_limit / 4)) for _ in range(100)]
    assert max(limits) <= 10
    assert min(limits[10:]) >= 4


def test_an_lrs_that_is_slow_but_steady_gets_all_that_is_allowed() -> None:
    pace = Pace(Rate(concurrency=16))
    assert [step(pace, 5.0) for _ in range(20)][-1] == 16


def test_an_lrs_that_has_become_slower_is_found_out_again() -> None:
    pace = Pace(Rate(concurrency=4))
    step(pace, 0.3)
    assert [step(pace, 1.5) for _ in range(7)] == [3, 2, 1, 2, 3, 4, 4]


def test_large_batches_are_not_held_against_small_ones() -> None:
    pace = Pace(Rate(concurrency=4))
    for _ in range(10):
        step(pace, 0.01, statements=1)
    assert step(pace, 2.0, statements=100) == 4


def test_one_slow_answer_changes_nothing() -> None:
    pace = Pace(Rate(concurrency=4))
    for round_trip in (0.2, 0.2, 9.0, 0.2, 0.2, 0.2, 0.2, 0.2) * 5:
        pace.accepted(100, round_trip, True)
    assert pace.in_flight_limit == 4


def test_nothing_is_raised_that_nobody_uses() -> None:
    pace = Pace(Rate(concurrency=64))
    assert step(pace, 0.01, full=False) == 4


def test_after_an_outage_one_request_at_a_time() -> None:
    pace = Pace(Rate(concurrency=8))
    pace.restart()
    assert pace.in_flight_limit == 1


@pytest.mark.parametrize("scale", [0.001, 0.0137, 0.5, 9.0])
def test_quantiles_are_right_within_eighteen_percent(scale: float) -> None:
    seconds = RequestSeconds()
    observe = seconds.observer("one")
    for step in range(1, 1001):
        observe(step * scale / 100)
    seconds.observer("two")
    found = seconds.quantiles(0.5, 0.99)
    assert found["one"] == pytest.approx([5 * scale, 9.9 * scale], rel=0.18)
    assert found["two"] == [0.0, 0.0]


def test_quantiles_end_where_the_buckets_do() -> None:
    seconds = RequestSeconds()
    for duration in (0.0, 1000.0):
        seconds.observer("one")(duration)
    assert seconds.quantiles(0.5, 0.99) == {"one": [0.001, 100.0]}
