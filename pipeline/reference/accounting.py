"""What is counted, and the causes of what is filtered and dead, as tables for the pages."""

from __future__ import annotations

from edx2lrs.pipeline import page_parts
from edx2lrs.transforms.causes import DEAD, FILTERED, FILTERED_FOR_ONE
from edx2lrs.transforms.counters import COUNTERS, SUMS, Counter

_OWNER = "edx2lrs.pipeline.reference.accounting"
_WHOSE = {"run": "the run", "records": "`records`", "consumer": "each consumer"}


def counters() -> str:
    """The sums, and every key of the report that counts."""
    lines = [(_keys(each.wholes), _keys(each.parts), "" if each.whose == "records" else "(per consumer)") for each in SUMS]
    left, right = (max(len(line[at]) for line in lines) for at in (0, 1))
    sums = "".join(f"    {whole:{left}} = {part:{right}} {of}".rstrip() + "\n" for whole, part, of in lines)
    told_by = {row: f" One number for each {row.told_by}." if row.told_by else "" for row in COUNTERS}
    rows = [(f"`{_keys((row,))}`", _WHOSE[row.whose], f"{row.meaning}{told_by[row]}") for row in COUNTERS]
    return f"\n{sums}\n{page_parts.table(('Key', 'Of', 'Meaning'), rows)}"


def _keys(rows: tuple[Counter, ...]) -> str:
    return " + ".join(".".join(row.path) for row in rows)


def reasons() -> str:
    """Why records are filtered."""
    rows = [(f"`{each.reason}`", each.meaning, each.advice) for each in FILTERED]
    return page_parts.table(("Reason of `filtered`", "The record was filtered:", "What to do"), rows)


def reasons_for_one() -> str:
    """Why records that passed the filter do not go to a consumer."""
    rows = [(f"`{each.reason}`", each.meaning, each.advice) for each in FILTERED_FOR_ONE]
    return page_parts.table(("Reason of a consumer's `filtered`", "The consumer does not get the record:", "What to do"), rows)


def causes() -> str:
    """Why records and statements are dead letters."""
    rows = [(", ".join(each.stages), ", ".join(f"`{cause}`" for cause in each.causes), each.meaning, each.advice) for each in DEAD]
    return page_parts.table(("Stage", "Cause", "Meaning", "What to do"), rows)


def metrics() -> str:
    """What ``/metrics`` has of the counters."""
    labels = {row: ", ".join(f"`{label}`" for label in row.labels) for row in COUNTERS}
    told = [row for row in COUNTERS if row.told_by != "name"]
    rows = [(f"`{row.metric}{'' if row.gauge else '_total'}`", labels[row], row.meaning) for row in told]
    return page_parts.table(("Metric", "Labels", "Meaning"), rows)


def in_step(page: str) -> str:
    """The page with the tables between its marks written anew. Raises ValueError for a page without such marks."""
    parts = {"counters": counters, "reasons": reasons, "reasons for one": reasons_for_one, "causes": causes, "metrics": metrics}
    return page_parts.in_step(page, _OWNER, parts)
