"""Texts that are remembered: a worker has tens of thousands of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest

from edx2lrs.transforms.mapping.caliper_event import is_part_of
from edx2lrs.transforms.mapping.guard import CALIPER_CHECKS, XAPI_CHECKS
from edx2lrs.transforms.mapping.xapi_statement import course_as_seen

AT_MOST = 1_000  # bytes, the cache's own among them


@pytest.mark.parametrize(
    "remembered",
    [
        XAPI_CHECKS["object", "id"],
        CALIPER_CHECKS["object", "id"],
        is_part_of,
        partial(course_as_seen, "https://lms.example.com", name=None),
    ],
    ids=["xAPI id", "Caliper id", "course of an entity", "course of a statement"],
)
def test_a_remembered_text_takes_little_more_memory_than_its_length(remembered: Callable[[str], object]) -> None:
    texts = [f"https://lms.example.com/remembered/{number}" for number in range(500)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [remembered(text) for text in texts]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / len(kept) < AT_MOST
