"""The circuit and the pace of a consumer; time is given."""

from __future__ import annotations

import pytest

from edx2lrs.io.circuit import Circuit
from edx2lrs.io.delivery import Hold
from edx2lrs.io.latency import Durations
from edx2lrs.io.pace import Pace
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


def test_push_back_halves_once_for_what_is_under_way_and_successes_raise_again() -> None:
    pace = Pace(Rate(concurrency=8))
    for _ in range(3):
        pace.pushed_back(2.0, 30.0, 10.0)
    assert (pace.in_flight_limit, pace.next_at) == (4, 12.0)
    pace.pushed_back(0.0, 30.0, 41.0)
    assert pace.in_flight_limit == 2
    for _ in range(1000):
        pace.accepted()
    assert pace.in_flight_limit == 8


def test_after_an_outage_one_request_at_a_time() -> None:
    pace = Pace(Rate(concurrency=8))
    pace.restart()
    assert pace.in_flight_limit == 1


def test_quantiles_are_right_within_five_percent() -> None:
    durations = Durations()
    for milliseconds in range(1, 1001):
        durations.add(milliseconds / 1000)
    assert durations.quantile(0.5) == pytest.approx(0.5, rel=0.051)
    assert durations.quantile(0.99) == pytest.approx(0.99, rel=0.051)
    assert Durations().quantile(0.5) == 0.0
