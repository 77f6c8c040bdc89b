"""The ledger: what happened, counted per run and over all of them, so that every record and statement is accounted for. What is
counted, and the sums that hold: ``transforms.counters``."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edx2lrs.io.state.database import Database
from edx2lrs.io.state.terms import Followed, follow
from edx2lrs.transforms.counters import Counted, Tally, counted
from edx2lrs.transforms.matching.filter import OTHER

_NAMES_KEPT = 500  # of unknown events, of a run
_OTHERS = Counted("", "unknown_names", OTHER)


class RunRecord(NamedTuple):
    """A run of the job. ``new_consumers`` came to a state in which files were read without them. ``redirected``: how many statements
    of which consumers go to a new address, since the old one never took any."""

    number: int
    new_consumers: list[str]
    redirected: Mapping[str, int] = {}


_OF_ALL_RUNS = "SELECT consumer, key, sum(count) FROM ledger WHERE key <> 'taken_over' GROUP BY consumer, key"


class Ledger:
    """The table of counts. Raises ``StateFault``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin_run(
        self, runner: str, consumers: Sequence[str], job_name: str, terms: Mapping[str, str] = {}, send_held: bool = False
    ) -> RunRecord:
        """Start a run, to which everything is counted from now on; ``job_name`` goes into dead letters. All circuits are closed.
        ``terms`` of all consumers, and ``send_held``: as ``io.state.terms`` says."""
        new = self.new_consumers(consumers)
        with self._database.transaction("FULL") as transaction:
            cursor = transaction.execute("INSERT INTO runs (runner, started) VALUES (?, ?)", (runner, time.time()))
            run = int(cursor.lastrowid or 0)
            _add_consumers(transaction, consumers)
            transaction.execute("UPDATE consumers SET circuit_open = 0")
            redirected = follow(transaction, terms, send_held).redirected if terms else {}
            waiting = transaction.execute("SELECT name, waiting FROM consumers WHERE waiting > 0").fetchall()
            transaction.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [("run", run), ("job_name", job_name)])
            count(transaction, {Counted(name, "taken_over"): number for name, number in waiting})
        return RunRecord(run, new, redirected)

    def runs(self) -> tuple[int, float | None]:
        """How many runs there were, and when the last one began (wall time)."""
        [(number, started)] = self._database.rows("SELECT count(*), max(started) FROM runs")
        return number, started

    def new_consumers(self, names: Sequence[str]) -> list[str]:
        """Those of ``names`` that this state has never seen, though something was read into it."""
        something_read = "SELECT 1 FROM pieces WHERE offset > start OR done UNION ALL SELECT 1 FROM messages WHERE kept LIMIT 1"
        if not self._database.rows(something_read):
            return []
        known = {name for (name,) in self._database.rows("SELECT name FROM consumers")}
        return [name for name in names if name not in known]

    def add_consumers(self, names: Sequence[str], terms: Mapping[str, str] = {}) -> Followed:
        """Let these have statements too, from now on, in the run under way; ``terms``, if given, are those of all consumers."""
        with self._database.transaction("FULL") as transaction:
            _add_consumers(transaction, names)
            return follow(transaction, terms) if terms else Followed((), {})

    def add(self, tally: Tally) -> None:
        """Count what happened outside of waves and deliveries."""
        with self._database.transaction("NORMAL") as transaction:
            count(transaction, tally)

    def totals(self, run: int | None = None) -> dict[Counted, int]:
        """The counts of ``run``; without one, of all runs together, where nothing is taken over."""
        if run is not None:
            rows = self._database.rows("SELECT consumer, key, count FROM ledger WHERE run = ?", (run,))
        else:
            rows = self._database.rows(_OF_ALL_RUNS)
        return {counted(consumer, key): total for consumer, key, total in rows}


def _add_consumers(transaction: sqlite3.Connection, names: Sequence[str]) -> None:
    transaction.executemany(
        "INSERT OR IGNORE INTO consumers (name, waiting, circuit_open) VALUES (?, 0, 0)", [(name,) for name in names]
    )


def counts_of_all_runs(transaction: sqlite3.Connection) -> dict[Counted, int]:
    """``Ledger.totals`` inside ``transaction``."""
    return {counted(consumer, key): total for consumer, key, total in transaction.execute(_OF_ALL_RUNS)}


def count(transaction: sqlite3.Connection, tally: Tally) -> None:
    """Add ``tally`` to the current run, inside ``transaction``."""
    row = transaction.execute("SELECT value FROM meta WHERE name = 'run'").fetchone()
    run = int(row[0]) if row else 0  # before the first run
    transaction.executemany(
        "INSERT INTO ledger VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(run, each.consumer, each.text, number) for each, number in tally.items() if number],
    )
    if any(each.key == "unknown_names" and each != _OTHERS for each in tally):
        _bound_names(transaction, run)


def _bound_names(transaction: sqlite3.Connection, run: int) -> None:
    """Counts the rarest names of unknown events as others: names may be learners' own texts, of which there is no end."""
    rows = transaction.execute(
        "SELECT key, count FROM ledger WHERE run = ? AND consumer = '' AND key LIKE 'unknown_names/%' AND key <> ? "
        "ORDER BY count DESC, key LIMIT -1 OFFSET ?",
        (run, _OTHERS.text, _NAMES_KEPT),
    ).fetchall()
    if rows:
        transaction.executemany("DELETE FROM ledger WHERE run = ? AND consumer = '' AND key = ?", [(run, key) for key, _ in rows])
        count(transaction, {_OTHERS: sum(number for _, number in rows)})
