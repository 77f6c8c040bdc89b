"""How long is waited before the next attempt: twice as long each time, up to a cap, drawn at random."""

from __future__ import annotations

import pytest

from edx2lrs.io.back_off import back_off


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (100_000, 30.0)])
def test_waits_double_up_to_the_cap(failures: int, seconds: float) -> None:
    assert back_off(failures, first=0.5, cap=30.0) == seconds


@pytest.mark.parametrize(
    ("jitter", "drawn", "seconds"), [(1.0, 0.0, 0.0), (1.0, 0.25, 1.0), (0.5, 0.0, 2.0), (0.5, 0.5, 3.0), (0.0, 0.25, 4.0)]
)
def test_jitter_is_the_share_that_chance_decides_about(jitter: float, drawn: float, seconds: float) -> None:
    assert back_off(3, first=1.0, cap=60.0, random=lambda: drawn, jitter=jitter) == seconds
