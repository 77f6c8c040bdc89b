"""Every event of the package becomes what stands beside it in its example; a changed mapping has a new version."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from acme_flashcards import caliper, events, xapi

from edx2lrs.transforms import ActorOptions, Actors, CourseNames, Translator, translate_record

ROOT = "https://lms.example.com"
EXAMPLES = sorted((Path(events.__file__).parent / "examples").glob("*.json"))
GOLDEN = {"xapi 1": "5c9cc4c138210ba0", "caliper 1": "c1444035b089de96"}


def made(protocol: Literal["xapi", "caliper"], path: Path) -> list[Any]:
    actors = Actors(ActorOptions("hmac", protocol.upper(), "dead_letter"), ROOT, None, b"a key for tests")
    translator = Translator(protocol, ROOT, actors, CourseNames({}), transformer_version="tests")
    results = []
    for source in json.loads(path.read_text(encoding="utf-8"))["sources"]:
        outcome = translate_record(source, translator)
        assert isinstance(outcome, tuple), outcome
        results.append([json.loads(statement.body) for statement in outcome])
    return results


def test_every_event_has_an_example() -> None:
    assert {path.stem for path in EXAMPLES} == set(events.EVENTS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_an_event_becomes_what_stands_beside_it(protocol: Literal["xapi", "caliper"], path: Path) -> None:
    expected = json.loads(path.read_text(encoding="utf-8"))[protocol]
    assert all(statements == expected for statements in made(protocol, path))


@pytest.mark.parametrize(("protocol", "module"), [("xapi", xapi), ("caliper", caliper)])
def test_a_changed_mapping_has_a_new_version(protocol: Literal["xapi", "caliper"], module: Any) -> None:
    found = hashlib.sha256(json.dumps([made(protocol, path) for path in EXAMPLES], sort_keys=True).encode()).hexdigest()[:16]
    assert GOLDEN[f"{protocol} {module.MAPPING_VERSION}"] == found
