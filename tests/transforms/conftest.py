"""What the tests of all transforms share: the translators of the examples' site, and a usual record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from edx2lrs.pipeline.reference.examples_site import translator_of_examples
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator


@pytest.fixture(scope="session")
def translate() -> Callable[..., Any]:
    """A record (an object, or the bytes of a line) to its statements as objects, a refusal, or None where there is no mapping."""
    translators: dict[Any, Translator] = {}

    def run(record: Any, protocol: str = "xapi", **options: Any) -> Any:
        key = (protocol, *sorted(options.items()))
        if key not in translators:
            translators[key] = translator_of_examples(protocol, **options)
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
