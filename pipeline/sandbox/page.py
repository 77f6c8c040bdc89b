"""The sandbox's pages, as HTML text: what arrived, per consumer. The templates escape everything from a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from edx2lrs.pipeline.sandbox.store import StoredStatement

if TYPE_CHECKING:
    from jinja2 import Environment

_REFRESH_SECONDS = 5
_PROTOCOLS = {"xapi": "xAPI", "caliper": "Caliper"}


def overview(counts: Mapping[str, Mapping[str, Any]], latest: Mapping[str, Sequence[StoredStatement]], root: str) -> str:
    """The first page: each consumer's counts and latest arrivals. ``root`` is the sandbox's own address."""
    consumers = [_consumer(name, counts[name], latest.get(name, ())) for name in counts]
    title = "What arrived" if consumers else "Nothing has arrived yet"
    return _page("overview", title=title, consumers=consumers, root=root, refresh=_REFRESH_SECONDS)


def consumer(name: str, counts: Mapping[str, Any], records: Sequence[StoredStatement], older: int | None) -> str:
    """A consumer's arrivals, newest first; ``older`` is the number behind which the next page begins."""
    return _page("consumer", title=name, consumer=_consumer(name, counts, records), older=older, back="/")


def record(name: str, stored: StoredStatement) -> str:
    """One statement or event as it came, indented."""
    text = orjson.dumps(orjson.loads(stored.body), option=orjson.OPT_INDENT_2).decode()
    return _page("record", title=f"{name}: {stored.id}", arrived=stored.stored, text=text, back=f"/{quote(name)}/")


@cache
def style() -> str:
    return (files("edx2lrs.pipeline.sandbox") / "style.css").read_text(encoding="utf-8")


def summary(body: Mapping[str, Any]) -> tuple[str, str, str]:
    """Actor, verb and object in words, from properties that every valid statement or event has."""
    if "verb" in body:
        verb = body["verb"]
        return _xapi_actor(body["actor"]), _in_words(verb.get("display"), verb["id"]), _xapi_object(body["object"])
    return _tail(_id(body["actor"])), body["action"], _caliper_object(body["object"])


def _consumer(name: str, counts: Mapping[str, Any], records: Sequence[StoredStatement]) -> dict[str, Any]:
    figures = {
        **{key: counts[key] for key in ("stored", "repeats", "requests")},
        **{f"refused {status}": n for status, n in counts["refused"].items()},
        **{f"fault {kind}": n for kind, n in counts["faults"].items()},
    }
    return {
        "name": name,
        "link": f"/{quote(name)}/",
        "protocol": _PROTOCOLS.get(counts["protocol"], ""),
        "figures": figures,
        "arrivals": [_arrival(name, stored) for stored in records],
    }


def _arrival(name: str, stored: StoredStatement) -> dict[str, Any]:
    arrived = f"{stored.stored[:10]} {stored.stored[11:19]}"
    words = (arrived, *summary(orjson.loads(stored.body)))
    return {"words": words, "link": f"/{quote(name)}/record/{quote(stored.id, safe='')}"}


def _page(template: str, **shown: Any) -> str:
    return _environment().get_template(f"{template}.html").render(shown)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader  # only when a page is served

    loader = PackageLoader("edx2lrs.pipeline.sandbox")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


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
