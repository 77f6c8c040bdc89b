"""The fast reader and the lenient one make the same event of the same record."""

import json
from pathlib import Path

import pytest

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.records.parse import parse

SOURCES = [
    pytest.param(source, id=f"{path.stem}-{number}")
    for path in sorted((Path(__file__).parents[3] / "transforms" / "families").glob("*/examples/*.json"))
    for number, source in enumerate(json.loads(path.read_text(encoding="utf-8"))["sources"])
]


@pytest.mark.parametrize("source", SOURCES)
def test_a_nan_that_nobody_reads_changes_nothing(source: object) -> None:
    line = source.encode() if isinstance(source, str) else json.dumps(source).encode()
    end = line.rindex(b"}")
    odd = line[:end] + b', "nobody_reads_this": NaN' + line[end:]
    event = parse(line)
    assert isinstance(event, Event)
    assert parse(odd) == event
