"""``edx2lrs events``: the table of all events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edx2lrs.pipeline.app.event_coverage import HEADINGS, coverage
from edx2lrs.pipeline.cli import main
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS

CHECKOUT = Path(__file__).parents[3]


def test_every_event_has_a_row_with_what_it_becomes() -> None:
    rows = coverage()
    assert {row.name for row in rows} == set(SOURCE_EVENTS)
    for row in rows:
        assert bool(row.xapi) is (row.name in mappings("xapi"))
        assert bool(row.caliper) is (row.name in mappings("caliper"))
        assert all(terms.first and terms.second for terms in (*row.xapi, *row.caliper)), row.name


def test_every_event_has_an_example_that_holds_it() -> None:
    for row in coverage():
        assert row.example is not None, row.name
        sources = json.loads(row.example.read_text(encoding="utf-8"))["sources"]
        assert {source.get("name") or source["event_type"] for source in sources} == {row.name}


def test_the_table_for_a_terminal_has_a_line_for_each_event(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [row.name for row in coverage()]
    line = next(line for line in lines if line.startswith("play_video "))
    cells = [line[heading.index(word) :].split("  ")[0] for word in HEADINGS]
    assert cells[:7] == ["play_video", "video", "played", "video", "MediaEvent", "Resumed", "0.1"]
    assert cells[7] == "transforms/families/video/examples/play_video.json"


def test_variants_of_an_event_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    problem_check = rows["problem_check"]
    assert [each["verb"] for each in problem_check["xapi"]] == [
        "http://adlnet.gov/expapi/verbs/attempted",
        "https://w3id.org/xapi/acrossx/verbs/evaluated",
    ]
    assert problem_check["caliper"] == [
        {"type": "AssessmentEvent", "action": "Submitted"},
        {"type": "GradeEvent", "action": "Graded"},
    ]


def test_the_markdown_is_that_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "--markdown"]) == 0
    assert capsys.readouterr().out in (CHECKOUT / "docs/events.md").read_text(encoding="utf-8")
