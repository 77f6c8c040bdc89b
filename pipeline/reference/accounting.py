"""What is counted, and the causes of what is filtered and dead, as tables for the pages."""

from __future__ import annotations

from edx2lrs.pipeline.reference import marks
from edx2lrs.transforms.causes import DEAD, FILTERED
from edx2lrs.transforms.counters import COUNTERS, SUMS, Counter, Sum

_OWNER = "edx2lrs.pipeline.reference.accounting"
_WHOSE = {"run": "the run", "records": "`records`", "consumer": "each consumer"}


def counters() -> str:
    """The sums, and every key of the report that counts."""
    lines = [(" + ".join(map(_key, each.wholes)), " + ".join(map(_key, each.parts)), _of(each)) for each in SUMS]
    left, right = (max(len(line[at]) for line in lines) for at in (0, 1))
    sums = "".join(f"    {whole:{left}} = {part:{right}} {of}".rstrip() + "\n" for whole, part, of in lines)
    rows = [(f"`{_key(row)}`", _WHOSE[row.whose], f"{row.meaning}{_told_by(row)}") for row in COUNTERS]
    return f"\n{sums}\n{marks.table(('Key', 'Of', 'Meaning'), rows)}"


def _key(row: Counter) -> str:
    return ".".join(row.path)


def _of(each: Sum) -> str:
    return "" if each.whose == "records" else "(per consumer)"


def _told_by(row: Counter) -> str:
    return f" One number for each {row.told_by}." if row.told_by else ""


def reasons() -> str:
    """Why records are filtered."""
    rows = [(f"`{each.reason}`", each.meaning, each.advice) for each in FILTERED]
    return marks.table(("Reason of `filtered`", "The record was filtered:", "What to do"), rows)


def causes() -> str:
    """Why records and statements are dead letters."""
    rows = [
        (", ".join(each.stages), ", ".join(f"`{cause}`" for cause in each.causes), each.meaning, each.advice) for each in DEAD
    ]
    return marks.table(("Stage", "Cause", "Meaning", "What to do"), rows)


def metrics() -> str:
    """What ``/metrics`` has of the counters."""
    rows = [(f"`{row.metric}{'' if row.gauge else '_total'}`", _labels(row), row.meaning) for row in COUNTERS]
    return marks.table(("Metric", "Labels", "Meaning"), rows)


def _labels(row: Counter) -> str:
    return ", ".join(f"`{label}`" for label in row.labels)


def in_step(page: str) -> str:
    """The page with the tables between its marks written anew. Raises ValueError for a page without such marks."""
    return marks.in_step(page, _OWNER, {"counters": counters, "reasons": reasons, "causes": causes, "metrics": metrics})
