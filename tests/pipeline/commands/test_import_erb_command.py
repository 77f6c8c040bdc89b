"""`edx2lrs import-erb`: what becomes of router rows, and what the operator is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from edx2lrs.pipeline.cli import main
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.records.parse import parse

SECRETS = ["hunter2-user", "hunter2-password", "hunter2-key", "hunter2-header", "hunter2-url"]
IDS = "user_id,username,external_id_type,external_user_id,email\n5,ann,XAPI,ann-x,ann@example.com\n5,ann,CALIPER,ann-c,\n"
LINE = (
    b'{"name": "problem_check", "event_source": "server", "time": "2023-05-23T13:53:13Z", "username": "ann", "context":'
    b' {"user_id": 5, "course_id": "%b", "org_id": "%b"}, "event": {"problem_id": "p"}}'
)


def row(**fields: Any) -> dict[str, Any]:
    return {
        "backend_name": "xAPI",
        "route_url": "https://lrs.example.edu/xAPI/",
        "auth_scheme": "Basic",
        "auth_key": "",
        "username": SECRETS[0],
        "password": SECRETS[1],
        "configurations": {},
        "enabled": True,
        "change_date": "2026-01-01T00:00:00Z",
    } | fields


class Result:
    """What the command printed, and the configuration as YAML."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        self.config: dict[str, Any] = yaml.safe_load(out) if out else {}

    @property
    def consumers(self) -> list[dict[str, Any]]:
        return self.config["consumers"] or []


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def imported(*rows: dict[str, Any], settings: dict[str, Any] | None = None, text: str | None = None) -> Result:
        dump = [
            {"model": "event_routing_backends.routerconfiguration", "pk": n, "fields": each} for n, each in enumerate(rows, 1)
        ]
        path = tmp_path / "routers"
        path.write_text(json.dumps(dump) if text is None else text)
        arguments = ["import-erb", str(path)]
        if settings is not None:
            (tmp_path / "lms.yml").write_text(json.dumps(settings))
            (tmp_path / "ids.csv").write_text(IDS)
            arguments += ["--settings", str(tmp_path / "lms.yml"), "--external-ids", str(tmp_path / "ids.csv")]
        code = main(arguments)
        printed = capsys.readouterr()
        assert not [secret for secret in SECRETS if secret in printed.out + printed.err]
        return Result(code, printed.out, printed.err)

    return imported


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Result], None]:
    """`edx2lrs check` takes the configuration when the variables that the operator was told of are set."""

    def check(result: Result) -> None:
        for name in re.findall(r"set (\w+) to ", result.err):
            monkeypatch.setenv(name, "x")
        path = tmp_path / "made.yaml"
        path.write_text(result.out)
        code = main(["check", str(path)])
        assert code == 0, capsys.readouterr().err

    return check


def gets(result: Result, course: str = "course-v1:edX+DemoX+2026", org: str = "edX") -> bool:
    """Whether the only consumer gets a problem_check of that course."""
    from edx2lrs.transforms.config_types import Consumer

    (made,) = result.consumers
    consumer = Consumer(name="c", protocol="xapi", url="https://x", access="all", match_params=made.get("match_params", {}))
    event = parse(LINE % (course.encode(), org.encode()))
    assert isinstance(event, Event)
    return Matcher([consumer])(event) == (0,)


def test_a_router_becomes_a_consumer_with_its_secrets_by_reference(run, checked) -> None:
    result = run(
        row(), row(backend_name="Caliper", route_url="https://cal.example.edu/e", auth_scheme="Bearer", auth_key=SECRETS[2])
    )
    assert result.code == 0
    assert result.consumers == [
        {
            "name": "lrs.example.edu",
            "protocol": "xapi",
            "dialect": "erb",
            "url": "https://lrs.example.edu/xAPI/",
            "auth": {"scheme": "basic", "username": "env:LRS_EXAMPLE_EDU_USER", "password": "env:LRS_EXAMPLE_EDU_PASSWORD"},
            "access": "all",
        },
        {
            "name": "cal.example.edu",
            "protocol": "caliper",
            "dialect": "erb",
            "url": "https://cal.example.edu/e",
            "auth": {"scheme": "bearer", "token": "env:CAL_EXAMPLE_EDU_TOKEN"},
            "access": "all",
        },
    ]
    assert "row 1, lrs.example.edu: set LRS_EXAMPLE_EDU_PASSWORD to password of row 1" in result.err
    assert "decide what it may see" in result.out
    checked(result)


def test_the_newest_row_of_a_url_counts_even_when_it_is_disabled(run, checked) -> None:
    url = {"route_url": "https://b.example.edu/"}
    result = run(
        row(change_date="2026-03-01T00:00:00Z", username=""),
        row(change_date="2026-02-01T00:00:00Z"),
        row(**url, change_date="2026-01-01T00:00:00Z"),
        row(**url, change_date="2026-01-02T00:00:00Z", enabled=False),
    )
    assert [each["url"] for each in result.consumers] == ["https://lrs.example.edu/xAPI/"]
    assert "username is empty in its row" in result.err
    assert "row 2: an older row of its URL, which erb does not use" in result.err
    assert "row 4, b.example.edu: left out: its newest row is disabled" in result.err
    assert "  # - name: b.example.edu" in result.out
    assert result.code == 1
    checked(result)


FILTERS: list[tuple[Any, Any]] = [
    ("edX", "/edX/"),
    ("^edX$", "edX"),
    ("^edX", "/^edX/"),
    (["^edX$", "MITx"], ["edX", "/MITx/"]),
    ("", {"exists": True}),
    (["edX", 5, None], ["/edX/"]),
    ("^ed.$", "/^ed.$/"),
    ("it's: {a}", "/it's: {a}/"),
    ("/x/", "//x//"),
]


@pytest.mark.parametrize(("pattern", "expected"), FILTERS, ids=str)
def test_filters_are_searched_for_as_in_erb(run, checked, pattern: Any, expected: Any) -> None:
    result = run(row(configurations={"match_params": {"context.org_id": pattern}}))
    assert result.consumers[0]["match_params"] == {"context.org_id": expected}
    checked(result)
    for org in ("edX", "dX", "edX2", "MITx", "it's: {a}"):
        texts = [each for each in (pattern if isinstance(pattern, list) else [pattern]) if isinstance(each, str)]
        assert gets(result, org=org) is any(re.search(each, org) is not None for each in texts)


def test_a_course_key_that_matched_nothing_in_erb_is_the_course_here(run, checked) -> None:
    keys = ["course-v1:edX+DemoX+2026", r"course-v1:MITx\+6\.00\+.*"]
    result = run(row(configurations={"match_params": {"context.course_id": keys}}))
    assert result.consumers[0]["match_params"] == {"context.course_id": [keys[0], f"/{keys[1]}/"]}
    assert gets(result)
    assert gets(result, course="course-v1:MITx+6.00+2026")
    assert not gets(result, course="course-v1:edX+DemoX+2027")
    assert (
        "course-v1:edX+DemoX+2026 matches nothing in erb, since + is an operator there; here it is the course itself"
        in result.err
    )
    checked(result)


LEFT_OUT = {
    "bad expression": ({"match_params": {"name": "("}}, "match_params.name has a bad regular expression"),
    "bad expression in a list": ({"match_params": {"name": ["problem_check", "("]}}, "match_params.name has a bad regular expression"),
    "a number": ({"match_params": {"context.user_id": 5}}, "match_params.context.user_id is no text, which erb never matches"),
    "an empty list": ({"match_params": {"name": []}}, "match_params.name is no text"),
    "a path that is not read": (
        {"match_params": {"context.ip": "1"}},
        "match_params has context.ip, which edx2lrs does not read",
    ),
    "no filter": ({"match_params": None}, "its match_params are no object"),
    "a list": ([{"match_params": {}}], "its configurations are no object"),
    "encrypted": ("gAAAAABlabcdef", "its configurations are encrypted"),
    "no JSON": ("{'match_params': {}}", "its configurations are encrypted, or no JSON"),
    "an actor that is none": ({"override_args": {"actor": {"name": "x"}}}, "override_args replaces the actor"),
}


@pytest.mark.parametrize(("configurations", "reason"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_who_would_get_more_than_before_is_left_out(run, configurations: Any, reason: str) -> None:
    result = run(row(), row(route_url="https://b.example.edu/", configurations=configurations))
    assert [each["name"] for each in result.consumers] == ["lrs.example.edu"]
    assert f"row 2, b.example.edu: left out: {reason}" in result.err
    assert result.code == 1


def test_overrides_and_headers(run, checked) -> None:
    xapi = {"override_args": {"context": {"platform": "x"}, "id": "1", "foo": 1}, "headers": {"X-A": SECRETS[3]}}
    caliper = {
        "override_args": {"sensor": "https://x/s", "sendTime": "2026-01-01T00:00:00.000Z"},
        "headers": {"X-Tenant": SECRETS[3], "Authorization": SECRETS[3]},
        "host_configurations": {"url": SECRETS[4]},
    }
    second = row(
        backend_name="Caliper", route_url="https://cal.example.edu/e", auth_scheme="", configurations=json.dumps(caliper)
    )
    result = run(row(configurations=json.dumps(xapi)), second)
    first, second = result.consumers
    assert first["override_args"] == {"context": {"platform": "x"}}
    assert "headers" not in first
    assert second["override_args"] == {"envelope": {"sensor": "https://x/s"}}
    assert second["headers"] == {"X-Tenant": "env:CAL_EXAMPLE_EDU_HEADER_X_TENANT"}
    for words in (
        "override_args.id is left out",
        "override_args.foo is left out",
        "override_args.sendTime is left out",
        "headers are left out: erb never sends them to an xAPI router",
        "headers.Authorization is left out",
        "host_configurations in its configurations is left out",
        "set CAL_EXAMPLE_EDU_HEADER_X_TENANT to headers.X-Tenant of row 2",
    ):
        assert words in result.err
    checked(result)


def test_urls(run, checked) -> None:
    result = run(
        row(route_url="lrs.example.edu/x"),
        row(route_url=f"https://user:{SECRETS[4]}@lrs.example.edu/y"),
        row(route_url="https://lrs.example.edu/statements", backend_name="xapi"),
        row(route_url="https://lrs.example.edu/z", backend_name="other"),
    )
    assert [each["url"] for each in result.consumers] == [
        "http://lrs.example.edu/x",
        "https://lrs.example.edu/y",
        "https://lrs.example.edu/statements",
    ]
    assert len({each["name"] for each in result.consumers}) == 3
    assert "left out: its backend is neither xAPI nor Caliper" in result.err
    checked(result)


def test_settings(run, checked) -> None:
    regex_filter = {"ENGINE": "eventtracking.processors.regex_filter.RegexFilter"}
    settings = {
        "LMS_ROOT_URL": "https://campus.example.com/",
        "XAPI_AGENT_IFI_TYPE": "mbox_sha1sum",
        "CALIPER_EVENTS_ENABLED": False,
        "EVENT_ROUTING_BACKEND_BATCHING_ENABLED": True,
        "EVENT_ROUTING_BACKEND_BATCH_SIZE": 50,
        "EVENT_ROUTING_BACKEND_MAX_RETRIES": 5,
        "EVENT_TRACKING_BACKENDS": {
            "x": {
                "OPTIONS": {
                    "processors": [
                        {**regex_filter, "OPTIONS": {"filter_type": "blocklist", "regular_expressions": ["edx\\.forum", "x|y"]}}
                    ]
                }
            }
        },
    }
    result = run(row(), row(backend_name="Caliper", route_url="https://cal.example.edu/e"), settings=settings)
    assert result.config["lms"]["root_url"] == "https://campus.example.com"
    assert result.config["events"] == {"block": ["/^(?:edx\\.forum)/", "/^(?:x|y)/"]}
    (consumer,) = result.consumers
    assert consumer["actor"] == {"id": "mbox_sha1sum", "sha1_of": "address"}
    assert consumer["batch"] == {"size": 50, "interval": "60s"}
    assert "cal.example.edu: left out: the settings have CALIPER_EVENTS_ENABLED off" in result.err
    assert "EVENT_ROUTING_BACKEND_MAX_RETRIES is not carried over" in result.err
    checked(result)


def test_csv(run, checked) -> None:
    text = (
        "id,backend_name,route_url,auth_scheme,auth_key,username,password,configurations,enabled\n"
        f"7,xAPI,https://lrs.example.edu/,Basic,,{SECRETS[0]},{SECRETS[1]},"
        '"{""match_params"": {""name"": ""^problem_""}}",True\n'
        "8,Caliper,https://cal.example.edu/,,,,,,1\n"
    )
    result = run(text=text)
    assert [each.get("match_params") for each in result.consumers] == [{"name": "/^problem_/"}, None]
    checked(result)


WRONG = {
    "no rows": ("[]", "found no event_routing_backends.routerconfiguration in the JSON"),
    "broken JSON": ("[{", "found broken JSON"),
    "no fields": ('[{"model": "event_routing_backends.routerconfiguration"}]', "row 1: found no fields"),
    "another CSV": ("a,b\n1,2\n", "column backend_name, route_url is missing"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_holds_no_rows_is_said(run, text: str, words: str) -> None:
    result = run(text=text)
    assert result.code == 2
    assert result.out == ""
    assert words in result.err


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-erb", "/no/such"]) == 2
    assert capsys.readouterr().err == "edx2lrs import-erb: No such file or directory\n"
