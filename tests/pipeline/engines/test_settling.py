"""When our own sources commit on Flink: never before what was polled is in a checkpoint, though finalizers come too early."""

from __future__ import annotations

import random

from edx2lrs.pipeline.engines.source_reader import MarkTracker, Settling


class Flink:
    """Finalizes, when a checkpoint completes, all bundles that there are; but only those before its barrier are in it."""

    def __init__(self, settling):
        self.settling = settling
        self.bundles, self.in_barrier, self.durable = [], 0, 0
        self.polls = 0

    def poll(self, messages=True):
        poll = self.settling.begin()
        self.polls += 1
        if messages:
            self.settling.polled(poll, self.polls)
        if self.settling.waits:
            self.bundles.append(poll)

    def barrier(self):
        self.in_barrier = self.polls

    def complete(self, finalizers):
        self.durable = self.in_barrier
        for poll in finalizers(self.bundles):
            self.settling.finalized(poll)
        self.bundles = []


def test_nothing_is_committed_that_a_restart_would_not_bring_back_and_in_the_end_all_is():
    dice = random.Random(7)
    settling = Settling()
    flink, committed = Flink(settling), 0
    for _ in range(5_000):
        flink.poll(messages=dice.random() < 0.7)
        if dice.random() < 0.3:
            flink.barrier()
        if dice.random() < 0.2 and flink.in_barrier > flink.durable:
            flink.complete(lambda bundles: dice.sample(bundles, len(bundles)))  # in any order
        cursor = settling.to_commit()
        if cursor is not None:
            assert committed < cursor <= flink.durable
            committed = cursor
    last = max(number for number in [committed, *[cursor for _, cursor in settling._cursors]])
    for _ in range(4):
        flink.poll(messages=False)
        flink.barrier()
        flink.complete(list)
        committed = settling.to_commit() or committed
    assert committed == last
    assert not settling.waits


def test_a_finalizer_that_is_missed_is_made_up_for_by_later_ones():
    settling = Settling()
    flink = Flink(settling)
    for _ in range(6):
        flink.poll()
        flink.barrier()
        flink.complete(lambda bundles: bundles if flink.polls != 2 else [])
    assert settling.to_commit() >= 2


def test_a_reader_is_split_at_a_checkpoint_alone_and_goes_on_at_its_last_mark():
    tracker = MarkTracker("")
    assert tracker.try_claim("a")
    assert tracker.try_split(0.5) is None
    assert tracker.try_split(0) == ("a", "a")
    assert not tracker.try_claim("b")
    assert tracker.current_restriction() == "a"
