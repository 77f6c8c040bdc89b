"""docs/decisions/0008-tables-become-functions.md: the function that the page shows is the function that its rows become."""

from __future__ import annotations

import re
from pathlib import Path

from edx2lrs.transforms.families.video import xapi as video
from edx2lrs.transforms.mapping.guard import XAPI_CHECKS
from edx2lrs.transforms.mapping.row_compiler import Identity, Options, source_of

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "0008-tables-become-functions.md"


def identify(name: str) -> str:
    """Stands in for the function that makes a statement's id."""
    return name


def test_the_page_shows_what_the_rows_become() -> None:
    table, function = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names = vars(video).copy()
    exec(table, names)
    identity = Identity(identify, "{actor.hash_text}-{time}")
    assert source_of(names["rows"], identity, Options({"root": "https://lms.example.com"}, XAPI_CHECKS)) == function
