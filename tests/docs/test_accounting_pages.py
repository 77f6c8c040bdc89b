"""The pages that list counters, sums, reasons, causes and metrics are in step with the tables of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from edx2lrs.pipeline.reference.accounting import in_step

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["state.md", "dead-letters.md", "streams.md"])
def test_the_page_is_in_step(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert in_step(page) == page, "run: python -m edx2lrs.pipeline.reference"
