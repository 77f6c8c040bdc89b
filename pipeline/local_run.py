"""A run on this machine: workers read, translate and keep; senders deliver; this process watches, reports and ends it.

It ends when everything is read and settled, or when only consumers whose circuit is open have something left.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from edx2lrs.io.files import HEAD, FoundFile, Unreadable, fingerprint
from edx2lrs.io.senders import Senders
from edx2lrs.io.state.ledger import Run
from edx2lrs.io.state.pieces import Pieces, SeenPiece
from edx2lrs.io.state.state import State
from edx2lrs.pipeline import report
from edx2lrs.pipeline.progress import Progress
from edx2lrs.pipeline.workers import Workers

_LOOK = 0.1  # seconds between looks at workers and senders
_REPORT_EVERY = 10.0
_LETTERS_IN_THE_STATE = 10_000
_DEATHS_WITHOUT_PROGRESS = 40  # halving ends long before


class Fault(Exception):
    """Why the job cannot go on (exit code 3)."""


class Place(NamedTuple):
    """Where a run writes: the report (None: nowhere), the dead letters' folder, the state directory's name."""

    report: str | None
    dead_letters: str
    state: str


class LocalRun:
    """One run over an open state directory. ``run`` is the number that the ledger gave it."""

    def __init__(self, state: State, senders: Senders, run: Run, consumers: Sequence[str], place: Place) -> None:
        self._state = state
        self._senders = senders
        self._run = run
        self._consumers = tuple(consumers)
        self._place = place
        self._started = time.monotonic()
        self._reported = self._started
        self._progress = Progress()
        self._stop = threading.Event()
        self._sending = False

    def stop(self) -> None:
        """Ends the run soon: waves under way are finished, requests under way are waited for."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before its end."""
        return self._stop.is_set()

    def read_and_deliver(self, workers: Workers) -> None:
        """Runs the workers to their end, and the senders beside them. Raises ``Fault`` and ``StateError``."""
        self._start_senders()
        deaths, read = 0, -1
        while workers.alive:
            workers.wait(_LOOK)
            if self._stop.is_set():
                workers.stop()
            died = workers.watch()
            if died:
                kept = self._totals().get(("", "bytes"), 0)
                deaths, read = (deaths + len(died), read) if kept == read else (len(died), kept)
                if deaths > _DEATHS_WITHOUT_PROGRESS:
                    workers.kill()
                    raise Fault("the workers die again and again without keeping anything; look at the machine's memory")
            for plan in died:
                self._state.pieces.release(plan.name)
                workers.start_again(plan)
            self._senders.raise_failure()
            self._while_running()
        if workers.faults:
            raise Fault(workers.faults[0])

    def deliver(self) -> None:
        """Sends what waits until all is settled, or only open circuits have something left. Raises ``Fault``, ``StateError``."""
        self._start_senders()
        self._senders.drain(go_on=self._go_on)

    def finish(self) -> dict[str, Any]:
        """Ends the senders, puts the dead letters in files, writes the last report and gives it. Raises ``StateError``."""
        self._senders.stop(timeout=30)
        self._progress.end()
        self._state.dead_letters.export(self._place.dead_letters)
        content = self.report()
        self._write(content)
        return content

    def abandon(self) -> None:
        """Ends the senders after a fault; what is under way is waited for shortly. Does nothing after ``finish``."""
        self._senders.stop(timeout=5)

    def report(self) -> dict[str, Any]:
        """The report as of now."""
        waiting = self._state.outbox.waiting_counts()
        status = self._senders.status()
        return report.report(
            self._totals(),
            self._state.ledger.totals(),
            {name: waiting.get(name, 0) for name in {**dict.fromkeys(self._consumers), **waiting}},
            {name: {"p50": round(s.seconds_p50, 4), "p99": round(s.seconds_p99, 4)} for name, s in status.items()},
            runner="DirectRunner",
            seconds=time.monotonic() - self._started,
            dead_letters=self._place.dead_letters,
            state=self._place.state,
        )

    def _start_senders(self) -> None:
        if not self._sending:
            self._senders.start()
            self._sending = True

    def _go_on(self) -> bool:
        self._while_running()
        return not self._stop.is_set()

    def _totals(self) -> Mapping[tuple[str, str], int]:
        return self._state.ledger.totals(self._run.number)

    def _while_running(self) -> None:
        now = time.monotonic()
        if self._progress.is_due(now):
            self._progress.show(now, now - self._started, self._totals(), self._state)
        if now - self._reported >= _REPORT_EVERY:
            self._reported = now
            self._write(self.report())
            if self._state.dead_letters.count() >= _LETTERS_IN_THE_STATE:
                self._state.dead_letters.export(self._place.dead_letters)

    def _write(self, content: Mapping[str, Any]) -> None:
        if self._place.report:
            report.write(self._place.report, content)


def register(files: Sequence[FoundFile], pieces: Pieces) -> None:
    """Makes ``files`` the input of this run, each to be read from where the state has kept it. Raises ``StateError``."""
    lengths = pieces.head_lengths()
    pieces.register([_seen(file, lengths.get(file.path, HEAD), pieces) for file in files])


def _seen(file: FoundFile, head_length: int, pieces: Pieces) -> SeenPiece:
    """A file that cannot be read is listed as the state knows it: the worker that opens it says what is wrong."""
    try:
        length, digest = fingerprint(file.path, head_length)
    except Unreadable:
        known = pieces.get(file.path)
        if known is not None:
            return SeenPiece(known.key, known.head_length, known.head_sha256, known.size)
        length, digest = 0, sha256().hexdigest()
    return SeenPiece(file.path, length, digest, file.size)
