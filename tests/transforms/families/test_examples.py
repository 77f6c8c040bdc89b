"""Each file of ``examples/`` has one event in several shapes, and what the event is in both protocols and in two dialects.

The statements of the dialect erb were written by hand from the mappings' description and checked against event-routing-backends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.transforms.event import Event, event_hash
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.records.parse import parse

FILES = sorted((Path(__file__).parents[3] / "transforms" / "families").glob("*/examples/*.json"))
SHAPES = [
    pytest.param(path, n, id=f"{path.stem} {n + 1}")
    for path in FILES
    for n in range(len(json.loads(path.read_text(encoding="utf-8"))["sources"]))
]


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
@pytest.mark.parametrize(("path", "shape"), SHAPES)
def test_an_event_becomes_what_stands_beside_it(translate: Callable[..., Any], path: Path, shape: int, protocol: str) -> None:
    twins = json.loads(path.read_text(encoding="utf-8"))
    source = twins["sources"][shape]
    assert (translate(source, protocol) or []) == twins[protocol]
    assert (translate(source, protocol, dialect="erb") or []) == twins["erb"][protocol]


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_statement_ids_are_the_same_in_all_dialects(translate: Callable[..., Any], path: Path, protocol: str) -> None:
    source = json.loads(path.read_text(encoding="utf-8"))["sources"][0]
    made = [translate(source, protocol, dialect=dialect) for dialect in ("standard", "erb", "aspects")]
    ids = [[statement["id"] for statement in each or ()] for each in made if not isinstance(each, Refusal)]
    assert ids == [ids[0]] * len(ids)
    assert len(ids) >= 2


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.stem in ("play_video", "problem_check (one question)", "edx.ui.lms.sequence.tab_selected")],
    ids=lambda p: p.stem,
)
def test_an_event_is_the_same_whatever_road_it_took(path: Path) -> None:
    sources = json.loads(path.read_text(encoding="utf-8"))["sources"]
    events = [parse(json.dumps(source).encode()) for source in sources]
    assert len(events) > 1
    assert {event_hash(event) for event in events if isinstance(event, Event)} == {event_hash(events[0])}


def test_another_event_has_another_hash(record: Callable[..., Any]) -> None:
    one, other = (parse(json.dumps(record("play_video", {"id": id_})).encode()) for id_ in ("a", "b"))
    assert event_hash(one) != event_hash(other)


def test_every_mapping_is_of_a_declared_event_and_every_event_has_a_mapping() -> None:
    assert set(mappings("xapi")) | set(mappings("caliper")) == set(SOURCE_EVENTS)
