"""What a worker makes of a configuration: a translator for each variant, with the root of the event's own site."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edx2lrs.pipeline.compiled_config import CompiledConfig
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.records.parse import parse
from testkit.configurations import config_of, consumer_of

SITES = {"a.example.com": "https://a.example.com", "b.example.com:8000": "https://b.example.com/lms"}
LINE = (
    b'{"name": "play_video", "event_source": "browser", "time": "2023-05-23T13:53:13Z", "username": "ann", "host": %b, "context":'
    b' {"user_id": 5, "course_id": "course-v1:edX+DemoX+2026"}, "event": "{\\"id\\": \\"v\\", \\"currentTime\\": 1}"}'
)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", "a key")


def job(*consumers: dict[str, Any], sites: dict[str, str] | None = None) -> CompiledConfig:
    made = [consumer_of(f"c{n}", **each) for n, each in enumerate(consumers)]
    return CompiledConfig(config_of(*made, lms={"sites": sites or {}, "id_key": "env:SITE_KEY"}))


def statements(of: CompiledConfig, host: str = "null") -> list[dict[str, Any]]:
    """What each consumer gets of a video event from that host."""
    event = parse(LINE % host.encode())
    assert isinstance(event, Event)
    made: dict[int, dict[str, Any]] = {}
    for translator, consumers in of.translators_for(of.match(event)):
        (one,) = translator.translate(event)  # type: ignore[misc]
        made |= dict.fromkeys(consumers, json.loads(one.body))  # type: ignore[union-attr]
    return [made[consumer] for consumer in sorted(made)]


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ('"a.example.com"', "https://a.example.com"),
        ('"A.Example.COM"', "https://a.example.com"),
        ('"b.example.com:8000"', "https://b.example.com/lms"),
        ('"b.example.com"', "https://lms.example.com"),
        ("null", "https://lms.example.com"),
        ("5", "https://lms.example.com"),
    ],
)
def test_an_events_ids_begin_with_the_root_of_its_site(host: str, root: str) -> None:
    of = job({}, {"protocol": "caliper"}, sites=SITES)
    for _ in range(2):
        statement, event = statements(of, host)
        assert statement["object"]["id"].startswith(f"{root}/xblock/")
        assert statement["actor"]["account"]["homePage"] == root
        assert statement["context"]["contextActivities"]["parent"][0]["id"].startswith(f"{root}/course/")
        assert event["actor"]["id"].startswith(f"{root}/user/")


def test_a_person_has_one_name_at_all_sites() -> None:
    of = job({}, sites=SITES)
    names = {statements(of, host)[0]["actor"]["account"]["name"] for host in ('"a.example.com"', "null")}
    assert len(names) == 1


def test_without_sites_a_host_changes_nothing() -> None:
    assert statements(job({}), '"a.example.com"') == statements(job({}))


def test_overrides_replace_what_a_statement_has_and_keep_its_id() -> None:
    context = {"platform": "Campus"}
    plain, overridden = statements(job({}, {"override_args": {"context": context, "result": {"completion": True}}}))
    assert overridden == {**plain, "context": context, "result": {"completion": True}}


def test_overrides_of_caliper_events() -> None:
    app = {"id": "https://x/app", "type": "SoftwareApplication"}
    overrides = {"event": {"edApp": app}, "envelope": {"sensor": "https://x"}}
    plain, overridden = statements(job({"protocol": "caliper"}, {"protocol": "caliper", "override_args": overrides}))
    assert overridden == {**plain, "edApp": app}
