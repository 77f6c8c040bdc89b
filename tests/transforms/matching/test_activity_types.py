"""The activity types that the tables tell are those of the statements that are made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.matching.activity_types import ActivityTypes, known_types
from edx2lrs.transforms.records.parse import parse

FIXTURES = sorted((Path(__file__).parents[3] / "transforms" / "families").glob("*/examples/*.json"))


def types_made(protocol: str, made: list[dict[str, Any]]) -> set[str]:
    objects = [statement["object"] for statement in made]
    found = [each.get("definition", {}).get("type") if protocol == "xapi" else each.get("type") for each in objects]
    return {each for each in found if each}


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_types_of_a_fixture_are_those_of_its_statements(protocol: Any, path: Path) -> None:
    fixture = json.loads(path.read_text(encoding="utf-8"))
    for source in fixture["sources"]:
        event = parse((source if isinstance(source, str) else json.dumps(source)).encode())
        assert isinstance(event, Event)
        assert set(ActivityTypes(protocol)(event)) == types_made(protocol, fixture[protocol])


def test_the_known_types_are_those_of_the_tables() -> None:
    assert "http://adlnet.gov/expapi/activities/cmi.interaction" in known_types("xapi")
    assert {"Attempt", "Assessment", "VideoObject"} <= known_types("caliper")


def test_every_mapping_can_tell_its_types_from_the_event_alone() -> None:
    assert mappings("xapi")
    assert mappings("caliper")
    for protocol in ("xapi", "caliper"):
        ActivityTypes(protocol)  # type: ignore[arg-type]  # raises TypeError where one cannot
