"""What tests of several folders check alike."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def assert_adds_up():
    return _assert_adds_up


def _assert_adds_up(part: dict[str, Any]) -> None:
    """The sums that every run promises, for a report or for its ``all_runs``."""
    records = part["records"]
    assert records["read"] == records["matched"] + sum(records["filtered"].values()) + sum(records["dead"].values())
    for name, consumer in part["consumers"].items():
        dead = consumer["dead"]
        assert consumer["matched"] == consumer["translated"] + consumer["skipped"] + sum(dead["records"].values()), name
        settled = sum(consumer[key] for key in ("delivered", "already_stored", "conflicts", "duplicates", "waiting"))
        assert consumer["statements"] + consumer["taken_over"] == settled + sum(dead["statements"].values()), name
