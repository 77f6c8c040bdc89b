"""How a state directory stands, whether a job is at work on it or not. The directory is only read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edx2lrs.io.sources.tail import unread_of
from edx2lrs.io.state.database import owner_of
from edx2lrs.io.state.pieces import Progressed
from edx2lrs.io.state.state import State, look_at_state
from edx2lrs.io.state.terms import HeldStatements
from edx2lrs.pipeline import report

MOST_FILES = 20


@dataclass(frozen=True)
class UnreadFile:
    """A file, or a part of one, that is not read to its end: the bytes of text that are kept, and its size as stored."""

    file: str
    offset: int
    size: int


@dataclass(frozen=True)
class StreamStanding:
    """``position``: None where the source itself remembers how far it is read. ``age``: seconds since its last records came.
    ``behind``: the bytes of a growing log that are not read (None: only the source knows)."""

    source: str
    position: str | None
    age: float | None
    behind: int | None


@dataclass(frozen=True)
class WaitingFor:
    """What waits for a consumer, the seconds that the oldest waits, and why. ``cut_off``: its circuit is open."""

    consumer: str
    statements: int
    oldest_age: float
    reason: str
    cut_off: bool


@dataclass(frozen=True)
class Status:
    """``job``: the process that is at work on the directory (None: none is). ``runs`` so far, of which the last one began
    ``last_run_age`` seconds ago. ``files``: the input of the last run over files; ``unread``: the first of them that are not done.
    ``held``: what of ``waiting`` is not sent, and why. ``dead_letters`` of all runs, of which ``unexported`` are in no file yet.
    ``all_runs``: their sums, as in the report."""

    state: str
    job: int | None
    runs: int
    last_run_age: float | None
    files: Progressed
    unread: list[UnreadFile]
    streams: list[StreamStanding]
    waiting: list[WaitingFor]
    held: list[HeldStatements]
    dead_letters: int
    unexported: int
    dead_letters_folder: str
    all_runs: Mapping[str, Any]


def status(folder: str) -> Status:
    """Of the state directory ``folder``. Raises ``StateError``."""
    with look_at_state(Path(folder)) as state:
        now = time.time()
        job = owner_of(Path(folder))
        ages = {name: max(0.0, now - since) for name, since in state.outbox.oldest().items()}
        counts = state.outbox.waiting_counts()
        told = report.report({}, state.ledger.totals(), counts, ages, {}, runner="", seconds=0.0, dead_letters="", state=folder)
        runs, started = state.ledger.runs()
        return Status(
            folder,
            job,
            runs,
            None if started is None else max(0.0, now - started),
            state.pieces.progress(),
            [UnreadFile(*each) for each in state.pieces.unread(MOST_FILES)],
            [_stream(*each, now) for each in state.messages.sources()],
            _waiting(state, counts, ages, job),
            state.outbox.held(),
            report.dead_letters(told["all_runs"]),
            state.dead_letters.count(),
            state.dead_letters_folder,
            told["all_runs"],
        )


def _stream(source: str, position: str | None, begun: float | None, now: float) -> StreamStanding:
    return StreamStanding(source, position, None if begun is None else max(0.0, now - begun), unread_of(source, position))


def _waiting(state: State, counts: Mapping[str, int], ages: Mapping[str, float], job: int | None) -> list[WaitingFor]:
    reasons, sendable = state.outbox.reasons(), state.outbox.sendable_counts()
    usual = "is sent in its turn" if job is not None else "no job is at work: the next run or `edx2lrs deliver` sends them"

    def why(name: str) -> str:
        if name in reasons:
            return f"cut off: {reasons[name] or 'by the last job'}"
        if counts[name] and not sendable[name]:
            return "held: see below"
        return usual if counts[name] else ""

    return [WaitingFor(name, number, round(ages.get(name, 0.0), 1), why(name), name in reasons) for name, number in counts.items()]
