"""A run on this machine: workers read, translate and keep; senders deliver; this process watches, reports and ends the run.

The run ends when everything is read and settled, or when statements wait only for consumers whose circuit is open.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from prometheus_client import Metric

from edx2lrs.io.delivery.consumer_sender import Client, SenderStatus
from edx2lrs.io.delivery.senders import Senders
from edx2lrs.io.state.state import State
from edx2lrs.io.state.terms import HeldStatements
from edx2lrs.pipeline import report
from edx2lrs.pipeline.alerts import Alerts
from edx2lrs.pipeline.job import Control, JobFailed
from edx2lrs.pipeline.local.progress import Progress
from edx2lrs.pipeline.local.workers import Workers
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.counters import DEAD, Counted, Tally

_LOG = logging.getLogger("edx2lrs")
_LOOK = 0.1  # seconds between looks at workers and senders
_WAVE_SECONDS = 12.0  # for waves under way, when the run is stopped
_REPORT_EVERY = 10.0
_LETTERS_IN_THE_STATE = 10_000
_LETTERS_WAIT = 600.0  # seconds after which a smaller number goes into a file too
_DEATHS_WITHOUT_PROGRESS = 40  # halving ends long before


class RunOutputs(NamedTuple):
    """Where a run writes: the report (None: nowhere), the dead letters' folder, the state directory's name. ``dry_run``: the run is
    one, and would send to these addresses, by consumer."""

    report: str | None
    dead_letters: str
    state: str
    dry_run: Mapping[str, str] | None = None


class Observed(NamedTuple):
    """The run's counts, what waits, since when the oldest waits (wall time), the senders, the times of requests."""

    totals: Tally
    waiting: Mapping[str, int]
    oldest: Mapping[str, float]
    senders: Mapping[str, SenderStatus]
    request_seconds: Iterable[Metric] = ()


class LocalRun:
    """One run over an open state directory. ``run`` is the number that the ledger gave it."""

    def __init__(
        self, state: State, senders: Senders, run: int, consumers: Sequence[str], outputs: RunOutputs, alerts: Alerts, control: Control
    ) -> None:
        self._state = state
        self._senders = senders
        self._run = run
        self._consumers = tuple(consumers)
        self._outputs = outputs
        self.alerts = alerts
        self._started = time.monotonic()
        self._reported = self._exported = self._started
        self._progress = Progress(control.on_progress)
        self._stop = control.stop
        self._sending = False
        self._held = state.outbox.held()
        self._in_waves = 0
        self._deaths, self._kept_at_death = 0, -1

    def wait(self, seconds: float) -> None:
        """Waits until the run is stopped, but no longer than ``seconds``."""
        self._stop.wait(seconds)

    @property
    def stopped(self) -> bool:
        """Whether the run is to end soon: waves that have begun are finished, and requests in flight are waited for."""
        return self._stop.is_set()

    def read_and_deliver(self, workers: Workers) -> None:
        """Runs the workers to their end, and the senders beside them. Raises ``JobFailed`` and ``StateError``."""
        self.start_senders()
        while workers.alive:
            self.look(workers)
        if workers.faults:
            raise JobFailed(workers.faults[0])

    def look(self, workers: Workers) -> None:
        """Waits shortly for the workers, starts dead ones again, tells how far the run is. Raises ``JobFailed``, ``StateError``."""
        workers.wait(_LOOK)
        if self._stop.is_set():
            workers.stop(_WAVE_SECONDS)
        died = workers.watch()
        self._in_waves = workers.in_waves
        if died:
            kept = self._totals().get(Counted("", "bytes"), 0)
            self._deaths = self._deaths + len(died) if kept == self._kept_at_death else len(died)
            self._kept_at_death = kept
            if self._deaths > _DEATHS_WITHOUT_PROGRESS:
                workers.kill()
                raise JobFailed("the workers die again and again without keeping anything; look at the machine's memory")
        for plan in died:
            self._state.pieces.release(plan.name)
            workers.start_again(plan)
        if workers.take_kept():
            self._senders.wake()
        self._senders.raise_failure()
        self._while_running()

    def change_consumers(
        self, consumers: Sequence[Consumer], connect: Callable[[Consumer], Client], terms: Mapping[str, str]
    ) -> None:
        """Delivers to ``consumers`` from now on, under ``terms``."""
        names = [consumer.name for consumer in consumers]
        followed = self._state.ledger.add_consumers(names, terms)
        self._tell_held([each._asdict() for each in self._state.outbox.held()])
        self._consumers = tuple(dict.fromkeys([*self._consumers, *names]))
        self._senders.change(consumers, connect, followed.changed)

    def replace_senders(self, senders: Senders) -> None:
        """Goes on with new senders, after an error that ended the old senders."""
        self.abandon()
        self._senders = senders
        self.start_senders()

    def observed(self) -> Observed:
        """The facts of the run at this moment."""
        outbox = self._state.outbox
        senders = self._senders
        return Observed(self._totals(), outbox.waiting_counts(), outbox.oldest(), senders.status(), senders.request_seconds.metrics())

    @property
    def damage(self) -> list[str]:
        """What was found damaged in the state directory, a sentence each."""
        return self._state.outbox.damage

    def deliver(self) -> None:
        """Sends what waits until it waits only for open circuits. Raises ``JobFailed``, ``StateError``."""
        self.start_senders()
        self._senders.drain(go_on=self._go_on)

    def finish(self, patience: float) -> dict[str, Any]:
        """Ends the senders, whose requests get ``patience`` seconds, puts dead letters in files; gives the last report, written.
        Raises ``StateError``."""
        self._senders.stop(timeout=patience)
        self._state.dead_letters.export(self._outputs.dead_letters)
        try:
            self._state.sent_again.write_marks()  # the state directory knows these letters even without marks
        except OSError as error:
            _LOG.warning("dead letters that were sent again cannot be marked: %s; the next run tries it again", error)
        self._look_for_alerts(time.monotonic())
        content = self.report()
        self._write(content)
        return content

    def abandon(self) -> None:
        """Ends the senders after an error, and waits shortly for requests in flight. Does nothing after ``finish``."""
        self._senders.stop(timeout=5)
        self._sending = False

    def report(self) -> dict[str, Any]:
        """The report as of now."""
        waiting = self._state.outbox.waiting_counts()
        seconds = self._senders.request_seconds.quantiles(0.5, 0.99)
        return report.report(
            self._totals(),
            self._state.ledger.totals(),
            {name: waiting.get(name, 0) for name in {**dict.fromkeys(self._consumers), **waiting}},
            {name: max(0.0, time.time() - since) for name, since in self._state.outbox.oldest().items()},
            {name: {"p50": round(p50, 4), "p99": round(p99, 4)} for name, (p50, p99) in seconds.items()},
            runner="DirectRunner",
            seconds=time.monotonic() - self._started,
            dead_letters=self._outputs.dead_letters,
            state=self._outputs.state,
            dry_run=self._outputs.dry_run,
            held=self._state.outbox.held(),
        )

    def start_senders(self) -> None:
        """Sends statements that wait now or later. Does nothing if the senders run already."""
        if not self._sending:
            self._senders.start()
            self._sending = True

    def _go_on(self) -> bool:
        self._while_running()
        return not self._stop.is_set()

    def _totals(self) -> Tally:
        return self._state.ledger.totals(self._run)

    def _while_running(self) -> None:
        now = time.monotonic()
        if self._progress.is_due(now):
            self._progress.tell(now, now - self._started, self._totals(), self._state, self._in_waves)
        if self.alerts.is_due(now):
            self._look_for_alerts(now)
        if now - self._reported >= _REPORT_EVERY:
            self._reported = now
            content = self.report()
            self._write(content)
            self._tell_held(content["held"])
            letters = self._state.dead_letters.count()
            if letters >= _LETTERS_IN_THE_STATE or (letters and now - self._exported >= _LETTERS_WAIT):
                self._state.dead_letters.export(self._outputs.dead_letters)
            if not letters or not self._state.dead_letters.count():
                self._exported = now

    def _tell_held(self, held: Sequence[Mapping[str, Any]]) -> None:
        """Also of what was made in the moments before the workers followed a change of the configuration."""
        told = [HeldStatements(**each) for each in held]
        if told != self._held:
            for text in report.held_in_words(told, self._outputs.state):
                _LOG.warning("%s", text)
        self._held = told

    def _look_for_alerts(self, now: float) -> None:
        dead = _dead_by_consumer(self._totals()) if self.alerts.has_dead_letters else None
        self.alerts.look(now, self._state.outbox.waiting_counts(), self._state.outbox.oldest(), dead)

    def _write(self, content: Mapping[str, Any]) -> None:
        if self._outputs.report:
            report.write(self._outputs.report, content)


def _dead_by_consumer(totals: Tally) -> dict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for each, number in totals.items():
        if each.key in DEAD:
            found[each.consumer] += number
    return found
