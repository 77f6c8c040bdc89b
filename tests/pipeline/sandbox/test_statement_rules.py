"""Which statements the sandbox takes; the rules themselves have their tests in ``tests/validation``."""

from __future__ import annotations

import pytest

from edx2lrs.pipeline.sandbox.statement_rules import first_violation

VALID = {
    "actor": {"mbox": "mailto:a@example.com"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
    "object": {"id": "https://lms.example.com/a"},
}


def test_what_is_only_recommended_is_not_asked_for() -> None:
    assert first_violation({**VALID, "version": "1.0.3", "context": {}}) is None


def test_the_first_fault_is_told_with_its_clause() -> None:
    fault = first_violation({**VALID, "id": "5", "result": {"success": "true"}})
    assert fault == "id: found a text, expected a UUID (xAPI 1.0.3, 2.4.1)"


@pytest.mark.parametrize("value", [None, [], "text", 5, [VALID]])
def test_a_statement_is_an_object(value: object) -> None:
    assert first_violation(value) is not None
