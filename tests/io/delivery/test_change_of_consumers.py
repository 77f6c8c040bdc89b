"""Consumers that change, come and go while the senders run."""

from __future__ import annotations

import threading
import time
from typing import Any

from edx2lrs.transforms.config_types import BatchOptions
from testkit.waiting import until

AT_ONCE = BatchOptions(interval=0.01)


def test_a_consumer_that_has_moved_gets_what_waits_at_its_new_place_and_nothing_twice(
    new_lrs: Any, outside: Any, consumer: Any
) -> None:
    before, after = new_lrs(), new_lrs()
    answer = threading.Event()
    reply = type(before.behave([]))
    before.behave = lambda _: reply(after=answer)
    old, new = consumer(before.url, batch=AT_ONCE), consumer(after.url, batch=AT_ONCE)
    around = outside(old)
    around.senders.start()
    under_way = around.keep(old, 10)
    until(lambda: len(before.requests) == 1)
    waiting = around.keep(old, 10)

    around.senders.change([new], around._client)
    time.sleep(0.3)  # while the request is under way, nobody else sends
    assert after.requests == []
    answer.set()
    until(lambda: around.state.outbox.waiting("campus") == 0)
    assert (before.stored, after.stored) == (dict.fromkeys(under_way, 1), dict.fromkeys(waiting, 1))


def test_what_waits_for_a_consumer_that_is_gone_waits_on(lrs: Any, outside: Any, consumer: Any) -> None:
    stays, goes = consumer(lrs.url, name="stays", batch=AT_ONCE), consumer(lrs.url, name="goes", batch=AT_ONCE)
    around = outside(stays, goes)
    around.senders.start()
    around.senders.change([stays], around._client)
    around.keep(goes, 5)
    ids = around.keep(stays, 5)
    until(lambda: around.state.outbox.waiting("stays") == 0)
    assert lrs.stored == dict.fromkeys(ids, 1)
    assert around.state.outbox.waiting("goes") == 5
    assert set(around.senders.status()) == {"stays"}

    around.senders.change([stays, goes], around._client)
    around.keep(stays, 1)
    until(lambda: around.state.outbox.waiting("goes") == 0)


def test_a_consumer_that_comes_gets_what_is_kept_for_it(lrs: Any, outside: Any, consumer: Any) -> None:
    first, second = consumer(lrs.url, batch=AT_ONCE), consumer(lrs.url, name="second", batch=AT_ONCE)
    around = outside(first)
    around.senders.start()
    around.state.ledger.add_consumers(["second"])
    around.senders.change([first, second], around._client)
    ids = around.keep(second, 5)
    until(lambda: lrs.stored == dict.fromkeys(ids, 1))


def test_a_circuit_that_was_open_is_tried_anew_when_its_consumer_has_changed(new_lrs: Any, outside: Any, consumer: Any) -> None:
    wrong, right = new_lrs(), new_lrs()
    reply = type(wrong.behave([]))
    wrong.behave = lambda _: reply(status=401)
    around = outside(consumer(wrong.url, batch=AT_ONCE))
    around.senders.start()
    around.keep(around.consumers[0], 5)
    until(lambda: around.state.outbox.open_circuits() == {"campus"})
    around.senders.change([consumer(right.url, batch=AT_ONCE)], around._client)
    until(lambda: around.state.outbox.waiting("campus") == 0)
    assert around.state.outbox.open_circuits() == frozenset()
