"""The id memory of a shard: what is new, what is the same, what collides; bounded; the same after it was in the state."""

from __future__ import annotations

import random

import pytest

from edx2lrs.transforms.packing.dedup import IdMemory
from edx2lrs.transforms.packing.verdict import Verdict


def id_of(number: int) -> bytes:
    """Ids that differ in one byte alone, many with zeros at their end."""
    return number.to_bytes(4, "little") + bytes(12)


def checks(event: int, body: int) -> bytes:
    return event.to_bytes(8, "big") + body.to_bytes(8, "big")


def remember(memory: IdMemory, *numbers: int) -> bytes:
    return memory.remember(b"".join(map(id_of, numbers)), b"".join(checks(number + 1, number + 1) for number in numbers))


@pytest.mark.parametrize(
    ("event", "body", "verdict"),
    [(8, 8, Verdict.DUPLICATE), (8, 99, Verdict.DUPLICATE), (99, 8, Verdict.DUPLICATE), (99, 98, Verdict.COLLISION)],
)
def test_an_id_that_comes_again_is_a_duplicate_unless_event_and_body_both_differ(event, body, verdict):
    memory = IdMemory(100)
    remember(memory, 7)
    assert memory.judge(id_of(7) + id_of(6), checks(event, body) + checks(7, 7)) == [verdict, Verdict.NEW]


def test_of_equal_ids_in_one_block_the_first_counts():
    memory = IdMemory(100)
    again = memory.judge(id_of(1) * 3, checks(1, 1) + checks(1, 2) + checks(3, 3))
    assert again == [Verdict.NEW, Verdict.DUPLICATE, Verdict.COLLISION]


def test_many_blocks_are_found_again_by_another_worker_that_reads_the_state():
    memory, chunks, known = IdMemory(10_000), [], []
    numbers = random.Random(5).sample(range(1_000_000), 3_000)
    for start in range(0, 3_000, 37):
        block = numbers[start : start + 37]
        chunks.append(remember(memory, *block))
        known += block
    elsewhere = IdMemory(10_000, (), chunks)
    for each in (memory, elsewhere):
        assert len(each) == 3_000
        verdicts = each.judge(b"".join(map(id_of, known)), b"".join(checks(number + 1, number + 1) for number in known))
        assert set(verdicts) == {Verdict.DUPLICATE}
        assert each.judge(id_of(1_000_001), checks(1, 1)) == [Verdict.NEW]


@pytest.mark.parametrize("others", [0, 5_000])
def test_a_forgotten_id_is_new_again_here_and_elsewhere(others):
    memory = IdMemory(100_000)
    chunks = [remember(memory, 1, 2, *range(10, 10 + others))]
    chunks.append(memory.forget([id_of(1)]))
    chunks.append(remember(memory, *range(10_000, 10_000 + others)))
    for each in (memory, IdMemory(100_000, (), chunks)):
        assert each.judge(id_of(1) + id_of(2), checks(2, 2) + checks(3, 3)) == [Verdict.NEW, Verdict.DUPLICATE]


def test_the_oldest_generation_is_forgotten_and_never_more_than_half_of_the_bound():
    memory, younger, older = IdMemory(200), [], []
    for start in range(0, 1_000, 10):
        younger.append(remember(memory, *range(start, start + 10)))
        if memory.is_full:
            older, younger = memory.turn(), []
        assert len(memory) <= 200
    newest = range(900, 1_000)
    for each in (memory, IdMemory(200, older, younger)):
        known = each.judge(b"".join(map(id_of, newest)), b"".join(checks(number + 1, number + 1) for number in newest))
        assert set(known) == {Verdict.DUPLICATE}
        assert each.judge(id_of(1), checks(2, 2)) == [Verdict.NEW]
