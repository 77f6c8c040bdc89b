"""The tables of sources and options in the pages: in step with the SPECs of the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from edx2lrs.pipeline.reference.sources import in_step

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["streams.md", "event-bus.md"])
def test_the_page_is_in_step(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert in_step(page) == page, "run: python -m edx2lrs.pipeline.reference"


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        in_step("# Streams\n")
