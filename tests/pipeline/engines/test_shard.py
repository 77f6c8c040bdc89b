"""A shard in keyed state: batches by size and age, dedup by id, retries, outages, the end; every statement accounted for."""

from __future__ import annotations

import math

from edx2lrs.io.delivery.decision import Answer
from edx2lrs.io.delivery.shard_sending import TurnLimits
from edx2lrs.transforms.config_types import BatchOptions, Retry

AT_THE_END = TurnLimits(math.inf, math.inf, 60.0)


def test_a_full_batch_goes_at_once_and_the_rest_when_it_is_old_enough(engine, statement):
    shard = engine()
    shard.receive(*map(statement, range(23)))
    assert shard.lrs.requests == [10, 10]
    shard.advance(4.9)
    assert shard.lrs.requests == [10, 10]
    shard.advance(0.2)
    assert shard.lrs.requests == [10, 10, 3]
    assert shard.tally["delivered"] == 23
    assert shard.timer is None
    shard.assert_adds_up()


def test_what_came_before_is_not_sent_again_also_by_another_worker(engine, statement):
    shard = engine()
    shard.receive(*map(statement, range(10)))
    shard.receive(*map(statement, range(5, 15)))
    shard.restart()
    shard.receive(*map(statement, range(10, 20)))
    shard.advance(10)
    assert shard.tally["duplicates"] == 10
    assert set(shard.lrs.stored.values()) == {1}
    assert len(shard.lrs.stored) == 20
    shard.assert_adds_up()


def test_another_statement_with_a_known_id_is_a_dead_letter_and_another_body_of_one_event_a_duplicate(engine, statement):
    shard = engine()
    shard.receive(statement(1), statement(2))
    shard.receive(statement(1, body="newer"), statement(2, body="other", event="other"))
    assert shard.tally["duplicates"] == 1
    (failure,) = shard.failures
    assert (failure.cause, failure.stage, failure.position, failure.consumer) == ("id_collision", "guard", "log:3", "campus")
    shard.assert_adds_up()


def test_a_timer_that_an_engine_lost_is_set_anew_when_something_comes(engine, statement):
    shard = engine()
    shard.receive(statement(1))
    shard.timer = None
    shard.advance(100)
    shard.receive(statement(2))
    shard.receive(statement(3))
    shard.advance(10)
    assert shard.tally["delivered"] == 3

    shard.lrs.answer = Answer(502)
    shard.receive(*map(statement, range(10, 20)))
    shard.timer = None
    shard.advance(100)
    shard.lrs.answer = Answer(200)
    shard.receive(statement(4))
    shard.advance(10)
    assert shard.tally["delivered"] == 14
    shard.assert_adds_up()


def test_after_an_outage_everything_arrives_in_order_once(engine, statement):
    shard = engine()
    shard.lrs.answer = Answer(error="refused")
    for number in range(40):
        shard.receive(statement(number))
        shard.advance(1)
    assert not shard.lrs.stored
    probes = len(shard.lrs.requests)
    assert probes < 20  # an open circuit is probed now and then, not for each block
    shard.restart()
    shard.lrs.answer = Answer(200)
    shard.advance(600)
    assert len(shard.lrs.stored) == 40
    assert set(shard.lrs.stored.values()) == {1}
    assert shard.tally["delivered"] == 40
    shard.assert_adds_up()


def test_one_bad_statement_costs_one_statement(engine, statement):
    bad = statement(4)

    def judge(bodies):
        return Answer(400, excerpt="no verb") if bad.body in bodies else Answer(200)

    shard = engine()
    shard.lrs.answer = judge
    shard.receive(*map(statement, range(10)))
    shard.advance(10)
    (failure,) = shard.failures
    assert failure.payload == bad.body
    assert (failure.cause, failure.http_status, failure.http_body, failure.position) == ("refused", 400, "no verb", "log:5")
    assert shard.tally["delivered"] == 9
    shard.assert_adds_up()


def test_a_dead_statement_can_be_sent_again(engine, statement):
    shard = engine()
    bad = statement(1)
    shard.lrs.answer = lambda bodies: Answer(400) if bad.body in bodies else Answer(200)
    shard.receive(*map(statement, range(10)))
    shard.lrs.answer = Answer(200)
    shard.receive(bad)
    shard.restart()
    shard.receive(bad)
    shard.advance(10)
    assert shard.tally["duplicates"] == 1
    assert len(shard.lrs.stored) == 10
    shard.assert_adds_up()


def test_a_turn_is_short_also_when_the_consumer_is_slow(engine, statement):
    shard = engine(batch=BatchOptions(size=1, interval=1.0))

    def slow(_bodies):
        shard.now += 4.0
        return Answer(200, seconds=4.0)

    shard.lrs.answer = slow
    before = shard.now
    shard.receive(*map(statement, range(20)))
    assert shard.now - before < 15
    assert len(shard.lrs.requests) == 3
    shard.advance(200)
    assert len(shard.lrs.stored) == 20
    shard.assert_adds_up()


def test_a_retry_that_is_under_way_goes_on_with_another_worker(engine, statement):
    shard = engine(retry=Retry(base_delay=2.0, max_attempts=4))
    shard.lrs.answer = Answer(502)
    shard.receive(*map(statement, range(10)))
    assert shard.timer is not None
    shard.restart()
    shard.lrs.answer = Answer(200)
    shard.advance(5)
    assert shard.lrs.requests == [10, 10]
    assert shard.tally["retries"] == 1
    shard.assert_adds_up()


def test_who_is_cut_off_has_a_bound(engine, statement):
    shard = engine(statements=15)
    shard.lrs.answer = Answer(401)
    for start in (0, 10, 20):
        shard.receive(*map(statement, range(start, start + 10)))
    assert {failure.cause for failure in shard.failures} == {"outage"}
    assert shard.tally["dead_statements/outage"] == 20
    shard.lrs.answer = Answer(200)
    shard.receive(*map(statement, range(10, 15)))  # a replay is no duplicate
    shard.advance(600)
    assert len(shard.lrs.stored) == 15
    shard.assert_adds_up()


def test_at_the_end_all_goes_and_a_consumer_that_stays_away_gets_dead_letters(engine, statement):
    up, down = engine(), engine()
    down.lrs.answer = Answer(error="timeout")
    for shard in (up, down):
        shard.receive(*map(statement, range(25)))
        shard.end(AT_THE_END)
        shard.assert_adds_up()
    assert len(up.lrs.stored) == 25
    assert down.tally["dead_statements/outage"] == 25
    assert {failure.payload for failure in down.failures} == {statement(number).body for number in range(25)}


def test_a_consumer_that_comes_back_before_the_end_gets_everything(engine, statement):
    shard = engine()
    back_at = shard.now + 30
    shard.lrs.answer = lambda _bodies: Answer(200) if shard.now > back_at else Answer(error="refused")
    shard.receive(*map(statement, range(25)))
    shard.end(AT_THE_END)
    assert len(shard.lrs.stored) == 25
    assert not shard.failures
    shard.assert_adds_up()


def test_what_was_tried_is_as_old_as_the_outage(engine, statement):
    shard = engine()
    shard.lrs.answer = Answer(error="refused")
    shard.receive(*map(statement, range(10)))
    shard.advance(1000)
    assert (shard.outcome.waiting, shard.outcome.circuit.state) == (10, "open")
    assert shard.now - shard.outcome.since > 900


def test_what_waits_for_a_consumer_that_is_gone_from_the_configuration_goes_out_when_it_is_back(engine, statement):
    shard = engine()
    shard.lrs.answer = Answer(502)
    shard.receive(*map(statement, range(10)))
    shard.absent = True
    shard.receive(*map(statement, range(10, 33)))
    shard.advance(600)
    assert not shard.lrs.stored
    shard.assert_adds_up()
    shard.absent, shard.lrs.answer = False, Answer(200)
    shard.advance(400)
    assert shard.tally["delivered"] == len(shard.lrs.stored) == 33
    shard.assert_adds_up()
