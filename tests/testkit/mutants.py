"""Every document with one thing changed: a key dropped, renamed or added, a value of another type or form, at any depth."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Place = tuple[Any, ...]

OTHER_TYPES: tuple[Any, ...] = (None, 5, -1, 1.5, True, "text", "", [], {}, "5", "two words")
ADDED: dict[str, Any] = {
    "unknown": 1,
    "objectType": "Agent",
    "id": "12eedb5d-ab0e-5845-a05f-a1f1b2f7b753",
    "mbox": "mailto:b@example.com",
    "member": [{"mbox": "mailto:a@example.com"}],
    "extensions": {"http://x.org/e": 1},
    "definition": {},
    "name": "x",
    "platform": "p",
    "choices": [{"id": "a"}, {"id": "a"}],
}
_TIMES = (
    "2024-03-11T06:00:00",
    "2024-03-11",
    "2024-03-11T06:00Z",
    "2024-03-11T06Z",
    "2024-03-11T06:00:00Z",
    "2024-03-11T06:00:00.123+00:00",
    "2024-03-11T06:00:00+0530",
    "2024-03-11T06:00:00+05",
    "20240311T060000Z",
    "2024-03-11T06:00:00-00:00",
    "2024-03-11T06:00:00-00:30",
    "2024-02-30T06:00:00.000Z",
    "2024-03-11T24:00:00.000Z",
    "2024-03-11T23:59:60.000Z",
    "2024-03-11t06:00:00.000z",
    "2024-03-11 06:00:00.000Z",
    "2024-W10-1T06:00:00Z",
    "2024-03-11T06:00:00,5Z",
    "2024-13-01T00:00:00Z",
    "2024-03-11T06:00:00+25:00",
)
_DURATIONS = (
    *("P1W", "P1Y2M3D", "P", "PT", "P1YT", "P1.5Y", "PT1.5H", "PT0,5S", "-PT1S", "P-1D", "P1W1D", "P1D1W", "PT1M1H", "p1d"),
    *("P0003-06-04T12:30:05", "P16559.14S", "P1M1W", "PT0.123456S", "PT1.5H1M"),
)
_CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"
FORMS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("timestamp", "stored", "eventTime", "sendTime", "startedAtTime", "dateCreated", "dateSent"), _TIMES),
    **dict.fromkeys(("duration", "currentTime"), _DURATIONS),
    "language": (
        *("en", "de-CH-1996", "zh-Hans-CN", "x-private", "i-klingon", "en_US", "e", "abcdefghi", "en-", "en-US-x-a", "123"),
        *("xx", "qq-QQ", "es-419", "sgn-BE-FR"),
    ),
    "mbox": (
        *("mailto:a@localhost", "mailto:a.b+c@x.example.org", "a@example.com", "MAILTO:a@example.com", "mailto:a@b@c.org"),
        *("mailto:a b@c.org", "mailto:.a@c.org", "mailto:a..b@c.org", "mailto:ü@example.com", "mailto:"),
        "mailto:a@example.com?subject=x",
    ),
    "version": ("1.0", "1.0.3", "1.0.10", "1.1.0", "1", "0.95", "1.0.x", "2.0.0"),
    "id": (
        *("http:", "urn:a:b", "http://x.org/ä", "http://[::1]/", "http://[x]/", "x:y", "1x:y", "http://x.org/%zz", "_:a"),
        *("http://x.org/a|b", "//x.org", "tag:a,2024:b", "00000000-0000-0000-0000-000000000000"),
        *("12eedb5dab0e5845a05fa1f1b2f7b753", "12EEDB5D-AB0E-5845-A05F-A1F1B2F7B753"),
        "urn:uuid:12EEDB5D-AB0E-5845-A05F-A1F1B2F7B753",
    ),
    "contentType": ("text/plain; charset=utf-8", "font/woff", "application/vnd.a+json", "text", "text/", "x-a/y"),
    "sha2": ("abc", "0" * 40, "0" * 128),
    "mbox_sha1sum": ("0" * 39, "0" * 41, "A" * 40, "g" * 40),
    "length": (1.0, 0),
    "objectType": ("Activity", "Agent", "Group", "StatementRef", "SubStatement", "Person", "agent"),
    "interactionType": (
        *("choice", "likert", "matching", "performance", "sequencing", "numeric", "true-false", "fill-in", "other", "essay"),
    ),
    "scaled": (-1, 1, 1.0001, "0.5"),
    "raw": (-1, 3, "1"),
    "min": (2, 3, "0"),
    "max": (0, -1),
    "type": (
        *("Person", "Entity", "Webpage", "WebPage", "VideoObject", "Assessment", "Attempt", "Response", "Result", "Score"),
        *("Event", "MediaEvent", "ViewEvent", "SessionEvent", "SystemIdentifier", "SoftwareApplication", "Group"),
    ),
    "action": ("Viewed", "Started", "Completed", "MarkedAsUnRead", "TimedOut", "LoggedOut", "Returned", "Commented", "Foo"),
    "profile": ("GeneralProfile", "MediaProfile", "FooProfile"),
    "@context": (
        *("http://purl.imsglobal.org/ctx/caliper/v1p1", [_CONTEXT], ["https://schema.org", _CONTEXT], {"a": "b"}),
        *([_CONTEXT, "https://schema.org"], [{"q": "http://x.org/q"}, _CONTEXT]),
    ),
    "roles": (["Learner", "Learner#GuestLearner"], ["Student"]),
    "status": ("Inactive", "status#Active"),
    "metric": ("WordsRead", "Foo"),
    "identifierType": ("EmailAddress", "Foo"),
    "sensor": ("lms", "urn:a:b"),
}


def mutants(document: Any) -> Iterator[Any]:
    """The document itself, then with one change each."""
    yield document
    for place in ((), *_places(document)):
        value = _at(document, place)
        if place:
            yield _changed(document, place, drop=True)
            for other in (*_others(value), *FORMS.get(str(place[-1]), ())):
                yield _changed(document, place, value=other)
            if isinstance(place[-1], str):
                for name in {place[-1].upper(), f"{place[-1]}x", place[-1].capitalize()} - {place[-1]}:
                    yield _changed(document, place, name=name)
        if isinstance(value, dict):
            for name, added in ADDED.items():
                if name not in value:
                    yield _changed(document, (*place, name), value=added)


def _others(value: Any) -> Iterator[Any]:
    yield from OTHER_TYPES
    yield [value]
    yield {"a": value}
    if isinstance(value, str):
        yield from (value + end for end in (" ", "\n", "[]", "%", "#a#b", "ü", "x", '"'))
        yield from (value.upper(), value.lower(), value[:-1], value * 2, value.split(":", 1)[-1], f"{{{value}}}")


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*place, key)
        yield from _places(part, (*place, key))


def _at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def _changed(document: Any, place: Place, value: Any = None, name: str | None = None, drop: bool = False) -> Any:
    made = copy.deepcopy(document)
    around = _at(made, place[:-1])
    if name is not None:
        around[name] = around.pop(place[-1])
    elif drop:
        del around[place[-1]]
    else:
        around[place[-1]] = value
    return made
