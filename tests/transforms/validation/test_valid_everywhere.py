"""What the fixtures say that events become is valid, and so are the documents that the peers are asked about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edx2lrs.transforms.validation.caliper import caliper_violations
from edx2lrs.transforms.validation.violations import Violation, sentence
from edx2lrs.transforms.validation.xapi import statement_violations
from testkit import valid_documents as documents

HERE = Path(__file__).parent
FIXTURES = sorted((HERE.parents[2] / "transforms" / "families").glob("*/examples/*.json"))


def required(faults: list[Violation]) -> list[str]:
    return [sentence(fault) for fault in faults if fault.required]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_a_fixtures_statements_and_events_are_valid(path: Path) -> None:
    twins = json.loads(path.read_text(encoding="utf-8"))
    assert [required(statement_violations(statement)) for statement in twins["xapi"]] == [[] for _ in twins["xapi"]]
    assert [required(caliper_violations(event)) for event in twins["caliper"]] == [[] for _ in twins["caliper"]]


def test_the_documents_for_the_peers_are_valid() -> None:
    assert [required(statement_violations(each)) for each in documents.STATEMENTS] == [[] for _ in documents.STATEMENTS]
    events = [*documents.EVENTS, documents.ENVELOPE]
    assert [required(caliper_violations(each)) for each in events] == [[] for _ in events]
