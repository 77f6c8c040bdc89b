"""`edx2lrs check --connect`: what it sends, and what it says of each consumer."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.pipeline.app.connection_check import ConnectionFinding, findings
from edx2lrs.pipeline.cli import main
from edx2lrs.transforms.auth import BearerAuth, NoAuth
from testkit.configurations import config_of, consumer_of, yaml_of
from testkit.configurations import consumer as in_a_file

BEARER = BearerAuth(token="env:TOKEN")


@pytest.fixture
def found() -> Callable[..., ConnectionFinding]:
    """What is found of one consumer."""

    def find(url: str, **options: Any) -> ConnectionFinding:
        config = config_of(consumer_of(url=url, **{"auth": BEARER, **options}))
        (finding,) = findings(config, lambda _: "s3cret")
        return finding

    return find


def test_a_consumer_that_is_ready_gets_no_statement(lrs: Any, found: Any) -> None:
    assert found(lrs.url) == ("campus", True, "reachable, no TLS, credentials accepted")
    assert lrs.paths[0].startswith("/xAPI/statements?limit=1&since=")
    assert lrs.sent == [b"", b"[]"]
    assert all(headers["Authorization"] == "Bearer s3cret" for headers in lrs.headers)
    assert not lrs.stored


def test_caliper_gets_an_envelope_of_nothing(lrs: Any, found: Any) -> None:
    assert found(lrs.url, protocol="caliper").fine
    ((path, body),) = zip(lrs.paths, lrs.bodies, strict=True)
    assert (path, json.loads(body)["data"]) == ("/xAPI", [])


@pytest.mark.parametrize("status", [400, 422])
def test_who_refuses_a_batch_of_nothing_has_accepted_the_credentials(lrs: Any, found: Any, replies: Any, status: int) -> None:
    lrs.behave = lambda _: replies(status)
    assert found(lrs.url).fine
    assert found(lrs.url, protocol="caliper", auth=NoAuth()).text == "reachable, no TLS, no credentials, accepted"


def by_method(lrs: Any, replies: Any, read: int, write: int) -> None:
    lrs.behave = lambda _: replies(read if "?" in lrs.paths[-1] else write)


def test_who_may_write_need_not_read(lrs: Any, found: Any, replies: Any) -> None:
    by_method(lrs, replies, 403, 200)
    assert found(lrs.url).fine


def test_who_may_only_read_is_not_ready(lrs: Any, found: Any, replies: Any) -> None:
    by_method(lrs, replies, 200, 403)
    assert found(lrs.url) == ("campus", False, "answered 403: the credentials lack the right to write")


def test_who_does_not_know_us_may_refuse_nothing_at_all(lrs: Any, found: Any, replies: Any) -> None:
    by_method(lrs, replies, 401, 400)
    assert found(lrs.url) == ("campus", False, "answered 401: the credentials are not accepted")


def test_who_stumbles_over_a_batch_of_nothing_is_known_by_the_query(lrs: Any, found: Any, replies: Any) -> None:
    by_method(lrs, replies, 200, 500)
    assert found(lrs.url).fine
    by_method(lrs, replies, 500, 500)
    assert found(lrs.url) == ("campus", False, "answered 500")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"status": 401}, "answered 401: the credentials are not accepted"),
        ({"status": 404}, "answered 404: the URL is wrong"),
        ({"status": 302}, "answered 302: a redirect, which is never followed; give the final URL"),
        ({"status": 503}, "answered 503"),
        ({"status": 200, "body": b"<html>"}, "answered 200 with a web page: the URL is not an LRS's, or a login is asked for"),
    ],
)
def test_who_is_not_ready_is_told_why(lrs: Any, found: Any, replies: Any, options: dict[str, Any], text: str) -> None:
    lrs.behave = lambda _: replies(**options)
    assert found(lrs.url) == ("campus", False, text)


def test_nobody_listens(found: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert found(f"http://127.0.0.1:{unused.getsockname()[1]}") == ("campus", False, "connection refused")


def test_no_answer_costs_one_time_out(lrs: Any, found: Any, replies: Any) -> None:
    lrs.behave = lambda _: replies(raw=lambda s: s.recv(1))
    assert found(lrs.url, timeout=0.3) == ("campus", False, "no answer in time")
    assert len(lrs.requests) == 1


def test_a_place_for_files_is_written_to_and_left_as_it_was(found: Any, tmp_path: Path) -> None:
    assert found(f"file://{tmp_path}/out/all.jsonl", auth=NoAuth()) == ("campus", True, "can be written")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "file").touch()
    assert found(f"file://{tmp_path}/file/", auth=NoAuth()) == ("campus", False, "cannot be written: File exists")
    assert found("stdout:", auth=NoAuth()) == ("campus", True, "standard output")


def test_the_command_says_it_in_a_line_for_each(
    new_lrs: Any, replies: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SITE_KEY", "k")
    monkeypatch.setenv("TOKEN", "s3cret-token")
    up, other = new_lrs(), new_lrs()
    path = tmp_path / "c.yaml"
    by_token = in_a_file("up", url=up.url, auth={"scheme": "bearer", "token": "env:TOKEN"})
    path.write_text(yaml_of(by_token, in_a_file("elsewhere", "caliper", url=other.url), lms={"id_key": "env:SITE_KEY"}))
    assert main(["check", str(path)]) == 0
    assert up.requests == []
    assert main(["check", str(path), "--connect"]) == 0
    other.behave = lambda _: replies(401, b"who is s3cret-token?")
    capsys.readouterr()
    assert main(["check", str(path), "--connect"]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-2:] == [
        "up         ok      reachable, no TLS, credentials accepted",
        "elsewhere  FAILED  answered 401: the credentials are not accepted",
    ]
    assert "s3cret" not in said.out + said.err
