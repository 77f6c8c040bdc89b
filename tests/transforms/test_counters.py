"""The table of counters: whole, and with sums that have two sides."""

from typing import get_args

import pytest

from edx2lrs.transforms import counters
from edx2lrs.transforms.counters import COUNTERS, Counted, Key, counted, grouped, unsettled


def test_every_key_has_a_row():
    assert {row.key for row in COUNTERS} == set(get_args(Key))


def test_a_counter_has_one_row_and_one_metric():
    assert len({(row.whose, row.key) for row in COUNTERS}) == len(COUNTERS)
    assert len({row.metric for row in COUNTERS}) == len(COUNTERS)


def test_the_sums_are_those_that_are_promised():
    assert [(keys(each.wholes), keys(each.parts)) for each in counters.SUMS] == [
        ("read", "matched filtered dead"),
        ("matched", "translated skipped dead_records"),
        ("statements taken_over", "delivered already_stored conflicts duplicates dead_statements waiting"),
    ]


def keys(rows):
    return " ".join(row.key for row in rows)


@pytest.mark.parametrize("text", ["read", "dead/not_json", "dead_statements/outage", "a_key_of_another_version/cause"])
def test_what_is_counted_has_one_text(text):
    assert counted("campus", text).text == text


def test_what_is_not_settled_waits():
    tally = {
        Counted("one", "statements"): 9,
        Counted("one", "taken_over"): 1,
        Counted("one", "delivered"): 4,
        Counted("one", "dead_statements", "outage"): 2,
        Counted("one", "dead_statements", "refused"): 1,
        Counted("two", "delivered"): 5,
    }
    assert unsettled(grouped(tally), "one") == 3
