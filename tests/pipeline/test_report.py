"""The report and its summary: what a run did, in sums that add up, and the exit code that follows."""

import json

import pytest

from edx2lrs.pipeline import report
from edx2lrs.pipeline.commands.outcomes import code_of_report
from edx2lrs.transforms.counters import Counted

TOTALS = {
    Counted("", "read"): 10,
    Counted("", "bytes"): 5_000,
    Counted("", "matched"): 6,
    Counted("", "filtered", "page_request"): 3,
    Counted("", "dead", "not_json"): 1,
    Counted("campus", "matched"): 6,
    Counted("campus", "translated"): 4,
    Counted("campus", "skipped"): 1,
    Counted("campus", "dead_records", "unknown_user"): 1,
    Counted("campus", "statements"): 5,
    Counted("campus", "taken_over"): 2,
    Counted("campus", "delivered"): 4,
    Counted("campus", "dead_statements", "refused"): 1,
}


def made(totals=TOTALS, waiting=2):
    times = {"campus": {"p50": 0.01, "p99": 0.2}}
    return report.report(
        totals,
        totals,
        {"campus": waiting},
        {"campus": 12.34},
        times,
        runner="DirectRunner",
        seconds=1.5,
        dead_letters="state/dead-letters",
        state="state",
    )


def test_the_report_has_the_keys_that_are_promised():
    content = made()
    assert content["records"] == {
        "read": 10,
        "matched": 6,
        "filtered": {"page_request": 3},
        "dead": {"not_json": 1},
        "redelivered": 0,
        "replayed": 0,
        "named_by_event_type": 0,
        "unknown_names": {},
    }
    assert content["consumers"]["campus"] == {
        "matched": 6,
        "filtered": {},
        "translated": 4,
        "skipped": 1,
        "statements": 5,
        "taken_over": 2,
        "replayed": 0,
        "delivered": 4,
        "already_stored": 0,
        "conflicts": 0,
        "duplicates": 0,
        "dead": {"records": {"unknown_user": 1}, "statements": {"refused": 1}},
        "waiting": 2,
        "oldest_age": 12.3,
        "left_out": {},
        "requests": 0,
        "retries": 0,
        "request_seconds": {"p50": 0.01, "p99": 0.2},
    }
    assert {"runner", "seconds", "bytes", "dead_letters", "state", "all_runs"} <= content.keys()


def test_the_summary_tells_the_sums_and_what_to_do():
    text = report.summary(made())
    assert "10 records read" in text
    assert "= 6 matched + 3 filtered + 1 dead" in text
    assert "5 statements + 2 taken over = 4 delivered" in text
    assert "edx2lrs deliver" in text
    assert "dead letters: state/dead-letters" in text


NOTHING_WRONG = {Counted("", "read"): 1, Counted("", "matched"): 1, Counted("campus", "delivered"): 1}


@pytest.mark.parametrize(
    ("totals", "waiting", "strict", "unreadable", "code"),
    [
        (NOTHING_WRONG, 0, True, [], 0),
        (NOTHING_WRONG, 3, False, [], 1),
        (NOTHING_WRONG, 0, False, ["a.log: gone"], 1),
        (NOTHING_WRONG | {Counted("", "dead", "not_json"): 1}, 0, False, [], 0),
        (NOTHING_WRONG | {Counted("", "dead", "not_json"): 1}, 0, True, [], 1),
        ({Counted("campus", "dead_records", "no_actor"): 5}, 0, False, [], 1),
        ({Counted("campus", "dead_records", "no_actor"): 5, Counted("campus", "already_stored"): 1}, 0, False, [], 0),
    ],
)
def test_the_exit_code(totals, waiting, strict, unreadable, code):
    assert code_of_report(made(totals, waiting), strict, unreadable) == code


def test_a_report_replaces_the_last_one_whole(tmp_path):
    path = tmp_path / "report.json"
    for seconds in (1, 2):
        report.write(str(path), {"seconds": seconds})
        assert json.loads(path.read_text(encoding="utf-8")) == {"seconds": seconds}
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_names_of_unknown_events_are_told_the_most_frequent_first_and_the_rest_as_a_sum():
    names = {Counted("", "unknown_names", f"edx.event.{chr(97 + n // 26)}{chr(97 + n % 26)}"): n + 1 for n in range(60)}
    content = made({**TOTALS, **names, Counted("", "unknown_names", "other"): 4})
    told = content["records"]["unknown_names"]
    assert len(told) == 51
    assert next(iter(told.items())) == ("edx.event.ch", 60)
    assert told["other"] == 4 + sum(range(1, 11))
    assert "  unknown events: edx.event.ch 60, " in report.summary(content)
    assert report.summary(content).count("edx.event.") == 10


def test_what_a_consumer_does_not_get_is_told_by_the_reason():
    left = {Counted("campus", "filtered", "not_entitled"): 3, Counted("campus", "filtered", "not_wanted"): 2}
    content = made({**TOTALS, **left})
    assert content["consumers"]["campus"]["filtered"] == {"not_entitled": 3, "not_wanted": 2}
    assert "  filtered: not_entitled 3, not_wanted 2" in report.summary(content)
