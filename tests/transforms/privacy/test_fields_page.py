"""The page of fields is right about the declared fields and the mappings."""

from __future__ import annotations

import pytest

from edx2lrs.pipeline.reference.fields import page
from edx2lrs.transforms.families.declared_fields import declared_fields
from edx2lrs.transforms.families.mappings import PROTOCOLS
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.privacy.field_destinations import common_fields, of_event, use_of


@pytest.fixture(scope="module")
def made() -> str:
    return page()


def part(made: str, event: str) -> dict[str, list[str]]:
    """The rows of an event's table, by their fields."""
    lines = made[made.index(f"`{event}`") :].split("\n\n")[1].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_it_says_where_a_field_goes(made: str) -> None:
    rows = part(made, "problem_check")
    assert rows["data.grade"] == ["value", "`result.score`", "`generated.scoreGiven`", "no"]
    assert rows["data.answers"][:2] == ["any JSON", "`result.response`"]
    assert "`object.id`" in rows["referer"][1]
    assert part(made, "seek_video")["data.new_time"][1] == "`result.extensions[…/time-to]`"


def test_what_learners_write_and_who_they_are_is_personal(made: str) -> None:
    assert part(made, "problem_check")["data.submission.*.answer"][-1].startswith("**yes**: what a learner writes")
    assert part(made, "edx.forum.thread.created")["data.title"][-1] == "**yes**: what a learner writes (`redact: [title]`)"
    assert "| `username` | value | the actor's id | the actor's id | **yes**" in made


def test_every_declared_field_of_every_event_is_on_it(made: str) -> None:
    for name, source in SOURCE_EVENTS.items():
        paths = {field.path for field in declared_fields(source.data, "data")} - {field.path for field in common_fields()}
        assert paths <= part(made, name).keys() if paths else True, name


def test_no_mapping_reads_who_the_user_is() -> None:
    people = [field for field in common_fields() if field.path.rpartition(".")[2] in ("user_id", "username")]
    assert len(people) == 5
    for name in SOURCE_EVENTS:
        for protocol in PROTOCOLS:
            assert not any(use_of(field, of_event(protocol, name)).destinations for field in people), name
