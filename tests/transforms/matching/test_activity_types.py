"""The activity types that the tables tell are those of the statements that are made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from edx2lrs.pipeline.reference.examples_site import translator_of_examples
from edx2lrs.transforms.config_types import Dialect
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
@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_types_of_an_example_are_those_of_its_statements(protocol: Any, dialect: Dialect) -> None:
    types_of, translator = ActivityTypes(protocol, dialect), translator_of_examples(protocol, dialect=dialect)
    for path in FIXTURES:
        for source in json.loads(path.read_text(encoding="utf-8"))["sources"]:
            event = parse((source if isinstance(source, str) else json.dumps(source)).encode())
            assert isinstance(event, Event)
            made = translator.translate(event)
            if isinstance(made, tuple):
                statements = [json.loads(each.body) for each in made]
                assert set(types_of(event)) == types_made(protocol, statements), path.stem


def test_the_known_types_are_those_of_the_tables() -> None:
    assert "http://adlnet.gov/expapi/activities/cmi.interaction" in known_types("xapi", "standard")
    assert {"Attempt", "Assessment", "VideoObject"} <= known_types("caliper", "standard")


def test_every_mapping_can_tell_its_types_from_the_event_alone() -> None:
    assert mappings("xapi")
    assert mappings("caliper")
    for protocol in ("xapi", "caliper"):
        ActivityTypes(protocol, "standard")  # type: ignore[arg-type]  # raises TypeError where one cannot
