"""The pages: what a person finds in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]


def test_an_empty_sandbox_says_where_to_send(sandbox: Any) -> None:
    page = sandbox.get("").text
    assert f"{sandbox.root}NAME/xAPI/statements" in page
    assert "not for production" in page


def test_counts_and_latest_arrivals_stand_under_each_consumer(sandbox: Any, statement: Make, envelope: Make, event: Make) -> None:
    verb = {"id": "http://adlnet.gov/expapi/verbs/passed", "display": {"en": "passed"}}
    sandbox.post(statement(verb=verb))
    sandbox.caliper(envelope(event()))
    campus, warehouse = sandbox.get("").text.split("<section>")[1:]
    assert "campus" in campus
    assert "passed" in campus
    assert "warehouse" in warehouse
    assert "Paused" in warehouse


def test_the_link_of_an_arrival_shows_all_of_it(sandbox: Any, envelope: Make, event: Make) -> None:
    sent = event()
    sandbox.caliper(envelope(sent))
    link = re.search(r'href="/(warehouse/record/[^"]+)"', sandbox.get("").text)
    assert link
    page = sandbox.get(link[1]).text
    assert "&#34;duration&#34;: &#34;PT3M&#34;" in page
    assert sent["id"] in page


def test_a_consumers_page_goes_back_to_the_first_arrival(sandbox: Any, statement: Make) -> None:
    sandbox.post(*(statement() for _ in range(250)))
    seen, path = 0, "campus/"
    while path:
        page = sandbox.get(path).text
        seen += page.count(">JSON<")
        older = re.search(r'href="(\?before=\d+)"', page)
        path = f"campus/{older[1]}" if older else ""
    assert seen == 250


def test_nothing_of_a_statement_becomes_markup(sandbox: Any, statement: Make) -> None:
    script = "<script>alert(1)</script>"
    one = statement(verb={"id": "http://x.org/v", "display": {"en": script}}, result={"response": script})
    sandbox.xapi("POST", "a&b", json=one)
    for path in ("", "a&b/", f"a&b/record/{one['id']}"):
        answer = sandbox.get(path)
        assert "<script" not in answer.text
        assert "alert(1)" in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "properties",
    [
        {"actor": {"objectType": "Group", "member": [{"mbox": "mailto:a@example.com"}]}},
        {"object": {"objectType": "Agent", "mbox": "mailto:a@example.com"}},
        {"object": {"objectType": "StatementRef", "id": "12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"}},
        {"object": {"id": "urn:x", "definition": {"name": {}}}, "verb": {"id": "urn:v", "display": {}}},
    ],
)
def test_every_valid_statement_can_be_listed(sandbox: Any, statement: Make, properties: dict[str, Any]) -> None:
    assert sandbox.post(statement(**properties)).status_code == 200
    assert sandbox.get("").status_code == 200


@pytest.mark.parametrize("path", ["nobody/", "nobody/record/5", "no/such/page"])
def test_what_is_not_there_is_a_404(sandbox: Any, path: str) -> None:
    assert sandbox.get(path).status_code == 404


def test_the_style_is_served(sandbox: Any) -> None:
    assert sandbox.get("style.css").headers["Content-Type"].startswith("text/css")
