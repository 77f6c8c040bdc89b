"""After the death of a process: waves are halved until one record stands alone, and three times alone is its end."""

import pytest

from edx2lrs.pipeline.local.wave_halving import Attempt, next_attempt


@pytest.mark.parametrize(
    ("starts", "limit", "expected"),
    [
        (0, None, Attempt(None)),
        (1, 1_000, Attempt(500)),
        (1, 3, Attempt(1)),
        (1, 1, Attempt(1)),
        (2, 1, Attempt(1)),
        (3, 1, Attempt(1, give_up=True)),
    ],
)
def test_what_comes_next(starts, limit, expected):
    assert next_attempt(starts, limit) == expected
