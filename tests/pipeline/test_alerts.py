"""Alerts: one line of JSON when something is wrong with a consumer, one when it is over."""

from __future__ import annotations

import json

import pytest

from edx2lrs.io.delivery.notices import Notice
from edx2lrs.pipeline.alerts import Alerts, OverLimits
from edx2lrs.transforms.config_types import Alert
from testkit.configurations import config_of, consumer, consumer_of, yaml_of

BOTH = Alert(backlog=100, age=60.0)


def configured(common=BOTH, own=None):
    return config_of(consumer_of("one"), consumer_of("two", alert=own or Alert()), alert=common)


def told(limits, waiting=0, age=0.0, consumer="one"):
    return [(each.kind, each.state) for each in limits.news({consumer: waiting}, {consumer: age})]


def test_a_backlog_over_its_limit_is_told_once_and_once_when_half_of_it_is_gone():
    limits = OverLimits(configured())
    assert told(limits, 100) == []
    assert told(limits, 101) == [("backlog", "raised")]
    assert [told(limits, number) for number in (99, 150, 51)] == [[], [], []]
    assert told(limits, 50) == [("backlog", "over")]
    assert told(limits, 101) == [("backlog", "raised")]


def test_an_age_over_its_limit_is_told():
    limits = OverLimits(configured())
    assert told(limits, 1, 60.5) == [("age", "raised")]
    assert told(limits, 0) == [("age", "over")]


def test_a_consumers_own_limits_come_first_one_by_one():
    limits = OverLimits(configured(own=Alert(backlog=10)))
    assert told(limits, 11) == []
    assert told(limits, 11, consumer="two") == [("backlog", "raised")]
    assert told(limits, 11, 61.0, consumer="two") == [("age", "raised")]


def test_without_limits_nothing_is_told():
    limits = OverLimits(configured(Alert()))
    assert told(limits, 10**9, 10.0**9) == []


def test_limits_of_a_newer_configuration_count_from_then_on():
    limits = OverLimits(configured())
    assert told(limits, 101) == [("backlog", "raised")]
    limits.follow(configured(Alert(age=1.0)))
    assert told(limits, 101, 2.0) == [("backlog", "over"), ("age", "raised")]


def test_dead_letters_of_ten_minutes_over_their_limit_are_told():
    limits = OverLimits(configured(Alert(dead_letters=10), own=Alert(dead_letters=2)))

    def told_at(minute, **dead):
        by_consumer = {"" if name == "record" else name: number for name, number in dead.items()}
        found = limits.news_of_dead(by_consumer, {"one": 5}, 60.0 * minute)
        return [(each.consumer, each.state, each.dead_letters) for each in found]

    assert limits.has_dead_letters
    assert told_at(0, one=10, two=2) == []
    assert told_at(1, one=11, two=3, record=11) == [("one", "raised", 11), ("two", "raised", 3), ("", "raised", 11)]
    later = [told_at(minute, one=16, two=3, record=11) for minute in range(2, 12)]
    assert later[:6] == [[]] * 6
    assert [each for found in later for each in found] == [("two", "over", 1), ("one", "over", 5), ("", "over", 0)]
    assert told_at(13, one=27, two=3, record=11) == [("one", "raised", 11)]


def test_an_alert_about_dead_letters_is_one_line_of_json():
    lines = []
    alerts = Alerts(configured(Alert(dead_letters=1)), lambda _: None, lines.append)
    alerts.look(0.0, {"one": 3}, {}, {})
    alerts.look(1.0, {"one": 3}, {}, {"one": 2})
    found = json.loads(lines[0])
    found.pop("time")
    assert found == {
        "severity": "WARNING",
        "alert": "dead_letters",
        "state": "raised",
        "consumer": "one",
        "waiting": 3,
        "dead_letters": 2,
        "limit": 1,
    }
    assert not OverLimits(configured()).has_dead_letters


NOTICES = [
    ("circuit_opened", "circuit", "raised", "WARNING"),
    ("circuit_closed", "circuit", "over", "INFO"),
    ("credentials_refused", "credentials", "raised", "WARNING"),
    ("credentials_taken", "credentials", "over", "INFO"),
]


@pytest.mark.parametrize(("event", "kind", "state", "severity"), NOTICES)
def test_what_a_sender_tells_of_its_circuit_is_one_line_of_json(event, kind, state, severity):
    lines, others = [], []
    alerts = Alerts(configured(), others.append, lines.append)

    alerts.notice(Notice(event, "one", "answered 401", 7))
    alerts.notice(Notice("conflicts", "one", "3 statements", 7))

    (line,) = lines
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "severity": severity,
        "alert": kind,
        "state": state,
        "consumer": "one",
        "waiting": 7,
        "reason": "answered 401",
    }
    assert [notice.kind for notice in others] == ["conflicts"]


CONFIG = yaml_of(consumer("one"), alert={"backlog": 3})
KEYS = {"time", "severity", "alert", "state", "consumer", "waiting"}


def test_a_run_tells_credentials_circuit_and_backlog(sandbox, config, edx2lrs, sample_logs):
    path = config(sandbox.address, CONFIG)
    options = ["run", "--config", path, "--input", sample_logs, "--state", "state"]

    result = edx2lrs(*options, env={"SANDBOX_PASSWORD": "wrong"})

    lines = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    assert {line["alert"] for line in lines} == {"credentials", "circuit", "backlog"}
    assert all(line.keys() >= KEYS and line["state"] == "raised" and line["consumer"] == "one" for line in lines)
    assert "wrong" not in result.err
    waiting = result.report["consumers"]["one"]
    assert (result.code, waiting["oldest_age"] > 0) == (1, True)
