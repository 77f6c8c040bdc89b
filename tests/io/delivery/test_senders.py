"""The senders between a real state directory and LRSs that misbehave: what arrives, what the ledger says, who waits for whom."""

from __future__ import annotations

import itertools
import json
import math
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from edx2lrs.io.state.errors import StateFault
from edx2lrs.transforms.config_types import BatchOptions, Rate, Retry

SMALL = BatchOptions(size=10)
QUICK = Retry(base_delay=0.01, max_delay=0.05)


def test_all_is_delivered_once(lrs: Any, outside: Any, consumer: Any) -> None:
    campus = consumer(lrs.url)
    around = outside(campus)
    ids = around.keep(campus, 1234)
    around.send_all()
    assert lrs.stored == dict.fromkeys(ids, 1)
    assert all(len(request) <= 100 for request in lrs.requests)
    assert around.state.outbox.waiting("campus") == 0
    counts = around.counts(campus)
    assert (counts["delivered"], counts["requests"], "retries" in counts) == (1234, len(lrs.requests), False)


@pytest.mark.parametrize("days", [-4_630, -2, 2])
def test_all_is_delivered_while_the_clock_is_set(
    lrs: Any, outside: Any, consumer: Any, monkeypatch: Any, replies: Any, days: int
) -> None:
    """Each look at the clock finds it set by some days since the look before."""
    wall, looks = time.time, itertools.count()
    monkeypatch.setattr(time, "time", lambda: wall() + 86_400 * days * (next(looks) % 3))
    campus = consumer(lrs.url, batch=SMALL, rate=Rate(statements_per_second=1_000), retry=QUICK)
    around = outside(campus)
    ids = around.keep(campus, 30)
    statuses = iter((503, 429))
    lrs.behave = lambda _: replies(next(statuses, 200))
    around.send_all()
    assert lrs.stored == dict.fromkeys(ids, 1)


def test_batches_span_blocks(lrs: Any, outside: Any, consumer: Any) -> None:
    campus = consumer(lrs.url, batch=BatchOptions(size=100))
    around = outside(campus)
    around.keep(campus, 300, block=7)
    around.send_all()
    assert sorted(map(len, lrs.requests)) == [100, 100, 100]


def test_bodies_are_bounded_by_bytes(lrs: Any, outside: Any, consumer: Any) -> None:
    campus = consumer(lrs.url, batch=BatchOptions(size=1000, bytes=5000))
    around = outside(campus)
    around.keep(campus, 50, size=1000)
    around.send_all()
    assert sum(lrs.stored.values()) == 50
    assert max(map(len, lrs.bodies)) <= 5000


def test_a_repeat_shows_as_already_stored(lrs: Any, outside: Any, consumer: Any) -> None:
    campus = consumer(lrs.url, batch=SMALL)
    around = outside(campus)
    ids = around.keep(campus, 30)
    lrs.stored.update(ids[5:25])
    around.send_all()
    counts = around.counts(campus)
    assert (counts["delivered"], counts["already_stored"]) == (10, 20)


@pytest.mark.parametrize(("status", "outcome"), [(204, "already_stored"), (200, "delivered"), (202, "delivered")])
def test_empty_answers_settle(lrs: Any, outside: Any, consumer: Any, replies: Any, status: int, outcome: str) -> None:
    lrs.behave = lambda _: replies(status, b"")
    campus = consumer(lrs.url)
    around = outside(campus)
    around.keep(campus, 30)
    around.send_all()
    assert around.counts(campus)[outcome] == 30


def first_time(replies: Any, **options: Any) -> Callable[[list[str]], Any]:
    """A behaviour: each batch's first request is answered with ``options``, the next as usual."""
    seen: set[str] = set()

    def behave(ids: list[str]) -> Any:
        if ids[0] in seen:
            return replies()
        seen.add(ids[0])
        return replies(**options)

    return behave


@pytest.mark.parametrize(
    "options",
    [
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 429},
        {"status": 503},
        {"status": 500},
        {"status": 502},
        {"raw": "reset", "stores": False},
        {"raw": "reset", "stores": True},
    ],
    ids=["429 with Retry-After", "429", "503", "500", "502", "reset before", "reset after it was stored"],
)
def test_what_passes_is_delivered_once(
    lrs: Any, outside: Any, consumer: Any, replies: Any, tcp_reset: Any, options: dict[str, Any]
) -> None:
    if options.get("raw") == "reset":
        options = {**options, "raw": tcp_reset}
    lrs.behave = first_time(replies, **options)
    campus = consumer(lrs.url, batch=SMALL)
    around = outside(campus)
    ids = around.keep(campus, 60)
    around.send_all()
    counts = around.counts(campus)
    assert lrs.stored == dict.fromkeys(ids, 1)
    assert counts.get("delivered", 0) + counts.get("already_stored", 0) == 60
    assert counts["retries"] == 6
    assert "dead_statements/refused" not in counts


@pytest.mark.parametrize(
    ("status", "key"),
    [
        (400, "dead_statements/refused"),
        (413, "dead_statements/refused"),
        (422, "dead_statements/refused"),
        (409, "conflicts"),
        (500, "dead_statements/server_error"),
    ],
)
def test_one_bad_statement_costs_one(lrs: Any, outside: Any, consumer: Any, replies: Any, status: int, key: str) -> None:
    campus = consumer(lrs.url, retry=QUICK)
    around = outside(campus)
    ids = around.keep(campus, 500)
    bad = {ids[123], ids[124], ids[499]}
    lrs.behave = lambda sent: replies(status, b"no such verb") if bad & set(sent) else replies()
    around.send_all()
    counts = around.counts(campus)
    assert lrs.stored == dict.fromkeys(set(ids) - bad, 1)
    assert (counts["delivered"], counts[key]) == (497, 3)
    assert around.state.outbox.waiting("campus") == 0


@pytest.mark.parametrize(("status", "of_others"), [(400, 0), (413, 0), (422, 0), (409, 0), (500, 5)])
@pytest.mark.parametrize("count", [1, 3])
def test_bad_ones_of_a_thousand_cost_few_requests(
    lrs: Any, outside: Any, consumer: Any, replies: Any, status: int, of_others: int, count: int
) -> None:
    campus = consumer(lrs.url, retry=QUICK, batch=BatchOptions(size=1000))
    around = outside(campus)
    ids = around.keep(campus, 1000)
    bad = set(ids[321 : 321 + 331 * count : 331])
    lrs.behave = lambda sent: replies(status) if bad & set(sent) else replies()
    around.send_all()
    assert lrs.stored == dict.fromkeys(set(ids) - bad, 1)
    # a 500 is tried again: the whole batch once, a single statement four times and once more after an acceptance
    assert len(lrs.requests) <= count * (2 * math.log2(1000) + 2 + of_others)
    if status == 500:
        assert sorted(lrs.requests[0]) == sorted(lrs.requests[1]) == sorted(ids)


def test_a_poison_batch_does_not_keep_the_next_ones_back(lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any) -> None:
    campus = consumer(lrs.url, batch=BatchOptions(size=100), rate=Rate(concurrency=1), retry=QUICK)
    around = outside(campus)
    poison = set(around.keep(campus, 100))
    good = around.keep(campus, 500)
    lrs.behave = lambda sent: replies(400) if poison & set(sent) else replies()
    around.senders.start()
    until(lambda: lrs.stored == dict.fromkeys(good, 1), 5.0)
    until(lambda: around.state.outbox.waiting("campus") <= 100)
    around.senders.drain()
    # An LRS that refuses one after the other, and accepts nothing since, may refuse everything: some wait for the next good one.
    assert around.counts(campus)["dead_statements/refused"] + around.state.outbox.waiting("campus") == 100


def test_413_halves_what_later_bodies_may_have(lrs: Any, outside: Any, consumer: Any, replies: Any) -> None:
    campus = consumer(lrs.url, batch=BatchOptions(size=100), rate=Rate(concurrency=1), retry=QUICK)
    around = outside(campus)
    around.keep(campus, 1000, size=1000)
    lrs.behave = lambda _: replies(413) if len(lrs.bodies[-1]) > 60_000 else replies()
    around.send_all()
    assert sum(lrs.stored.values()) == 1000
    assert sum(len(body) > 60_000 for body in lrs.bodies) == 1


def test_an_lrs_that_never_answers_ends_soon_and_loses_nothing(lrs: Any, outside: Any, consumer: Any, replies: Any) -> None:
    free = threading.Event()
    lrs.behave = lambda _: replies(after=free)
    campus = consumer(lrs.url, batch=SMALL, timeout=0.3)
    around = outside(campus)
    around.keep(campus, 500)
    around.send_all()
    free.set()
    assert around.state.outbox.waiting("campus") == 500
    assert "no answer in time 3 times in a row" in around.senders.status()["campus"].reason
    assert len(lrs.requests) <= 8  # four at once, and what a thread had begun before the third was given up


def test_a_single_batch_without_an_answer_is_given_up_after_three_time_outs(
    lrs: Any, outside: Any, consumer: Any, replies: Any
) -> None:
    free = threading.Event()
    lrs.behave = lambda _: replies(after=free)
    campus = consumer(lrs.url, timeout=0.3)
    around = outside(campus)
    around.keep(campus, 5)
    around.send_all()
    free.set()
    assert len(lrs.requests) == 3


def test_who_comes_back_gets_the_oldest_first(lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any) -> None:
    lrs.behave = lambda _: replies(503)
    campus = consumer(lrs.url, retry=Retry(max_attempts=1, base_delay=0.01, max_delay=0.2), batch=SMALL)
    around = outside(campus)
    around.keep(campus, 300)
    around.senders.start()
    until(lambda: around.senders.status()["campus"].circuit == "open" and around.senders.status()["campus"].in_flight == 0)
    before, back, was_back = len(lrs.requests), threading.Event(), []

    def behave(_: list[str]) -> Any:
        was_back.append(back.is_set())
        return replies() if was_back[-1] else replies(503)

    lrs.behave = behave
    until(lambda: False in was_back)
    back.set()
    until(lambda: around.state.outbox.waiting("campus") == 0)
    accepted = [body for body, up in zip(lrs.bodies[before:], was_back, strict=False) if up]
    assert [json.loads(body)[0]["number"] for body in accepted[:8]] == [0, 10, 20, 30, 40, 50, 60, 70]


def test_one_consumer_has_its_batches_at_once_while_another_one_waits(
    new_lrs: Any, outside: Any, consumer: Any, until: Any
) -> None:
    quick_lrs, patient_lrs = new_lrs(), new_lrs()
    quick = consumer(quick_lrs.url, name="quick", batch=BatchOptions(interval=0.2))
    patient = consumer(patient_lrs.url, name="patient", batch=BatchOptions(interval=300.0))
    around = outside(quick, patient)
    around.senders.start()
    for each in (quick, patient):
        around.keep(each, 3)
    until(lambda: around.state.outbox.waiting("quick") == 0, 2.0)
    assert (len(quick_lrs.requests), len(patient_lrs.requests)) == (1, 0)
    assert around.state.outbox.waiting("patient") == 3


def test_the_dead_letter_holds_the_body_and_the_words_of_the_lrs(lrs: Any, outside: Any, consumer: Any, replies: Any) -> None:
    campus = consumer(lrs.url)
    around = outside(campus)
    ids = around.keep(campus, 20)
    lrs.behave = lambda sent: replies(400, b"no such verb") if ids[7] in sent else replies()
    around.send_all()
    (letter,) = around.state.dead_letters.read()
    assert (letter.consumer, letter.stage, letter.cause) == ("campus", "deliver", "refused")
    assert (letter.statement_id, json.loads(letter.payload)["id"]) == (ids[7], ids[7])
    assert (letter.http_status, letter.http_body) == (400, "no such verb")
    assert letter.position == "log:8"
    assert letter.attempts > 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"status": 401}, "401"),
        ({"status": 403}, "403"),
        ({"status": 404}, "404"),
        ({"status": 302, "headers": {"Location": "/login"}}, "302"),
        ({"status": 200, "body": b"<html>log in</html>", "stores": False}, "web page"),
    ],
)
def test_a_wrong_set_up_holds_the_consumer_and_says_so_once(
    lrs: Any, outside: Any, consumer: Any, replies: Any, options: dict[str, Any], reason: str
) -> None:
    lrs.behave = lambda _: replies(**options)
    campus = consumer(lrs.url, batch=SMALL, rate=Rate(concurrency=1))
    around = outside(campus)
    around.keep(campus, 100)
    around.send_all(patience=10.0)
    assert around.state.outbox.waiting("campus") == 100
    assert len(lrs.requests) == 1
    assert around.senders.status()["campus"].circuit == "open"
    assert reason in around.senders.status()["campus"].reason
    assert around.state.outbox.open_circuits() == {"campus"}
    told = [(notice.kind, notice.waiting) for notice in around.notices]
    credentials = [("credentials_refused", 100)] if reason in ("401", "403") else []
    assert told == [*credentials, ("circuit_opened", 100)]


def test_who_refuses_everything_keeps_everything(lrs: Any, outside: Any, consumer: Any, replies: Any) -> None:
    lrs.behave = lambda _: replies(400, b"license expired")
    campus = consumer(lrs.url)
    around = outside(campus)
    around.keep(campus, 500)
    around.send_all()
    assert around.state.outbox.waiting("campus") == 500
    assert around.senders.status()["campus"].circuit == "open"


def test_an_lrs_that_is_not_there_ends_soon_and_loses_nothing(outside: Any, consumer: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    campus = consumer(url)
    around = outside(campus)
    around.keep(campus, 500)
    started = time.monotonic()
    around.send_all(patience=1.0)
    assert time.monotonic() - started < 10.0
    assert around.state.outbox.waiting("campus") == 500
    assert "refused" in around.senders.status()["campus"].reason


def test_an_lrs_that_comes_back_gets_everything_by_itself(
    lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any
) -> None:
    lrs.behave = lambda _: replies(503)
    campus = consumer(lrs.url, retry=Retry(max_attempts=2, base_delay=0.01, max_delay=0.2), batch=SMALL)
    around = outside(campus)
    ids = around.keep(campus, 200)
    around.senders.start()
    until(lambda: around.senders.status()["campus"].circuit == "open")
    lrs.behave = lambda _: replies()
    until(lambda: around.state.outbox.waiting("campus") == 0)
    assert lrs.stored == dict.fromkeys(ids, 1)
    until(lambda: [notice.kind for notice in around.notices] == ["circuit_opened", "circuit_closed"])
    assert around.state.outbox.open_circuits() == frozenset()


def test_an_outage_at_the_end_of_a_run_is_given_some_patience(lrs: Any, outside: Any, consumer: Any, replies: Any) -> None:
    back_at = time.monotonic() + 1.0
    lrs.behave = lambda _: replies() if time.monotonic() > back_at else replies(503)
    campus = consumer(lrs.url, retry=Retry(max_attempts=2, base_delay=0.01, max_delay=0.2))
    around = outside(campus)
    around.keep(campus, 100)
    around.send_all(patience=10.0)
    assert around.state.outbox.waiting("campus") == 0


def test_an_outage_that_begins_late_is_given_as_much(lrs: Any, outside: Any, consumer: Any, replies: Any) -> None:
    turns = iter(range(100))
    out = range(3, 10)

    def behave(_: list[str]) -> Any:
        turn = next(turns)
        time.sleep(0.2 if turn < out.start else 0.0)
        return replies(503) if turn in out else replies()

    lrs.behave = behave
    retry = Retry(max_attempts=2, base_delay=0.01, max_delay=0.05)
    campus = consumer(lrs.url, retry=retry, batch=SMALL, rate=Rate(concurrency=1))
    around = outside(campus)
    around.keep(campus, 100)
    around.send_all(patience=0.5)
    assert around.state.outbox.waiting("campus") == 0
    assert "circuit_opened" in [notice.kind for notice in around.notices]


def test_a_long_row_of_bad_statements_at_the_end_of_a_run_is_found_out(
    lrs: Any, outside: Any, consumer: Any, replies: Any
) -> None:
    retry = Retry(base_delay=0.01, max_delay=0.05)
    campus = consumer(lrs.url, retry=retry, batch=BatchOptions(size=100), rate=Rate(concurrency=1))
    around = outside(campus)
    ids = around.keep(campus, 100)
    bad = set(ids[60:])
    lrs.behave = lambda sent: replies(400) if bad & set(sent) else replies()
    around.send_all(patience=5.0)
    assert set(lrs.stored) == set(ids) - bad
    assert around.counts(campus)["dead_statements/refused"] == 40
    assert "circuit_opened" in [notice.kind for notice in around.notices]


def test_an_outage_becomes_dead_letters_when_the_consumer_says_so(
    lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any
) -> None:
    lrs.behave = lambda _: replies(503)
    retry = Retry(max_attempts=2, base_delay=0.01, max_delay=0.2)
    campus = consumer(lrs.url, retry=retry, batch=SMALL, on_outage="dead_letter", max_wait=0.2)
    around = outside(campus)
    around.keep(campus, 100)
    around.senders.start()
    until(lambda: around.state.outbox.waiting("campus") == 0)
    assert around.counts(campus)["dead_statements/outage"] == 100


def test_a_batch_goes_out_at_its_age(lrs: Any, outside: Any, consumer: Any, until: Any) -> None:
    quick = consumer(lrs.url, batch=BatchOptions(size=100, interval=0.2))
    around = outside(quick)
    around.senders.start()
    started = time.monotonic()
    around.keep(quick, 3)
    until(lambda: around.state.outbox.waiting("campus") == 0)
    assert lrs.times[0] - started + 0.02 >= 0.2
    assert lrs.times[0] - started < 2.0


def test_a_batch_that_is_not_full_waits_while_more_may_come(lrs: Any, outside: Any, consumer: Any, until: Any) -> None:
    campus = consumer(lrs.url, batch=BatchOptions(size=10, interval=3600.0))
    around = outside(campus)
    around.senders.start()
    around.keep(campus, 25)
    until(lambda: around.state.outbox.waiting("campus") == 5)
    assert [len(request) for request in lrs.requests] == [10, 10]
    around.senders.drain()
    assert around.state.outbox.waiting("campus") == 0


@pytest.mark.parametrize("concurrency", [1, 3])
def test_requests_in_flight_are_bounded(
    lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any, concurrency: int
) -> None:
    free = threading.Event()
    lrs.behave = lambda _: replies(after=free)
    campus = consumer(lrs.url, batch=SMALL, rate=Rate(concurrency=concurrency))
    around = outside(campus)
    around.keep(campus, 200)
    around.senders.start()
    until(lambda: lrs.most_at_once >= concurrency)
    free.set()
    around.senders.drain()
    assert lrs.most_at_once == concurrency


def test_statements_per_second_are_bounded(lrs: Any, outside: Any, consumer: Any) -> None:
    campus = consumer(lrs.url, batch=SMALL, rate=Rate(statements_per_second=100))
    around = outside(campus)
    around.keep(campus, 60)
    around.send_all()
    assert lrs.times[-1] - lrs.times[0] >= 0.48


def test_nothing_is_settled_before_the_answer(lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any) -> None:
    free = threading.Event()
    lrs.behave = lambda _: replies(after=free)
    campus = consumer(lrs.url)
    around = outside(campus)
    around.keep(campus, 100)
    around.senders.start()
    until(lambda: len(lrs.requests) == 1)
    assert around.state.outbox.waiting("campus") == 100
    assert around.senders.status()["campus"].in_flight == 1
    free.set()
    until(lambda: around.state.outbox.waiting("campus") == 0)


def test_one_slow_consumer_delays_nobody(new_lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any) -> None:
    slow_lrs, quick_lrs = new_lrs(), new_lrs()
    free = threading.Event()
    slow_lrs.behave = lambda _: replies(after=free)
    slow, quick = consumer(slow_lrs.url, name="slow"), consumer(quick_lrs.url, name="quick", batch=BatchOptions(interval=0.01))
    around = outside(slow, quick)
    around.keep(slow, 1000)
    around.senders.start()
    until(lambda: len(slow_lrs.requests) == 4)
    for _ in range(5):
        around.keep(quick, 100)
        until(lambda: around.state.outbox.waiting("quick") == 0, 2.0)
    assert around.state.outbox.waiting("slow") == 1000
    free.set()
    around.senders.drain()
    assert around.state.outbox.waiting("slow") == 0


def test_stop_leaves_what_was_not_answered(lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any) -> None:
    free = threading.Event()
    lrs.behave = lambda _: replies(after=free)
    campus = consumer(lrs.url, batch=SMALL, rate=Rate(concurrency=2))
    around = outside(campus)
    around.keep(campus, 100)
    around.senders.start()
    until(lambda: len(lrs.requests) == 2)
    assert around.senders.stop(0.05) is False
    assert around.state.outbox.waiting("campus") == 100
    free.set()
    assert around.senders.stop(5.0) is True
    assert around.state.outbox.waiting("campus") == 80


def test_a_fault_of_the_state_reaches_the_owner(lrs: Any, outside: Any, consumer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise StateFault("state directory x: the disk is full")

    campus = consumer(lrs.url)
    around = outside(campus)
    around.keep(campus, 100)
    monkeypatch.setattr(around.state.outbox, "settle", full)
    with pytest.raises(StateFault, match="disk is full"):
        around.send_all()


def test_a_consumer_with_nothing_to_send_costs_no_thread(lrs: Any, outside: Any, consumer: Any) -> None:
    around = outside(*(consumer(lrs.url, name=f"c{number}") for number in range(200)))
    before = threading.active_count()
    around.send_all()
    assert threading.active_count() - before <= 1


def test_notices_hold_no_statement(lrs: Any, outside: Any, consumer: Any, replies: Any) -> None:
    campus = consumer(lrs.url)
    around = outside(campus)
    ids = around.keep(campus, 50)
    lrs.behave = lambda sent: replies(409, json.dumps(sent).encode())
    around.send_all()
    assert around.counts(campus)["conflicts"] == 50
    assert [notice.kind for notice in around.notices] == ["conflicts", "conflicts"]
    assert not any(each in str(notice) for notice in around.notices for each in ids)


def test_credentials_are_told_when_they_are_refused_and_when_they_are_taken_again(
    lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any
) -> None:
    lrs.behave = lambda _: replies(401)
    retry = Retry(max_attempts=2, base_delay=0.01, max_delay=0.05)
    campus = consumer(lrs.url, retry=retry, batch=SMALL, rate=Rate(concurrency=1))
    around = outside(campus)
    around.keep(campus, 200)
    around.senders.start()
    until(lambda: len(lrs.requests) > 2)
    lrs.behave = lambda _: replies()
    until(lambda: around.state.outbox.waiting("campus") == 0)
    told = ["credentials_refused", "circuit_opened", "credentials_taken", "circuit_closed"]
    until(lambda: [notice.kind for notice in around.notices] == told)


def test_what_happened_last_is_told_last(lrs: Any, outside: Any, consumer: Any, replies: Any, until: Any) -> None:
    """One request opens the circuit, another one that was under way closes it, while the first is still told."""
    turns = iter(range(100))
    opened = threading.Event()
    lrs.behave = lambda _: replies(401) if next(turns) == 0 else replies(after=opened)
    campus = consumer(lrs.url, batch=SMALL, rate=Rate(concurrency=2))
    around = outside(campus)
    told, closed = [], threading.Event()

    def tell(notice: Any) -> None:
        if notice.kind == "circuit_opened":
            opened.set()
            closed.wait(0.3)
        told.append(notice.kind)
        if notice.kind == "circuit_closed":
            closed.set()

    around.keep(campus, 100)
    around.tell = tell
    around.senders.start()
    until(lambda: around.state.outbox.waiting("campus") == 0)
    until(lambda: len(told) == 4)
    assert told == ["credentials_refused", "circuit_opened", "credentials_taken", "circuit_closed"]
