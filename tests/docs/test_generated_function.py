"""docs/decisions/0008: the function on the page is the function that is generated."""

from __future__ import annotations

from pathlib import Path

from edx2lrs.transforms.families.video.xapi import position, video_iri
from edx2lrs.transforms.mapping.guard import XAPI_CHECKS
from edx2lrs.transforms.mapping.row_compiler import Identity, Options, source_of
from edx2lrs.transforms.mapping.rows import Constant, Row
from edx2lrs.transforms.mapping.statement_id import verb_ids
from edx2lrs.transforms.mapping.xapi_vocabulary import VIDEO_TIME, result_extension

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "0008-tables-become-functions.md"


def test_the_page_shows_what_is_generated() -> None:
    rows, function = (part.partition("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```python\n")[1:])
    names = {each.__name__: each for each in (Row, Constant, video_iri, position, result_extension)}
    exec(rows, found := {**names, "VIDEO_TIME": VIDEO_TIME})
    identity = Identity(verb_ids("{}"), "{actor.hash_text}-{time}")
    assert source_of(found["rows"], identity, Options({"root": "https://lms.example.com"}, XAPI_CHECKS)) == function
