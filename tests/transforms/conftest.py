"""A site for tests: course names and external ids are made from what they stand for, so that they can be written by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.people.actor import Actor, account_actor
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator

ROOT = "https://lms.example.com"


def course_name(key: str) -> str | None:
    return None if "Unnamed" in key else f"Course {key}"


def actors(protocol: str) -> Callable[[Event], Actor | Refusal]:
    def actor_of(event: Event) -> Actor | Refusal:
        user = event.username if event.user_id is None else event.user_id
        if user is None:
            return Refusal("translate", "no_actor", "nobody")
        return account_actor(ROOT, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{protocol.upper()}:{user}")))

    return actor_of


def make_translator(protocol: Any, **options: Any) -> Translator:
    return Translator(protocol, ROOT, actors(protocol), course_name, **{"transformer_version": "edx2lrs@test", **options})


@pytest.fixture(scope="session")
def translate() -> Callable[..., Any]:
    """A record (an object, or the bytes of a line) to its statements as objects, a refusal, or None where there is no mapping."""
    translators: dict[Any, Translator] = {}

    def run(record: Any, protocol: str = "xapi", **options: Any) -> Any:
        key = (protocol, *sorted(options.items()))
        if key not in translators:
            translators[key] = make_translator(protocol, **options)
        event = parse(record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode())
        if isinstance(event, Refusal):
            return event
        made = translators[key].translate(event)
        if made is None or isinstance(made, Refusal):
            return made
        assert all(b"\n" not in statement.body for statement in made)
        return [json.loads(statement.body) for statement in made]

    return run


@pytest.fixture(scope="session")
def record() -> Callable[..., dict[str, Any]]:
    """A usual log line; keywords replace or add fields of its top, ``context=`` of its context."""

    def run(name: str, event: Any, context: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
        about = {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020", "org_id": "edX", **(context or {})}
        usual = {"username": "bob", "session": "s1", "event_source": "server", "time": "2023-05-23T13:53:13.460372+00:00"}
        return {"name": name, "context": about, **usual, "event": event, **top}

    return run
