"""The one check of the sums that every run promises. Which sums there are, the table of counters says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edx2lrs.pipeline.report import number
from edx2lrs.transforms import counters
from edx2lrs.transforms.counters import Counted


def assert_report_adds_up(part: dict[str, Any]) -> None:
    """All sums of a report, or of its ``all_runs``."""
    parts = [("records", "", part["records"]), *(("consumer", name, each) for name, each in part["consumers"].items())]
    for whose, name, counts in parts:
        for each in counters.SUMS:
            if each.whose == whose:
                wholes, rest = ([number(counts, row) for row in rows] for rows in (each.wholes, each.parts))
                assert sum(wholes) == sum(rest), (name, each)


def assert_statements_add_up(tally: counters.Tally, waiting: Mapping[str, int]) -> None:
    """The sum of the statements of each consumer in ``waiting``, which says how many statements wait."""
    counts = counters.grouped({**tally, **{Counted(name, "waiting"): number for name, number in waiting.items()}})
    for name in waiting:
        wholes, rest = (counters.total(counts, name, *rows) for rows in (counters.STATEMENTS.wholes, counters.STATEMENTS.parts))
        assert wholes == rest, (name, counts[name])


def assert_records_add_up(tally: counters.Tally) -> None:
    """The sum of the records of a run."""
    counts = counters.grouped(tally)
    wholes, rest = (counters.total(counts, "", *rows) for rows in (counters.RECORDS.wholes, counters.RECORDS.parts))
    assert wholes == rest, counts.get("")
