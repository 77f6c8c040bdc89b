"""The statements resource over HTTP: what is stored, what is refused, what can be read back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hamcrest import assert_that, contains_exactly, has_entries

Make = Callable[..., dict[str, Any]]


def stored_ids(sandbox: Any, **params: Any) -> list[str]:
    """All ids that the list gives, following ``more``."""
    found: list[str] = []
    answer = sandbox.xapi(params=params).json()
    while True:
        found += [each["id"] for each in answer["statements"]]
        if not answer["more"]:
            return found
        answer = sandbox.session.get(
            sandbox.root + answer["more"].lstrip("/"),
            auth=("sandbox", "sandbox"),
            headers={"X-Experience-API-Version": "1.0.3"},
            timeout=10,
        ).json()


def test_new_statements_are_stored_and_their_ids_answered_in_order(sandbox: Any, statement: Make) -> None:
    sent = [statement() for _ in range(100)]
    answer = sandbox.post(*sent)
    assert (answer.status_code, answer.json()) == (200, [each["id"] for each in sent])
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    assert stored_ids(sandbox, ascending="true") == [each["id"] for each in sent]


def test_what_is_there_already_is_no_news(sandbox: Any, statement: Make) -> None:
    old, new = statement(), statement()
    sandbox.post(old)
    again = sandbox.post(old)
    assert (again.status_code, again.content) == (204, b"")
    assert sandbox.post(old, new).json() == [new["id"]]
    assert sandbox.counts()["campus"] == {
        "protocol": "xapi",
        "stored": 2,
        "repeats": 2,
        "requests": 3,
        "refused": {},
        "faults": {},
    }


def test_key_order_and_what_an_lrs_sets_make_no_other_statement(sandbox: Any, statement: Make) -> None:
    old = statement()
    sandbox.post(old)
    assert sandbox.post({**dict(reversed(old.items())), "stored": "2024-03-12T00:00:00Z"}).status_code == 204


@pytest.mark.parametrize("other", [{"timestamp": "2024-03-11T06:00:00Z"}, {"result": {"success": True}}])
def test_another_body_under_a_stored_id_refuses_the_whole_batch(sandbox: Any, statement: Make, other: Any) -> None:
    old, new = statement(), statement()
    sandbox.post(old)
    assert sandbox.post(new, {**old, **other}).status_code == 409
    assert stored_ids(sandbox) == [old["id"]]


def test_one_invalid_statement_refuses_the_whole_batch_and_is_named(sandbox: Any, statement: Make) -> None:
    invalid = statement()
    del invalid["verb"]
    answer = sandbox.post(statement(), invalid)
    assert answer.status_code == 400
    assert "statement 1" in answer.json()["error"]
    assert "verb" in answer.json()["error"]
    assert stored_ids(sandbox) == []
    assert sandbox.counts()["campus"]["refused"] == {"400": 1}


def test_one_id_twice_in_a_batch_is_refused(sandbox: Any, statement: Make) -> None:
    one = statement()
    assert sandbox.post(one, one).status_code == 400
    assert sandbox.post(one, {**one, "id": one["id"].upper()}).status_code == 400


def test_a_single_statement_may_come_without_list_and_without_id(sandbox: Any, statement: Make) -> None:
    one = statement()
    del one["id"]
    answer = sandbox.xapi("POST", json=one)
    assert answer.status_code == 200
    assert stored_ids(sandbox) == answer.json()


def test_put_stores_once_and_keeps_what_is_there(sandbox: Any, statement: Make) -> None:
    one = statement()
    params = {"statementId": one["id"]}
    assert sandbox.xapi("PUT", params=params, json=one).status_code == 204
    assert sandbox.xapi("PUT", params=params, json=one).status_code == 204
    assert sandbox.xapi("PUT", params=params, json={**one, "result": {}}).status_code == 409
    assert sandbox.xapi("PUT", params={"statementId": str(uuid4())}, json=one).status_code == 400
    assert sandbox.xapi("PUT", json=one).status_code == 400
    assert stored_ids(sandbox) == [one["id"]]


def test_a_statement_is_read_back_as_it_came_with_what_an_lrs_adds(sandbox: Any, statement: Make) -> None:
    one = statement(result={"score": {"raw": 1.0}, "response": "l'œuvre"})
    sandbox.post(one)
    answer = sandbox.xapi(params={"statementId": one["id"].upper()})
    assert_that(answer.json(), has_entries(one))
    assert set(answer.json()) - set(one) == {"stored", "authority", "version"}
    assert "X-Experience-API-Consistent-Through" in answer.headers
    assert sandbox.xapi(params={"statementId": str(uuid4())}).status_code == 404


def test_lists_page_in_both_directions(sandbox: Any, statement: Make) -> None:
    ids = [sandbox.post(statement()).json()[0] for _ in range(7)]
    assert stored_ids(sandbox, limit=3) == ids[::-1]
    assert stored_ids(sandbox, limit=3, ascending="true") == ids
    assert sandbox.xapi(params={"limit": 7}).json()["more"] == ""


def test_lists_narrow_by_verb_and_by_time_of_arrival(sandbox: Any, statement: Make) -> None:
    verb = {"id": "http://adlnet.gov/expapi/verbs/passed"}
    ids = [sandbox.post(statement(**more)).json()[0] for more in ({}, {"verb": verb}, {})]
    second = sandbox.xapi(params={"statementId": ids[1]}).json()["stored"]
    assert stored_ids(sandbox, verb=verb["id"]) == [ids[1]]
    assert stored_ids(sandbox, since=second) == [ids[2]]
    assert stored_ids(sandbox, until=second, ascending="true") == ids[:2]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "many"},
        {"ascending": "1"},
        {"since": "yesterday"},
        {"agent": "{}"},
        {"statementId": "5"},
        {"attachments": "true"},
    ],
)
def test_parameters_that_it_does_not_take_are_refused(sandbox: Any, params: dict[str, str]) -> None:
    assert sandbox.xapi(params=params).status_code == 400


@pytest.mark.parametrize("version", [None, "", "0.95", "1.1.0", "2.0.0", "1.0.x"])
def test_the_version_header_is_needed(sandbox: Any, statement: Make, version: str | None) -> None:
    headers = {} if version is None else {"X-Experience-API-Version": version}
    assert sandbox.xapi("POST", json=[statement()], headers=headers).status_code == 400
    assert sandbox.xapi(headers=headers).status_code == 400


@pytest.mark.parametrize("auth", [None, ("sandbox", "wrong"), ("", ""), ("sändbox", "sandbox")])
def test_credentials_are_needed(sandbox: Any, statement: Make, auth: tuple[str, str] | None) -> None:
    encoded = auth and (auth[0].encode(), auth[1].encode())
    answer = sandbox.xapi("POST", json=[statement()], auth=encoded)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("basic")
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[", {}, 400),
        (b"[]", {}, 400),
        (b'"text"', {}, 400),
        (b'[{"result": NaN}]', {}, 400),
        (b"\xff", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"[]", {"Content-Type": "text/plain"}, 400),
        (b"x", {"Content-Encoding": "br"}, 415),
        (b"x", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"[]", mtime=0)[:-1], {"Content-Encoding": "gzip"}, 400),
    ],
)
def test_bodies_that_are_no_statements(sandbox: Any, body: bytes, headers: dict[str, str], status: int) -> None:
    usual = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}
    answer = sandbox.xapi("POST", data=body, headers={**usual, **headers})
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("levels", [200, 248, 252, 900, 1_100, 50_000])
def test_what_is_nested_deeply_is_taken_and_read_back_or_refused(sandbox: Any, statement: Make, levels: int) -> None:
    sent = json.dumps([statement(context={"extensions": {"http://x/deep": "DEEP"}})])
    body = sent.replace('"DEEP"', '{"a":' * levels + "1" + "}" * levels)
    headers = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}
    answer = sandbox.xapi("POST", data=body, headers=headers)
    assert answer.status_code == (200 if levels <= 248 else 400)
    assert sandbox.xapi().status_code == 200
    assert [sandbox.get(page).status_code for page in ("", "campus/")] == [200, 200]


def test_a_body_may_come_compressed(sandbox: Any, statement: Make) -> None:
    sent = [statement() for _ in range(100)]
    usual = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = sandbox.xapi("POST", data=gzip.compress(json.dumps(sent).encode()), headers=usual)
    assert answer.json() == [each["id"] for each in sent]


def test_a_body_may_come_in_chunks(sandbox: Any, statement: Make) -> None:
    one = json.dumps(statement()).encode()
    headers = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}
    assert sandbox.xapi("POST", data=iter([one[:50], one[50:]]), headers=headers).status_code == 200


def test_consumers_are_told_apart_by_name(sandbox: Any, statement: Make) -> None:
    one = statement()
    assert sandbox.xapi("POST", "campus", json=one).status_code == 200
    assert sandbox.xapi("POST", "adaptive", json={**one, "result": {}}).status_code == 200
    assert_that(list(sandbox.counts()), contains_exactly("adaptive", "campus"))
    assert [each["stored"] for each in sandbox.counts().values()] == [1, 1]


def test_about_says_the_version_without_credentials(sandbox: Any) -> None:
    assert sandbox.get("campus/xAPI/about").json() == {"version": ["1.0.3"]}
    assert sandbox.counts() == {}
