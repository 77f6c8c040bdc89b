from __future__ import annotations

import pytest

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.times import caliper_time, canonical_time

CANONICAL = "2023-05-23T13:53:13.460372+00:00"


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (CANONICAL, CANONICAL),
        ("2023-05-23T13:53:13+00:00", "2023-05-23T13:53:13+00:00"),
        ("2023-05-23T13:53:13.000000+00:00", "2023-05-23T13:53:13+00:00"),
        ("2023-05-23T13:53:13.460372Z", CANONICAL),
        ("2023-05-23T13:53:13.460Z", "2023-05-23T13:53:13.460000+00:00"),
        ("2023-05-23 13:53:13.460372+00:00", CANONICAL),
        ("2023-05-23T19:23:13.460372+05:30", CANONICAL),
        ("2023-05-23T10:53:13.460372-0300", CANONICAL),
        ("2023-05-23T13:53:13.4603729+00:00", CANONICAL),
        ("2023-05-23T13:53:13,460372Z", CANONICAL),
        ("20230523T135313Z", "2023-05-23T13:53:13+00:00"),
        ("2023-05-23T13:53Z", "2023-05-23T13:53:00+00:00"),
        ("2023-05-23T24:00:00Z", "2023-05-24T00:00:00+00:00"),
        ("2023-12-31T24:00Z", "2024-01-01T00:00:00+00:00"),
        (1684849993, "2023-05-23T13:53:13+00:00"),
        (1684849993.5, "2023-05-23T13:53:13.500000+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
    ],
)
def test_one_instant_has_one_text(value: object, canonical: str) -> None:
    assert canonical_time(value) == canonical
    assert canonical_time(canonical) == canonical


@pytest.mark.parametrize(
    "value",
    [
        "2023-05-23",
        "2023-05-23T13:53:13",
        "2023-13-01T00:00:00+00:00",
        "2023-05-23T25:00:00.000001+00:00",
        "2023-05-23T13:53:13.46037x+00:00",
        "2023-05-23T24:00:01Z",
        "0001-01-01T00:00:00+05:00",
        "May 23 2023 10:00 UTC",
        "1684849993",
        "T",
        1e300,
        1684849993000,
        True,
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    refusal = canonical_time(value)
    assert isinstance(refusal, Refusal)
    assert refusal.cause == "bad_time"


@pytest.mark.parametrize(
    ("canonical", "caliper"),
    [(CANONICAL, "2023-05-23T13:53:13.460Z"), ("2023-05-23T13:53:13+00:00", "2023-05-23T13:53:13.000Z")],
)
def test_caliper_has_milliseconds(canonical: str, caliper: str) -> None:
    assert caliper_time(canonical) == f'"{caliper}"'.encode()
