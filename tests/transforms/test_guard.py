from __future__ import annotations

from typing import Any

import pytest

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.guard import guard_caliper, guard_xapi


def statement(object_id: str = "https://x/y", **result: Any) -> dict[str, Any]:
    return {"object": {"id": object_id}, "context": {}, "result": result}


def test_a_valid_statement_passes() -> None:
    assert guard_xapi(statement(score={"min": 0.0, "max": 2.0, "raw": 2.0, "scaled": 1.0})) is None
    assert guard_xapi({"object": {"id": "urn:uuid:1"}, "context": {}}) is None
    assert guard_caliper({"actor": {"id": "https://x/é"}, "object": {"id": "https://x/1"}}) is None


@pytest.mark.parametrize(
    ("broken", "clause"),
    [
        (statement("/relative"), "2.4.4.1"),
        (statement("https://x/a b"), "2.4.4.1"),
        (statement("https://x/\x00"), "2.4.4.1"),
        (statement(score={"scaled": 1.5}), "2.4.5.1"),
        (statement(score={"scaled": float("nan")}), "2.4.5.1"),
        (statement(score={"min": 0.0, "raw": -1.0}), "2.4.5.1"),
        (statement(score={"max": 1.0, "raw": 2.0}), "2.4.5.1"),
    ],
)
def test_a_broken_statement_is_refused_with_the_clause(broken: dict[str, Any], clause: str) -> None:
    refusal = guard_xapi(broken)
    assert isinstance(refusal, Refusal)
    assert clause in refusal.message


@pytest.mark.parametrize("part", ["actor", "object", "session"])
def test_caliper_entities_have_iris(part: str) -> None:
    event = {"actor": {"id": "https://x/1"}, "object": {"id": "https://x/1"}, part: {"id": "no iri"}}
    refusal = guard_caliper(event)
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith(f"{part}.id")
