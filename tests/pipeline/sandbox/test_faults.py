"""Faults on purpose: what a client sees of each, and that the same seed gives the same ones."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import requests

from edx2lrs.pipeline.sandbox.injected_faults import InjectedFaults, parse_fault

Make = Callable[..., dict[str, Any]]
NUMBERS = ["slow:0.1:-1", "slow:0.1:1:1", "poison:0.1:404", ""]


def test_the_same_seed_draws_the_same_faults_in_about_their_share() -> None:
    def drawn(seed: int) -> list[str]:
        faults = InjectedFaults([parse_fault("429:0.1"), parse_fault("reset:0.2")], seed)
        return [fault.kind if (fault := faults.draw()) else "" for _ in range(5000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 400 < drawn(1).count("429") < 600
    assert 850 < drawn(1).count("reset") < 1150


@pytest.mark.parametrize("text", ["429", "429:", "429:x", "429:1.5", "429:-1", "429:nan", "418:0.1", "429:0.1:5", *NUMBERS])
def test_texts_that_are_no_fault(text: str) -> None:
    with pytest.raises(ValueError, match=text or "missing"):
        parse_fault(text)


def test_shares_above_one_together_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 1"):
        InjectedFaults([parse_fault("429:0.6"), parse_fault("503:0.6")])


@pytest.mark.parametrize("kind", ["429", "503", "500"])
def test_statuses_store_nothing_and_some_say_when_to_come_again(start: Any, statement: Make, kind: str) -> None:
    sandbox = start(f"{kind}:1")
    answers = [sandbox.post(statement()) for _ in range(12)]
    assert {answer.status_code for answer in answers} == {int(kind)}
    assert {answer.headers.get("Retry-After") for answer in answers} == ({None} if kind == "500" else {None, "1"})
    counts = sandbox.counts()["campus"]
    assert (counts["stored"], counts["faults"], counts["requests"]) == (0, {kind: 12}, 12)


def test_a_cut_connection_has_no_answer_and_stored_all_or_nothing(start: Any, statement: Make) -> None:
    sandbox = start("reset:1")
    for _ in range(12):
        with pytest.raises(requests.ConnectionError):
            sandbox.post(statement(), statement())
    counts = sandbox.counts()["campus"]
    assert counts["faults"] == {"reset": 12}
    assert counts["stored"] in range(2, 24, 2)


def test_a_connection_may_be_cut_before_the_body_is_read(start: Any) -> None:
    sandbox = start("cut:1")
    host, port = sandbox.root.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /campus/xAPI/statements HTTP/1.1\r\nHost: lrs\r\nContent-Length: 1000\r\n\r\n")
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    counts = sandbox.counts()["campus"]
    assert (counts["requests"], counts["stored"], counts["faults"]) == (1, 0, {"cut": 1})


def test_html_is_a_200_that_stored_nothing(start: Any, statement: Make) -> None:
    sandbox = start("html:1")
    answer = sandbox.post(statement())
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert sandbox.counts()["campus"]["stored"] == 0


def test_slow_answers_late_and_as_ever(start: Any, statement: Make) -> None:
    sandbox = start("slow:1:0.2")
    begun = time.monotonic()
    assert sandbox.post(statement()).status_code == 200
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize(("kind", "status"), [("204", 204), ("empty", 200)])
def test_an_answer_without_a_body_has_stored(start: Any, statement: Make, kind: str, status: int) -> None:
    sandbox = start(f"{kind}:1")
    answer = sandbox.post(statement())
    assert (answer.status_code, answer.content, sandbox.counts()["campus"]["stored"]) == (status, b"", 1)
    assert sandbox.post({"id": "no statement"}).status_code == 400


def test_silence_ends_after_its_time_and_stored_all_or_nothing(start: Any, statement: Make) -> None:
    sandbox = start("silent:1:0.05")
    for _ in range(8):
        with pytest.raises(requests.ConnectionError):
            sandbox.post(statement())
    assert 0 < sandbox.counts()["campus"]["stored"] < 8


def test_a_dripping_answer_is_the_right_one_after_some_time(start: Any, statement: Make) -> None:
    sandbox = start("drip:1:0.3")
    begun = time.monotonic()
    sent = statement()
    assert sandbox.post(sent).json() == [sent["id"]]
    assert time.monotonic() - begun >= 0.3


def test_a_login_is_a_redirect_that_stored_nothing(start: Any, statement: Make) -> None:
    sandbox = start("login:1")
    answer = sandbox.xapi("POST", json=[statement()], allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"], sandbox.counts()["campus"]["stored"]) == (302, "/login", 0)


def test_409_is_for_what_is_there_already(start: Any, statement: Make) -> None:
    sandbox = start("409:1")
    first, second = statement(), statement()
    answers = [sandbox.post(first), sandbox.post(second, first), sandbox.post(second)]
    assert [answer.status_code for answer in answers] == [200, 409, 200]
    assert sandbox.counts()["campus"]["stored"] == 2


def test_413_is_for_more_than_one_statement(start: Any, statement: Make) -> None:
    sandbox = start("413:1")
    assert [sandbox.post(*sent).status_code for sent in ([statement(), statement()], [statement()])] == [413, 200]


@pytest.mark.parametrize("status", [400, 500])
def test_poison_is_refused_always_and_takes_its_request_with_it(start: Any, statement: Make, status: int) -> None:
    sandbox = start(f"poison:0.3:{status}", seed=5)
    sent = [statement() for _ in range(40)]
    bad = [one for one in sent if sandbox.post(one).status_code == status]
    assert 3 < len(bad) < 25
    assert [one for one in sent if sandbox.post(one).status_code == status] == bad
    new = [statement(), bad[0]]
    assert sandbox.post(*new).status_code == status
    assert sandbox.counts()["campus"]["stored"] == len(sent) - len(bad)


def test_poison_is_found_in_envelopes_too(start: Any, envelope: Make, event: Make) -> None:
    sandbox = start("poison:1:422")
    assert sandbox.caliper(envelope(event())).status_code == 422


def test_only_deliveries_have_faults(start: Any) -> None:
    sandbox = start("503:1")
    assert sandbox.xapi().status_code == 200
    assert sandbox.get("").status_code == 200
    assert sandbox.counts() == {}


def test_a_connection_goes_on_after_a_fault(start: Any, statement: Make) -> None:
    sandbox = start("429:0.5", seed=3)
    statuses = [sandbox.post(statement(result={"response": "x" * 100_000})).status_code for _ in range(20)]
    assert set(statuses) == {200, 429}
    assert sandbox.counts()["campus"]["stored"] == statuses.count(200)
