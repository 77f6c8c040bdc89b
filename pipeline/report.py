"""The report of a run, as one JSON object (``--report``) and as a summary for a person, from the ledger and the senders."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from edx2lrs.io.state.terms import PROTOCOL, HeldStatements
from edx2lrs.transforms import counters
from edx2lrs.transforms.causes import FILE_CAUSES
from edx2lrs.transforms.counters import Grouped, Sum, Tally
from edx2lrs.transforms.formats.number_words import counted
from edx2lrs.transforms.matching.filter import OTHER, shown_names

_NAMES_IN_A_SUMMARY = 10

_MOST_PLACES = 10
"""Places of values that were left out, which the summary names; the report has all places."""


def _part(whose: counters.Whose, counts: Grouped, name: str, gauges: Mapping[str, float]) -> dict[str, Any]:
    """The counters of the run, of its records or of one consumer, each by its key; ``name`` is the consumer's, or ""."""
    own = counts.get(name, {})
    part: dict[str, Any] = {}
    for row in counters.of(whose):
        found = own.get(row.key, {})
        *groups, last = row.path
        inner = part
        for group in groups:
            inner = inner.setdefault(group, {})
        by_word = shown_names(Counter(found)) if row.told_by == "name" else found
        inner[last] = gauges[row.key] if row.gauge else dict(by_word) if row.told_by else found.get("", 0)
    return part


def report(
    totals: Tally,
    all_runs: Tally,
    waiting: Mapping[str, int],
    oldest_ages: Mapping[str, float],
    request_seconds: Mapping[str, Mapping[str, float]],
    *,
    runner: str,
    seconds: float,
    dead_letters: str,
    state: str,
    dry_run: Mapping[str, str] | None = None,
    held: Sequence[HeldStatements] = (),
) -> dict[str, Any]:
    """The whole report. ``all_runs``: the ledger's counts over every run of this state directory. ``dry_run``: the addresses to which
    a dry run would send, by consumer."""

    def sums(counts: Grouped) -> dict[str, Any]:
        return {"records": _part("records", counts, "", {}), "consumers": {name: consumer(counts, name) for name in waiting}}

    def consumer(counts: Grouped, name: str) -> dict[str, Any]:
        gauges = {"waiting": waiting[name], "oldest_age": round(oldest_ages.get(name, 0.0), 1)}
        seconds = request_seconds.get(name, {"p50": 0, "p99": 0})
        return {**_part("consumer", counts, name, gauges), "request_seconds": dict(seconds)}

    counts = counters.grouped(totals)
    return {
        "runner": runner,
        "seconds": round(seconds, 3),
        **_part("run", counts, "", {}),
        **sums(counts),
        "dead_letters": dead_letters,
        "state": state,
        "held": [each._asdict() for each in held],
        "all_runs": sums(counters.grouped(all_runs)),
        **({} if dry_run is None else {"dry_run": dict(dry_run)}),
    }


def write(path: str, content: Mapping[str, Any]) -> None:
    """Replaces ``path`` in one step, so a reader never finds half of a report. Raises ``OSError``."""
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


def value(part: Mapping[str, Any], row: counters.Counter) -> Any:
    """What a report's part has of the counter ``row``: a number, or numbers by reason or cause."""
    found: Any = part
    for step in row.path:
        found = found[step]
    return found


def number(part: Mapping[str, Any], row: counters.Counter) -> int:
    """The same as one number."""
    found = value(part, row)
    return sum(found.values()) if row.told_by else int(found)


def _parts_in_words(part: Mapping[str, Any], of: Sum) -> str:
    return " + ".join(f"{number(part, row):,} {row.label}" for row in of.parts)


def _by_cause_in_words(part: Mapping[str, Any], of: Sum, what: str = "") -> list[str]:
    """A line for each counter of the sum that reasons or causes tell, where there are any."""
    return [
        f"  {row.label}{what}: " + ", ".join(f"{cause} {count:,}" for cause, count in value(part, row).items())
        for row in of.parts
        if row.told_by and value(part, row)
    ]


def summary(content: Mapping[str, Any]) -> str:
    """The report as lines for a person."""
    records, dry_run = content["records"], content.get("dry_run")
    whole, lines = content["all_runs"], [
        f"{counted(records['read'], 'record')} read in {content['seconds']:.1f} s ({content['bytes'] / 1e6:,.1f} MB) = "
        + _parts_in_words(records, counters.RECORDS),
        *_by_cause_in_words(records, counters.RECORDS),
        *_unknown_in_words(records),
    ]
    for name, part in content["consumers"].items():
        lines += _consumer_lines(name, part, None if dry_run is None else dry_run.get(name, ""))
    held = [HeldStatements(**each) for each in content.get("held", ())]
    if dry_run is not None:
        return "\n".join(["dry run: nothing is sent, kept or settled at its source", *lines, *held_in_words(held, content["state"])])
    if whole["records"] != records:
        lines += ["", *all_runs(whole, content["state"])]
    if _dead(records, counters.RECORDS) or any(_dead_of(part) for part in content["consumers"].values()):
        lines.append(f"dead letters: {content['dead_letters']}")
    lines += held_in_words(held, content["state"])
    waiting = [
        name
        for name, part in content["consumers"].items()
        if part["waiting"] > sum(each.statements for each in held if each.consumer == name)
    ]
    if waiting:
        names = ", ".join(waiting)
        lines.append(f"statements wait for {names} in {content['state']}; the next run or `edx2lrs deliver` sends them")
    return "\n".join(lines)


def _unknown_in_words(records: Mapping[str, Any]) -> list[str]:
    names = Counter(records["unknown_names"])
    rest = names.pop(OTHER, 0)
    shown = names.most_common(_NAMES_IN_A_SUMMARY)
    rest += names.total() - sum(number for _, number in shown)
    words = [f"{name} {number:,}" for name, number in shown] + ([f"other names {rest:,}"] if rest else [])
    return [f"  unknown events: {', '.join(words)}"] if words else []


def _left_out_in_words(left_out: Mapping[str, int]) -> list[str]:
    """Values that statements cannot have: the most frequent places."""
    most = sorted(left_out.items(), key=lambda item: -item[1])[:_MOST_PLACES]
    more = [f"{counted(len(left_out) - len(most), 'other place')}"] if len(left_out) > len(most) else []
    return ["  left out: " + ", ".join([f"{place} {number:,}" for place, number in most] + more)] if most else []


def all_runs(whole: Mapping[str, Any], state: str) -> Iterator[str]:
    """The sums of all runs of a state directory, one line for the records and one for each consumer."""
    records = whole["records"]
    yield f"all runs of {state}: {counted(records['read'], 'record')} read = {_parts_in_words(records, counters.RECORDS)}"
    for name, part in whole["consumers"].items():
        yield f"  {name}: {counted(part['statements'], 'statement')} = {_parts_in_words(part, counters.STATEMENTS)}"


def held_in_words(held: Sequence[HeldStatements], state: str) -> list[str]:
    """What is held, why, and what can be done, a line for each; ``state`` is the state directory."""
    lines = []
    for name, number, changed in held:
        statements = counted(number, "statement")
        drop = f"`edx2lrs waiting drop {shlex.quote(state)} --consumer {name}"
        if changed is None:
            hand_over = f"`edx2lrs waiting hand-over {shlex.quote(state)} --consumer {name} --to NAME --config FILE`"
            lines.append(
                f"{statements} for {name} cannot be sent: the configuration does not have this consumer. {hand_over} gives them to"
                f" another consumer, {drop}` drops them"
            )
            continue
        send = "" if PROTOCOL in changed else "--send-held sends them all the same, "
        lines.append(
            f"{statements} for {name} held: other options decided when they were made (changed since: {', '.join(changed)})."
            f" {send}{drop} --held` drops them"
        )
    return lines


def _consumer_lines(name: str, part: Mapping[str, Any], would_go_to: str | None) -> list[str]:
    """``would_go_to``: the address of the consumer in a dry run; "" where the configuration does not have the consumer."""
    made = counted(part["statements"], "statement")
    if part["taken_over"]:
        made += f" + {part['taken_over']:,} taken over"
    seconds, filtered = part["request_seconds"], part["filtered"]
    sent = (
        f"  {counted(part['requests'], 'request')}, {part['retries']:,} of them repeated; half within {seconds['p50'] * 1000:.0f} ms,"
        f" 99 % within {seconds['p99'] * 1000:.0f} ms"
    )
    if would_go_to is not None:
        waiting = counted(part["waiting"], "statement")
        sent = f"  {waiting} would be sent to {would_go_to}" if would_go_to else f"  {waiting} would go on waiting: no such consumer"
    return [
        "",
        f"{name}: {part['matched']:,} matched = {_parts_in_words(part, counters.CONSUMER_RECORDS)}",
        *([f"  filtered: {', '.join(f'{reason} {number:,}' for reason, number in filtered.items())}"] if filtered else []),
        *_by_cause_in_words(part, counters.CONSUMER_RECORDS, " records"),
        f"  {made} = {_parts_in_words(part, counters.STATEMENTS)}",
        *_by_cause_in_words(part, counters.STATEMENTS, " statements"),
        *_left_out_in_words(part["left_out"]),
        sent,
    ]


def _dead(part: Mapping[str, Any], *sums: Sum) -> int:
    return sum(number(part, row) for of in sums for row in of.parts if row.key in counters.DEAD)


def _dead_of(part: Mapping[str, Any]) -> int:
    return _dead(part, counters.CONSUMER_RECORDS, counters.STATEMENTS)


def dead_letters(sums: Mapping[str, Any]) -> int:
    """How many dead letters were made, by the sums of a report, or of all runs."""
    return _dead(sums["records"], counters.RECORDS) + sum(map(_dead_of, sums["consumers"].values()))


class Shortcomings(NamedTuple):
    """Statements wait; a consumer got nothing but dead letters; there is any dead letter; no record was an event; a file was refused,
    or a part of it; values were left out of statements."""

    waiting: bool
    nothing_but_dead: bool
    any_dead: bool
    nothing_usable: bool
    refused_files: bool
    left_out: bool


def shortcomings(content: Mapping[str, Any]) -> Shortcomings:
    """What a run did not deliver."""
    parts = content["consumers"].values()
    nothing_but_dead = any(
        _dead_of(part) and not any(number(part, row) for row in counters.STATEMENTS.parts if row.key not in counters.DEAD)
        for part in parts
    )
    any_dead = bool(_dead(content["records"], counters.RECORDS)) or any(_dead_of(part) for part in parts)
    refused = not FILE_CAUSES.isdisjoint(content["records"]["dead"])
    waiting = any(part["waiting"] for part in parts)
    left_out = any(part["left_out"] for part in parts)
    return Shortcomings(waiting, nothing_but_dead, any_dead, bool(nothing_usable(content)), refused, left_out)


def nothing_usable(content: Mapping[str, Any]) -> str:
    """What is said when every record that was read is a dead letter; else nothing."""
    records = content["records"]
    refused = records["read"] and not records["matched"] and records["read"] == _dead(records, counters.RECORDS)
    return f"none of {counted(records['read'], 'record')} is a tracking event that can be used" if refused else ""
