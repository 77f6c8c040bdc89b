"""The state of one consumer's sending, driven without threads, clock or network: who is at fault is found, and cheaply."""

from __future__ import annotations

import itertools
import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from edx2lrs.io.delivery.decision import Answer
from edx2lrs.io.delivery.sending import Request, Sending, Tried, Unsent
from edx2lrs.io.state.batch import BlockSlice, PendingStatement
from edx2lrs.io.state.outbox import Settlement, StoredBlock, statements_in
from edx2lrs.transforms.config_types import BatchOptions, Consumer, Rate, Retry
from edx2lrs.transforms.packing.blocks import Origin

Behaviour = Callable[[list[int]], Answer]


def consumer(**options: Any) -> Consumer:
    defaults = {"batch": BatchOptions(size=1000), "rate": Rate(concurrency=1), "retry": Retry(max_delay=60.0)}
    return Consumer(name="campus", protocol="xapi", url="http://x", access="all", **{**defaults, **options})


def block(row: int, count: int) -> StoredBlock:
    return StoredBlock(0.0, slice_of(row, [pending(row, index) for index in range(count)]))


def slice_of(row: int, statements: list[PendingStatement]) -> BlockSlice:
    ids = b"".join(each.id for each in statements)
    lines = {index: each.origin_line for index, each in enumerate(statements)}
    return BlockSlice(row, range(len(statements)), ids, b"\n".join(each.body for each in statements), lines)


def pending(row: int, index: int) -> PendingStatement:
    number = 10_000 * row + index
    return PendingStatement(row=row, index=index, id=uuid.UUID(int=number).bytes, body=b"%d" % number, origin_line=f"log:{number}")


class Driven:
    """Carries out what ``sending`` chooses at once; the clock jumps to the next moment."""

    def __init__(self, sending: Sending, behaviour: Behaviour) -> None:
        self.sending = sending
        self.behaviour = behaviour
        self.requests: list[list[int]] = []
        self.outcomes: dict[int, Settlement] = {}
        self.now = 0.0

    def run(self, stop: Callable[[], bool] = lambda: False) -> Driven:
        """Until all is settled, or the circuit is open; or ``stop``."""
        while self.sending.held and self.sending.circuit.state != "open" and not stop():
            self.step()
        return self

    def step(self) -> None:
        assert self.now < 10_000, "it goes round in circles"
        chosen = self.sending.choose(self.now)
        if isinstance(chosen, float):
            assert chosen > self.now
            self.now = chosen
            return
        if isinstance(chosen, Request):
            numbers = [int(statement.body) for statement in chosen.batch]
            self.requests.append(numbers)
            settlements = self.sending.answered(chosen, self.behaviour(numbers), self.now)
        else:
            assert isinstance(chosen, Unsent)
            settlements = chosen.settlements
        for settlement in settlements:
            for index in settlement.indexes:
                number = 10_000 * settlement.row + index
                assert number not in self.outcomes, "settled twice"
                self.outcomes[number] = settlement
        self.sending.settled(statements_in(settlements))

    def with_outcome(self, outcome: str) -> set[int]:
        return {number for number, settlement in self.outcomes.items() if settlement.outcome == outcome}


def driven(behaviour: Behaviour, blocks: Iterable[StoredBlock], **options: Any) -> Driven:
    sending = Sending(consumer(**options), lambda: 0.5)
    sending.draining = True
    for each in blocks:
        sending.add(each, 0.0)
    return Driven(sending, behaviour)


def refusing(bad: set[int], status: int = 400) -> Behaviour:
    return lambda numbers: Answer(status, excerpt="no") if bad & set(numbers) else Answer(200)


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("culprit", [0, 1, 499, 500, 618, 998, 999])
def test_one_bad_of_a_thousand_is_found_in_few_requests(status: int, culprit: int) -> None:
    bad = {10_000 + culprit}
    run = driven(refusing(bad, status), [block(1, 1000)]).run()
    assert run.with_outcome("dead_statements") == bad
    assert len(run.with_outcome("delivered")) == 999
    assert len(run.requests) <= 2 * math.log2(1000) + 2


@pytest.mark.parametrize("bad", [{0, 999}, {3, 4, 5}, set(range(0, 1000, 100))], ids=["ends", "neighbours", "ten"])
def test_k_bad_ones_cost_k_times_that(bad: set[int]) -> None:
    bad = {10_000 + number for number in bad}
    run = driven(refusing(bad), [block(1, 1000)]).run()
    assert run.with_outcome("dead_statements") == bad
    assert len(run.requests) <= len(bad) * (2 * math.log2(1000) + 2)


def test_a_conflict_is_found_and_counted_apart() -> None:
    run = driven(refusing({10_007}, 409), [block(1, 100)]).run()
    assert run.with_outcome("conflicts") == {10_007}
    assert len(run.with_outcome("delivered")) == 99


def test_the_letter_of_a_refused_statement_says_what_the_lrs_said() -> None:
    run = driven(refusing({10_003}, 422), [block(1, 10)]).run()
    failure = run.outcomes[10_003].failure
    assert failure is not None
    assert (failure.stage, failure.cause, failure.http_status, failure.http_body) == ("deliver", "refused", 422, "no")
    assert (failure.payload, failure.payload_kind, failure.position) == (b"10003", "statement", "log:10003")
    assert failure.statement_id == str(uuid.UUID(int=10_003))


def test_a_repeating_500_is_retried_whole_then_found() -> None:
    run = driven(refusing({10_042}, 500), [block(1, 100)]).run()
    assert run.requests[0] == run.requests[1]
    assert run.with_outcome("dead_statements") == {10_042}
    assert run.outcomes[10_042].failure is not None
    assert run.outcomes[10_042].failure.cause == "server_error"


def test_one_statement_that_is_too_large_does_not_make_later_batches_small_for_ever() -> None:
    run = driven(refusing({10_042}, 413), [block(row, 100) for row in range(1, 80)], batch=BatchOptions(size=100)).run()
    assert run.with_outcome("dead_statements") == {10_042}
    assert max(map(len, run.requests[-5:])) == 100


def test_a_bad_batch_that_is_the_only_probe_left_is_halved() -> None:
    """Its circuit was opened by something else: without another batch nothing else would ever close it."""
    answers = iter([Answer(503, retry_after=600.0)])
    refuse = refusing({10_042}, 500)
    run = driven(lambda numbers: next(answers, None) or refuse(numbers), [block(1, 100)], batch=BatchOptions(size=100)).run()
    assert run.sending.circuit.state == "open"
    while run.sending.held:
        run.step()
    assert run.with_outcome("dead_statements") == {10_042}
    assert len(run.with_outcome("delivered")) == 99
    assert len(run.requests) <= 40


def test_server_errors_about_a_bad_statement_are_no_signs_of_an_outage() -> None:
    alone = itertools.count()

    def behaviour(numbers: list[int]) -> Answer:
        if 10_007 not in numbers:
            return Answer(200)
        if len(numbers) == 1 and next(alone) in (1, 3):
            return Answer(error="reset")
        return Answer(500)

    run = driven(behaviour, [block(1, 100)], retry=Retry(max_attempts=3)).run()
    assert run.with_outcome("dead_statements") == {10_007}
    assert len(run.with_outcome("delivered")) == 99


def test_a_time_of_500s_kills_no_statement() -> None:
    run = driven(lambda _: Answer(500), [block(1, 100), block(2, 100)], batch=BatchOptions(size=100)).run()
    assert run.sending.circuit.state == "open"
    assert run.outcomes == {}
    run.behaviour = lambda _: Answer(200)
    while run.sending.held:
        run.step()
    assert len(run.with_outcome("delivered")) == 200


def test_who_refuses_everything_loses_nothing() -> None:
    run = driven(lambda _: Answer(400), [block(1, 300)], batch=BatchOptions(size=100)).run()
    assert run.sending.circuit.state == "open"
    assert run.sending.circuit.kind == "refusing"
    assert run.outcomes == {}
    assert len(run.requests) <= 40


def test_a_lone_refused_statement_is_not_judged_without_an_acceptance() -> None:
    run = driven(lambda _: Answer(400), [block(1, 1)]).run()
    assert run.sending.circuit.kind == "refusing"
    assert run.outcomes == {}


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("left", [1, 3])
def test_bad_ones_that_an_earlier_run_has_left_alone_are_judged_by_what_it_saw_accepted(status: int, left: int) -> None:
    sending = Sending(consumer(), lambda: 0.5, accepted_before=True)
    sending.draining = True
    sending.add(block(1, left), 0.0)
    run = Driven(sending, lambda _: Answer(status)).run()
    assert len(run.with_outcome("dead_statements")) == left
    assert len(run.requests) <= 20 * left


def test_who_accepted_once_and_now_refuses_everything_loses_nothing() -> None:
    sending = Sending(consumer(batch=BatchOptions(size=100)), lambda: 0.5, accepted_before=True)
    sending.draining = True
    for row in (1, 2, 3):
        sending.add(block(row, 100), 0.0)
    run = Driven(sending, lambda _: Answer(400)).run()
    assert (run.sending.circuit.kind, run.outcomes) == ("refusing", {})


def test_an_acceptance_before_it_counts_at_the_end_of_the_run() -> None:
    run = driven(refusing({20_000}), [block(1, 5), block(2, 1)], batch=BatchOptions(size=5)).run()
    assert run.with_outcome("dead_statements") == {20_000}


def test_a_whole_poison_batch_does_not_keep_the_next_ones_back() -> None:
    bad = set(range(10_000, 10_100))
    run = driven(refusing(bad), [block(1, 100), block(2, 100)], batch=BatchOptions(size=100))
    while run.sending.held:
        run.step()
    assert run.with_outcome("dead_statements") == bad
    assert len(run.with_outcome("delivered")) == 100


def test_an_open_circuit_sends_one_batch_as_a_probe_and_the_rest_after_it() -> None:
    up = False
    run = driven(
        lambda _: Answer(200) if up else Answer(error="refused"),
        [block(1, 100), block(2, 100)],
        batch=BatchOptions(size=100),
        rate=Rate(concurrency=4),
    ).run()
    before = len(run.requests)
    assert run.sending.circuit.state == "open"
    run.step()
    run.step()
    assert len(run.requests) == before + 1
    assert run.sending.circuit.state == "open"
    up = True
    while run.sending.held:
        run.step()
    assert len(run.with_outcome("delivered")) == 200


def test_nothing_is_sent_while_the_circuit_is_open() -> None:
    run = driven(lambda _: Answer(401), [block(1, 100)], batch=BatchOptions(size=10), rate=Rate(concurrency=4)).run()
    assert len(run.requests) == 1
    assert isinstance(run.sending.choose(run.now), float)


def test_an_outage_that_outlives_max_wait_makes_dead_letters() -> None:
    run = driven(lambda _: Answer(error="refused"), [block(1, 25)], batch=BatchOptions(size=10), on_outage="dead_letter", max_wait=60.0)
    while run.sending.held:
        run.step()
    assert 60.0 <= run.now < 130.0
    assert run.with_outcome("dead_statements") == set(range(10_000, 10_025))
    assert Counter(s.failure.cause for s in run.outcomes.values() if s.failure) == {"outage": 25}


def test_a_wrong_set_up_makes_no_dead_letters() -> None:
    run = driven(lambda _: Answer(403), [block(1, 25)], on_outage="dead_letter", max_wait=1.0).run()
    for _ in range(50):
        run.step()
    assert run.now > 1.0
    assert run.outcomes == {}


def test_413_makes_later_batches_smaller() -> None:
    def at_most_ten(numbers: list[int]) -> Answer:
        return Answer(413) if len(numbers) > 10 else Answer(200)

    run = driven(at_most_ten, [block(row, 100) for row in range(1, 21)], batch=BatchOptions(size=100)).run()
    assert len(run.with_outcome("delivered")) == 2000
    assert sum(len(numbers) > 10 for numbers in run.requests) < 30


def test_a_413_for_no_more_than_was_accepted_lately_is_about_a_statement_and_makes_nothing_smaller() -> None:
    run = driven(refusing({50_042}, 413), [block(row, 100) for row in range(1, 80)], batch=BatchOptions(size=100)).run()
    assert run.with_outcome("dead_statements") == {50_042}
    assert len(run.requests) <= 79 + 2 * math.log2(100) + 2

    turns = itertools.count()

    def now_and_then(numbers: list[int]) -> Answer:
        return Answer(413) if next(turns) % 20 == 19 and len(numbers) > 1 else Answer(200)

    run = driven(now_and_then, [block(row, 100) for row in range(1, 80)], batch=BatchOptions(size=100)).run()
    assert len(run.with_outcome("delivered")) == 7900
    assert len(run.requests) < 1.2 * 79


def test_who_goes_on_from_another_knows_what_was_too_large() -> None:
    def at_most_ten(numbers: list[int]) -> Answer:
        return Answer(413) if len(numbers) > 10 else Answer(200)

    before = driven(at_most_ten, [block(row, 100) for row in range(1, 4)], batch=BatchOptions(size=100)).run()
    standing, _ = before.sending.put_down()
    sending = Sending(consumer(batch=BatchOptions(size=100)), lambda: 0.5)
    sending.resume(standing)
    sending.add(block(9, 100), 0.0)
    after = Driven(sending, at_most_ten).run()
    assert len(after.with_outcome("delivered")) == 100
    assert max(map(len, after.requests)) < 20


def test_a_bound_that_an_lrs_has_made_smaller_is_found() -> None:
    turns = itertools.count()

    def smaller_after_a_while(numbers: list[int]) -> Answer:
        return Answer(413) if next(turns) >= 40 and len(numbers) > 10 else Answer(200)

    run = driven(smaller_after_a_while, [block(row, 100) for row in range(1, 80)], batch=BatchOptions(size=100)).run()
    assert len(run.with_outcome("delivered")) == 7900
    refused = sum(len(numbers) > 10 for numbers in run.requests[40:])
    assert refused < 0.15 * len(run.requests[40:])


def test_three_time_outs_of_whichever_batches_open_the_circuit() -> None:
    run = driven(lambda _: Answer(error="timeout"), [block(1, 30)], batch=BatchOptions(size=10), rate=Rate(concurrency=3))
    chosen = [run.sending.choose(0.0) for _ in range(3)]
    for request in chosen:
        assert isinstance(request, Request)
        run.sending.answered(request, Answer(error="timeout"), 30.0)
        run.sending.settled(0)
    assert run.sending.circuit.state == "open"


def test_a_single_batch_is_given_up_after_three_time_outs() -> None:
    run = driven(lambda _: Answer(error="timeout"), [block(1, 5)]).run()
    assert run.sending.circuit.state == "open"
    assert len(run.requests) == 3


def test_time_outs_between_answers_do_not_open_the_circuit() -> None:
    count = 0

    def every_third(_: list[int]) -> Answer:
        nonlocal count
        count += 1
        return Answer(200) if count % 3 == 0 else Answer(error="timeout")

    run = driven(every_third, [block(1, 100)], batch=BatchOptions(size=10), retry=Retry(max_attempts=100)).run()
    assert len(run.with_outcome("delivered")) == 100


def test_after_an_outage_the_oldest_go_first() -> None:
    up = False
    blocks = [block(row, 10) for row in range(1, 9)]
    run = driven(lambda _: Answer(200 if up else 503), blocks, batch=BatchOptions(size=10), rate=Rate(concurrency=4))
    four = [request for request in (run.sending.choose(0.0) for _ in range(4)) if isinstance(request, Request)]
    for request in (four[2], four[0], four[3], four[1]):
        run.sending.answered(request, Answer(503, retry_after=3600.0), 1.0)
        run.sending.settled(0)
    while len(run.requests) < 3:  # probes
        run.step()
    up = True
    before = len(run.requests)
    while run.sending.held:
        run.step()
    firsts = [request[0] for request in run.requests[before:]]
    assert firsts == sorted(firsts)
    assert len(firsts) == 8


@pytest.mark.parametrize("poisoned", [Answer(error="timeout"), Answer(error="reset"), Answer(502), Answer(403)], ids=str)
def test_a_batch_that_never_passes_does_not_keep_the_others_back(poisoned: Answer) -> None:
    run = driven(
        lambda numbers: poisoned if 10_003 in numbers else Answer(200),
        [block(row, 10) for row in range(1, 21)],
        batch=BatchOptions(size=10),
    )
    run.run(lambda: len(run.outcomes) == 190)
    for _ in range(5_000):
        if len(run.outcomes) == 190:
            break
        run.step()
    assert len(run.with_outcome("delivered")) == 190
    assert run.now < 2_000


def test_retry_after_silences_the_whole_consumer() -> None:
    first = True

    def once(_: list[int]) -> Answer:
        nonlocal first
        answer = Answer(429, retry_after=20.0) if first else Answer(200)
        first = False
        return answer

    run = driven(once, [block(1, 100)], batch=BatchOptions(size=10), rate=Rate(concurrency=4))
    run.step()
    while len(run.requests) < 2:
        run.step()
    assert run.now >= 20.0
    run.run()
    assert len(run.with_outcome("delivered")) == 100


def test_an_id_comes_once_in_a_batch() -> None:
    twice = StoredBlock(0.0, slice_of(2, [pending(1, index) for index in range(5)]))
    run = driven(lambda _: Answer(200), [block(1, 10)])
    run.sending.add(twice, 0.0)
    chosen = run.sending.choose(0.0)
    assert isinstance(chosen, Request)
    ids = [statement.id for statement in chosen.batch]
    assert len(ids) == len(set(ids)) == 10


def test_a_batch_waits_for_its_interval_when_it_is_not_full() -> None:
    sending = Sending(consumer(batch=BatchOptions(size=10, interval=5.0)), lambda: 0.5)
    sending.add(block(1, 3), 100.0)
    assert sending.choose(100.0) == 105.0
    chosen = sending.choose(105.0)
    assert isinstance(chosen, Request)
    assert len(chosen.batch) == 3


def test_a_consumer_that_wants_its_batches_at_once_does_not_hurry_another_one() -> None:
    quick = Sending(consumer(batch=BatchOptions(interval=0.2)), lambda: 0.5)
    patient = Sending(consumer(batch=BatchOptions(interval=300.0)), lambda: 0.5)
    for sending in (quick, patient):
        sending.add(block(1, 3), 100.0)
    assert (quick.choose(100.0), patient.choose(100.0)) == (100.2, 400.0)


def test_a_rate_below_a_batch_makes_batches_smaller() -> None:
    run = driven(lambda _: Answer(200), [block(1, 100)], batch=BatchOptions(size=100), rate=Rate(statements_per_second=30)).run()
    assert {len(numbers) for numbers in run.requests} == {30, 10}
    assert run.now >= 3.0


def test_a_batch_is_full_by_bytes_too() -> None:
    sending = Sending(consumer(batch=BatchOptions(size=1000, bytes=1000)), lambda: 0.5)
    sending.add(block(1, 1000), 100.0)
    chosen = sending.choose(100.0)
    assert isinstance(chosen, Request)
    assert 900 < sum(len(statement.body) + 1 for statement in chosen.batch) <= 1000


def test_what_was_tried_is_kept_under_the_keys_that_it_always_had() -> None:
    kept = {
        "due": 7.0,
        "answer": {"status": None, "fault": "reset", "ids": None, "is_html": False, "retry_after": None}
        | {"excerpt": "", "detail": "", "seconds": 0.5},
        "verify": False,
        "statements": [{"row": 2, "index": 4, "id": bytes(16), "body": b"{}", "position": "log:1\tplay_video"}],
        "attempts": 2,
        "tries": 5,
        "unconnected": 0,
        "server_errors": 1,
        "doubted_at": None,
        "in_vain": 1,
    }
    (tried,) = msgspec.msgpack.decode(msgspec.msgpack.encode([kept]), type=list[Tried])
    assert (tried.since_closed, tried.total, tried.inconclusive) == (2, 5, 1)
    assert tried.answer == Answer(error="reset", seconds=0.5)
    assert [each.origin for each in tried.statements] == [Origin("log:1", "play_video")]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(tried)) == kept
