"""The sandbox's pages, as HTML text: what arrived, for each consumer. Every text of a record is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from edx2lrs.pipeline.sandbox.store import StoredStatement

_REFRESH_SECONDS = 5
_PROTOCOLS = {"xapi": "xAPI", "caliper": "Caliper"}


class Summary(NamedTuple):
    """A statement or event in three words: actor, verb, object."""

    actor: str
    verb: str
    object: str


def overview(counts: Mapping[str, Mapping[str, Any]], latest: Mapping[str, Sequence[StoredStatement]], root: str) -> str:
    """The first page: each consumer's counts and latest arrivals. ``root`` is the sandbox's own address."""
    if not counts:
        address = html.escape(root)
        return _page(
            "Nothing has arrived yet",
            f"<p>Send xAPI statements to <code>{address}NAME/xAPI/statements</code> and Caliper envelopes to"
            f" <code>{address}NAME/caliper</code>, for any NAME. This page looks again every few seconds.</p>",
            refresh=True,
        )
    sections = [_section(name, counts[name], latest.get(name, ())) for name in counts]
    return _page("What arrived", "".join(sections), refresh=True)


def consumer(name: str, counts: Mapping[str, Any], records: Sequence[StoredStatement], older: int | None) -> str:
    """The arrivals of a consumer, newest first. ``older`` is the number after which the next page begins."""
    link = f'<p><a href="?before={older}">older</a></p>' if older is not None else ""
    return _page(name, f"{_figures(counts)}{_arrivals(name, records)}{link}", back="/")


def record(name: str, stored: StoredStatement) -> str:
    """A statement or event as it arrived, indented."""
    text = orjson.dumps(orjson.loads(stored.body), option=orjson.OPT_INDENT_2).decode()
    body = f"<p>arrived {html.escape(stored.stored)}</p><pre>{html.escape(text)}</pre>"
    return _page(f"{name}: {stored.id}", body, back=f"/{quote(name)}/")


@cache
def style() -> str:
    return _resource("style.css")


def summary(body: Mapping[str, Any]) -> Summary:
    """The words for a statement or event, from properties that every valid statement has."""
    if "verb" in body:
        verb = body["verb"]
        return Summary(_xapi_actor(body["actor"]), _in_words(verb.get("display"), verb["id"]), _xapi_object(body["object"]))
    return Summary(_tail(_id(body["actor"])), body["action"], _caliper_object(body["object"]))


def _section(name: str, counts: Mapping[str, Any], records: Sequence[StoredStatement]) -> str:
    link = f'<a href="/{quote(name)}/">{html.escape(name)}</a>'
    protocol = _PROTOCOLS.get(counts["protocol"], "")
    head = f"<h2>{link} <small>{html.escape(protocol)}</small></h2>"
    return f"<section>{head}{_figures(counts)}{_arrivals(name, records)}</section>"


def _figures(counts: Mapping[str, Any]) -> str:
    figures = {
        "stored": counts["stored"],
        "repeats": counts["repeats"],
        "requests": counts["requests"],
        **{f"refused {status}": n for status, n in counts["refused"].items()},
        **{f"fault {kind}": n for kind, n in counts["faults"].items()},
    }
    items = [f"<div><dt>{html.escape(key)}</dt><dd>{n:,}</dd></div>" for key, n in figures.items()]
    return f"<dl>{''.join(items)}</dl>"


def _arrivals(name: str, records: Sequence[StoredStatement]) -> str:
    if not records:
        return "<p>Nothing is stored.</p>"
    rows = "".join(_row(name, r) for r in records)
    head = "<tr><th>arrived (UTC)</th><th>who</th><th>did</th><th>what</th><th></th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _row(name: str, stored: StoredStatement) -> str:
    words = summary(orjson.loads(stored.body))
    arrived = f"{stored.stored[:10]} {stored.stored[11:19]}"
    cells = "".join(f'<td title="{html.escape(word)}">{html.escape(word)}</td>' for word in (arrived, *words))
    return f'<tr>{cells}<td><a href="/{quote(name)}/record/{quote(stored.id, safe="")}">JSON</a></td></tr>'


def _page(title: str, body: str, *, refresh: bool = False, back: str | None = None) -> str:
    return Template(_template()).substitute(
        title=html.escape(title),
        body=body,
        refresh=f'<meta http-equiv="refresh" content="{_REFRESH_SECONDS}">' if refresh else "",
        back=f'<a href="{back}">back</a>' if back else "",
    )


@cache
def _template() -> str:
    return _resource("page.html")


def _resource(name: str) -> str:
    return (files("edx2lrs.pipeline.sandbox") / name).read_text(encoding="utf-8")


def _xapi_actor(actor: Mapping[str, Any]) -> str:
    account = actor.get("account")
    identifier = account["name"] if account else actor.get("mbox") or actor.get("mbox_sha1sum") or actor.get("openid")
    return str(actor.get("name") or identifier or "a group")


def _xapi_object(target: Mapping[str, Any]) -> str:
    name = _in_words(target.get("definition", {}).get("name"), "")
    return name or _tail(target.get("id", "")) or str(target.get("objectType", ""))


def _caliper_object(target: Mapping[str, Any] | str) -> str:
    name = "" if isinstance(target, str) else target.get("name")
    return str(name) if isinstance(name, str) and name else _tail(_id(target))


def _id(entity: Mapping[str, Any] | str) -> str:
    return entity if isinstance(entity, str) else str(entity["id"])


def _in_words(texts: Mapping[str, str] | None, otherwise: str) -> str:
    """The first text of a language map, else the end of an IRI."""
    return next(iter(texts.values()), "") if texts else _tail(otherwise)


def _tail(iri: str) -> str:
    return iri.rstrip("/").rsplit("/", 1)[-1]
