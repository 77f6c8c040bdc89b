"""What a run did, as one JSON object (``--report``) and as a summary for a person, from the ledger and the senders."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

Totals = Mapping[tuple[str, str], int]
"""Counts by (consumer's name, or "" for records; key), as ``io.state.ledger`` keeps them."""

_COUNTS = (
    "matched",
    "translated",
    "skipped",
    "statements",
    "taken_over",
    "replayed",
    "delivered",
    "already_stored",
    "conflicts",
    "duplicates",
)


def _by_reason(totals: Totals, consumer: str, group: str) -> dict[str, int]:
    start = f"{group}/"
    found = {key[len(start) :]: number for (name, key), number in totals.items() if name == consumer and key.startswith(start)}
    return dict(sorted(found.items()))


def records(totals: Totals) -> dict[str, Any]:
    """The records' part: ``read = matched + filtered + dead``."""
    return {
        "read": totals.get(("", "read"), 0),
        "matched": totals.get(("", "matched"), 0),
        "filtered": _by_reason(totals, "", "filtered"),
        "dead": _by_reason(totals, "", "dead"),
        "redelivered": totals.get(("", "redelivered"), 0),
        "replayed": totals.get(("", "replayed"), 0),
        "named_by_event_type": totals.get(("", "named_by_event_type"), 0),
    }


def consumer(totals: Totals, name: str, waiting: int, oldest_age: float, request_seconds: Mapping[str, float]) -> dict[str, Any]:
    """One consumer's part: ``statements + taken_over = delivered + already_stored + conflicts + duplicates + dead + waiting``.
    ``oldest_age``: seconds that the oldest of those waits."""
    part: dict[str, Any] = {key: totals.get((name, key), 0) for key in _COUNTS}
    part["dead"] = {
        "records": _by_reason(totals, name, "dead_records"),
        "statements": _by_reason(totals, name, "dead_statements"),
    }
    part["waiting"] = waiting
    part["oldest_age"] = round(oldest_age, 1)
    part["requests"] = totals.get((name, "requests"), 0)
    part["retries"] = totals.get((name, "retries"), 0)
    part["request_seconds"] = dict(request_seconds)
    return part


def report(
    totals: Totals,
    all_runs: Totals,
    waiting: Mapping[str, int],
    oldest_ages: Mapping[str, float],
    request_seconds: Mapping[str, Mapping[str, float]],
    *,
    runner: str,
    seconds: float,
    dead_letters: str,
    state: str,
) -> dict[str, Any]:
    """The whole report. ``all_runs`` are the ledger's counts over every run of this state directory."""

    def consumers(counts: Totals) -> dict[str, Any]:
        return {
            name: consumer(
                counts, name, waiting[name], oldest_ages.get(name, 0.0), request_seconds.get(name, {"p50": 0, "p99": 0})
            )
            for name in waiting
        }

    return {
        "runner": runner,
        "seconds": round(seconds, 3),
        "bytes": totals.get(("", "bytes"), 0),
        "records": records(totals),
        "consumers": consumers(totals),
        "dead_letters": dead_letters,
        "state": state,
        "all_runs": {"records": records(all_runs), "consumers": consumers(all_runs)},
    }


def write(path: str, content: Mapping[str, Any]) -> None:
    """Replaces ``path`` in one step, so that a reader never finds half a report. Raises ``OSError``."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".report-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def summary(content: Mapping[str, Any]) -> str:
    """The report as lines for a person."""
    read = content["records"]
    dead = sum(read["dead"].values())
    lines = [
        f"{read['read']:,} records read in {content['seconds']:.1f} s ({content['bytes'] / 1e6:,.1f} MB) = "
        f"{read['matched']:,} matched + {sum(read['filtered'].values()):,} filtered + {dead:,} dead",
        *_reasons("filtered", read["filtered"]),
        *_reasons("dead", read["dead"]),
    ]
    for name, part in content["consumers"].items():
        lines += _consumer_lines(name, part)
    if dead or any(_dead(part) for part in content["consumers"].values()):
        lines.append(f"dead letters: {content['dead_letters']}")
    waiting = [name for name, part in content["consumers"].items() if part["waiting"]]
    if waiting:
        names = ", ".join(waiting)
        lines.append(f"statements wait for {names} in {content['state']}; the next run or `edx2lrs deliver` sends them")
    return "\n".join(lines)


def _dead(part: Mapping[str, Any]) -> int:
    number: int = sum(part["dead"]["records"].values()) + sum(part["dead"]["statements"].values())
    return number


def _reasons(title: str, reasons: Mapping[str, int]) -> list[str]:
    if not reasons:
        return []
    return [f"  {title}: " + ", ".join(f"{reason} {number:,}" for reason, number in reasons.items())]


def _consumer_lines(name: str, part: Mapping[str, Any]) -> list[str]:
    dead_records = part["dead"]["records"]
    dead_statements = part["dead"]["statements"]
    made = f"{part['statements']:,} statements"
    if part["taken_over"]:
        made += f" + {part['taken_over']:,} taken over"
    seconds = part["request_seconds"]
    return [
        "",
        f"{name}: {part['matched']:,} matched = {part['translated']:,} translated + {part['skipped']:,} skipped"
        f" + {sum(dead_records.values()):,} dead",
        *_reasons("dead records", dead_records),
        f"  {made} = {part['delivered']:,} delivered + {part['already_stored']:,} already stored"
        f" + {part['conflicts']:,} conflicts + {part['duplicates']:,} duplicates"
        f" + {sum(dead_statements.values()):,} dead + {part['waiting']:,} waiting",
        *_reasons("dead statements", dead_statements),
        f"  {part['requests']:,} requests, {part['retries']:,} of them repeated; half within {seconds['p50'] * 1000:.0f} ms,"
        f" 99 % within {seconds['p99'] * 1000:.0f} ms",
    ]


def exit_code(content: Mapping[str, Any], strict: bool, unreadable: Sequence[str]) -> int:
    """0: done; 1: statements wait, a file could not be read, a consumer got nothing but dead letters, or (``strict``) there is a
    dead letter."""
    parts = content["consumers"].values()
    nothing_but_dead = any(
        _dead(part) and not part["delivered"] + part["already_stored"] + part["conflicts"] + part["duplicates"] + part["waiting"]
        for part in parts
    )
    any_dead: bool = bool(content["records"]["dead"]) or any(_dead(part) for part in parts)
    waiting = any(part["waiting"] for part in parts)
    incomplete = bool(waiting) or nothing_but_dead or bool(unreadable) or (strict and any_dead)
    return 1 if incomplete else 0
