"""What ``/metrics`` and ``/healthz`` answer, without a job and without a network."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hamcrest import assert_that, has_entries
from prometheus_client.parser import text_string_to_metric_families

from edx2lrs.io.delivery.latency import RequestSeconds
from edx2lrs.io.state.errors import StateError
from edx2lrs.pipeline.local.metrics import Health, Served, application
from edx2lrs.pipeline.local.run import Observed
from edx2lrs.pipeline.local.worker_messages import SourceStanding
from edx2lrs.transforms.counters import COUNTERS, Counted

TALLY = {
    Counted("", "read"): 31,
    Counted("", "dead", "not_json"): 1,
    Counted("campus", "delivered"): 30,
    Counted("campus", "dead_records", "unknown_user"): 2,
}
WELL = Health(0.0, [])


def observed() -> Observed:
    seconds = RequestSeconds()
    seconds.observer("campus")(0.5)
    return Observed(TALLY, {"campus": 7}, {}, {}, seconds.metrics())


def get(served: Served, path: str) -> tuple[str, str]:
    """Status and body of an answer."""
    told: list[str] = []

    def start_response(status: str, *_: object) -> Callable[[bytes], object]:
        told.append(status)
        return told.append

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": ""}
    body = b"".join(application(served)(environ, start_response))  # type: ignore[arg-type]
    return told[0], body.decode()


def samples(served: Served) -> dict[tuple[str, ...], float]:
    """By the name of the metric and the values of its labels, in the order of the labels' names."""
    _, text = get(served, "/metrics")
    families = text_string_to_metric_families(text)
    found = [sample for family in families for sample in family.samples]
    return {(sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value for sample in found}


@pytest.fixture
def served() -> Served:
    served = Served()
    served.show(observed, lambda: WELL)
    return served


def test_the_counts_of_the_run_are_metrics(served: Served) -> None:
    expected = {
        ("edx2lrs_records_read_total",): 31,
        ("edx2lrs_bytes_total",): 0,
        ("edx2lrs_records_dead_total", "not_json"): 1,
        ("edx2lrs_consumer_delivered_total", "campus"): 30,
        ("edx2lrs_consumer_conflicts_total", "campus"): 0,
        ("edx2lrs_consumer_dead_records_total", "unknown_user", "campus"): 2,
        ("edx2lrs_consumer_waiting", "campus"): 7,
        ("edx2lrs_consumer_oldest_waiting_seconds", "campus"): 0,
        ("edx2lrs_source_troubles",): 0,
    }
    assert_that(samples(served), has_entries(expected))


def test_every_counter_is_a_metric(served: Served) -> None:
    _, text = get(served, "/metrics")
    shown = {family.name for family in text_string_to_metric_families(text)}
    assert {row.metric for row in COUNTERS} - shown == {"edx2lrs_records_unknown_names"}  # names are a learner's own words, perhaps


def test_how_long_requests_take_is_a_histogram(served: Served) -> None:
    expected = {
        ("edx2lrs_consumer_request_seconds_bucket", "campus", "0.42"): 0,
        ("edx2lrs_consumer_request_seconds_bucket", "campus", "0.56"): 1,
        ("edx2lrs_consumer_request_seconds_count", "campus"): 1,
        ("edx2lrs_consumer_request_seconds_sum", "campus"): 0.5,
    }
    assert_that(samples(served), has_entries(expected))


def test_two_runs_in_one_process_share_nothing(served: Served) -> None:
    other = Served()
    other.show(lambda: Observed({}, {}, {}, {}, RequestSeconds().metrics()), lambda: WELL)
    assert ("edx2lrs_consumer_delivered_total", "campus") not in samples(other)
    assert ("edx2lrs_consumer_delivered_total", "campus") in samples(served)


def test_a_state_that_cannot_be_read_is_no_traceback(served: Served) -> None:
    def broken() -> Observed:
        raise StateError("the disk is gone")

    served.show(broken, lambda: WELL)
    assert get(served, "/metrics") == ("503 Service Unavailable", "the state directory cannot be read\n")


@pytest.mark.parametrize(
    ("health", "status", "body"),
    [
        (WELL, "200 OK", {"status": "ok"}),
        (Health(0.0, ["kafka: no broker"]), "200 OK", {"status": "ok", "source": "kafka: no broker"}),
        (Health(61.0, []), "503 Service Unavailable", {"status": "stuck"}),
        (
            Health(0.0, [], wave=75.4),
            "503 Service Unavailable",
            {"status": "stuck", "wave": "a wave does not end for 75 s; it is read again in halves"},
        ),
    ],
)
def test_health(served: Served, health: Health, status: str, body: dict[str, str]) -> None:
    served.show(observed, lambda: health)
    told, text = get(served, "/healthz")
    assert (told, json.loads(text)) == (status, body)


def standing(source: str, unit: str, quiet: float, behind: float | None, worker: str = "worker-1") -> SourceStanding:
    return SourceStanding(worker, source, cast(Any, unit), time.monotonic(), quiet, behind)


def test_how_far_each_source_is_behind(served: Served) -> None:
    standings = [
        standing("tail:/a.log", "bytes", 0, 4_096),
        standing("kafka://h/t", "messages", 3, 10),
        standing("kafka://h/t", "messages", 40, 5),
        standing("pubsub://p/s", "seconds", 1, 2.5),
        standing("pubsub://p/s", "seconds", 1, 0.5),
        standing("redis://h/s", "messages", 0, None),
    ]
    served.show(observed, lambda: Health(0.0, [], standings=standings))
    found = samples(served)
    expected = {
        ("edx2lrs_source_behind_bytes", "tail:/a.log"): 4_096,
        ("edx2lrs_source_behind_messages", "kafka://h/t"): 15,
        ("edx2lrs_source_behind_seconds", "pubsub://p/s"): 2.5,
    }
    assert_that(found, has_entries(expected))
    assert ("edx2lrs_source_behind_messages", "redis://h/s") not in found
    assert 3 <= found["edx2lrs_source_quiet_seconds", "kafka://h/t"] < 10


def test_health_says_since_when_nothing_came(served: Served) -> None:
    standings = [standing("tail:/a.log", "bytes", 3_600, 0), standing("kafka://h/t", "messages", 3, 0)]
    served.show(observed, lambda: Health(0.0, [], standings=standings))
    status, text = get(served, "/healthz")
    found = json.loads(text)
    since = datetime.fromisoformat(found["nothing_came_since"].pop("tail:/a.log").replace("Z", "+00:00"))
    assert (status, found) == ("200 OK", {"status": "ok", "nothing_came_since": {}})
    assert abs(time.time() - 3_600 - since.timestamp()) < 10


def test_before_and_after_a_run_nothing_is_told(served: Served) -> None:
    served.hide()
    assert samples(served) == {}
    status, text = get(served, "/healthz")
    assert (status, json.loads(text)) == ("503 Service Unavailable", {"status": "starting or ending"})


def test_other_paths_are_not_found(served: Served) -> None:
    assert get(served, "/")[0] == "404 Not Found"


def test_the_rules_for_prometheus_and_the_page_name_metrics_that_there_are(served: Served) -> None:
    _, text = get(served, "/metrics")
    names = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    root = Path(__file__).parents[3]
    for file in ("templates/service/prometheus-alerts.yaml", "docs/operating.md"):
        named = set(re.findall(r"edx2lrs_[a-z_]+", (root / file).read_text(encoding="utf-8")))
        assert len(named) > 8
        assert named <= names, file
    rules = yaml.safe_load((root / "templates/service/prometheus-alerts.yaml").read_text(encoding="utf-8"))
    assert all(rule["expr"] and rule["annotations"]["summary"] for group in rules["groups"] for rule in group["rules"])
