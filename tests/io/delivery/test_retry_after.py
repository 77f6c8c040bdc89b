"""The header Retry-After, in every form that an LRS may give."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from edx2lrs.io.delivery import retry_after as module
from edx2lrs.io.delivery.retry_after import LONGEST

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110
LATER = 784_111_807.0


def retry_after(value: str | None, date: str | None, now: float) -> float | None:
    """Of an answer that has each header once, or not."""
    return module.retry_after([value] if value is not None else [], [date] if date is not None else [], now)


@pytest.fixture(params=["UTC", "Asia/Kolkata"], autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of the machine means nothing."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


SECONDS = {
    "7": 7.0,
    "  7\t": 7.0,
    "007": 7.0,
    "+7": 7.0,
    "0": 0.0,
    "0.5": 0.5,
    "1.": 1.0,
    "-3": 0.0,
    "1e9": LONGEST,
    "9" * 400: LONGEST,
    "9" * 4_000: LONGEST,
    "7, 9": 7.0,
    '"7"': 7.0,
}


@pytest.mark.parametrize(("value", "seconds"), SECONDS.items(), ids=[key[:20] for key in SECONDS])
def test_a_number_of_seconds(value: str, seconds: float) -> None:
    assert retry_after(value, None, NOW) == seconds


DATES = [
    "Sun, 06 Nov 1994 08:50:07 GMT",
    "Sunday, 06-Nov-94 08:50:07 GMT",
    "Sun Nov  6 08:50:07 1994",
    " sun, 6 nov 1994  08:50:07 gmt ",
    "Sun, 06 Nov 1994 10:50:07 +0200",
    "Sun, 06 Nov 1994 08:50:07 -0000",
    "Sun, 06 Nov 1994 08:49:67 GMT",
]


@pytest.mark.parametrize("value", DATES)
def test_a_date(value: str) -> None:
    assert retry_after(value, None, NOW) == 30.0


@pytest.mark.parametrize("said", DATES)
def test_a_date_is_counted_from_the_date_of_the_answer(said: str) -> None:
    assert retry_after("Sun, 06 Nov 1994 08:50:10 GMT", said, LATER - 5_000) == 3.0
    assert retry_after("Sun, 06 Nov 1994 08:50:10 GMT", said, LATER + 5_000) == 3.0


@pytest.mark.parametrize("said", [None, "", "now", "Sun, 99 Nov 1994 08:50:07 GMT"])
def test_without_a_date_of_the_answer_our_clock_counts(said: str | None) -> None:
    assert retry_after(DATES[0], said, NOW) == 30.0


def test_a_date_that_is_past_or_absurd() -> None:
    assert retry_after("Sat, 05 Nov 1994 08:50:07 GMT", None, NOW) == 0.0
    assert retry_after("Sun, 06 Nov 9994 08:50:07 GMT", None, NOW) == LONGEST
    assert retry_after("Sun, 06 Nov 1994 08:50:60 GMT", None, NOW) == 83.0


@pytest.mark.parametrize(
    "value",
    [None, "", " ", ",", "soon", "nan", "inf", "-inf", "1_000", "٣", "0x10", "7 seconds", "Sun, 31 Feb 1994 08:49:37 GMT"],
)
def test_what_has_no_form_is_no_wish(value: str | None) -> None:
    assert retry_after(value, "Sun, 06 Nov 1994 08:49:37 GMT", NOW) is None


def test_of_several_headers_the_last_counts() -> None:
    assert module.retry_after([DATES[0], "Sun, 06 Nov 1994 08:50:10 GMT"], ["Sun, 06 Nov 1994 08:49:37 GMT", DATES[1]], NOW) == 3.0
