"""Lengths of time in both protocols' forms (xAPI 1.0.3, 4.6; Caliper 1.2: ISO 8601)."""

from __future__ import annotations

import pytest

from edx2lrs.transforms.families.video import caliper, xapi
from edx2lrs.transforms.mapping.rows import Unmappable


@pytest.mark.parametrize(
    ("seconds", "in_caliper", "in_xapi"),
    [
        (0, "P0D", "PT00S"),
        (0.000001, "PT0.000001S", "PT00S"),
        (0.5, "PT0.5S", "PT00.5S"),
        (7, "PT7S", "PT07S"),
        (59.9999994, "PT59.999999S", "PT01M00S"),
        (60, "PT1M", "PT01M00S"),
        (60.25, "PT1M0.25S", "PT01M00.25S"),
        ("195.6", "PT3M15.6S", "PT03M15.6S"),
        (3599.9999999, "PT1H", "PT01H00M00S"),
        (3600, "PT1H", "PT01H00M00S"),
        (90061, "P1DT1H1M1S", "P1DT01H01M01S"),
    ],
)
def test_a_duration_has_only_the_parts_that_its_standard_form_wants(seconds: object, in_caliper: str, in_xapi: str) -> None:
    assert caliper.duration(seconds) == f'"{in_caliper}"'.encode()
    assert xapi.duration(seconds) == f'"{in_xapi}"'.encode()


@pytest.mark.parametrize("seconds", [-1, -0.001, 1e15, 1e308, -1e308, "soon", None])
def test_what_is_no_length_of_time_is_refused(seconds: object) -> None:
    for duration in (caliper.duration, xapi.duration):
        with pytest.raises(Unmappable):
            duration(seconds)
