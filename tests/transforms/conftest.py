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
from testkit import tracking_records


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
    return tracking_records.record
