"""The worker processes, as their parent sees them: started, watched, started again when one dies, and ended."""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from edx2lrs.pipeline.local import worker_process
from edx2lrs.pipeline.local.worker_messages import (
    FAULT,
    STOP,
    KeptSomething,
    SourceStanding,
    SourceTrouble,
    UnreadableFile,
    WaveAt,
    WorkerFailed,
    WorkerPlan,
)

_PAUSED = 5.0  # seconds without a look after which this process, or the whole machine, has stood still
_PART_AGAIN = 4  # a part of a wave that did not move on gets a fourth of the time
_LOG = logging.getLogger("edx2lrs.workers")


@dataclass
class _Running:
    """One worker process, the parent's end of its pipe, how many records of its wave it has read, and since when (monotonic clock;
    None: no wave is under way)."""

    plan: WorkerPlan
    process: SpawnProcess
    pipe: Connection
    read: int = 0
    since: float | None = None
    again: bool = False


class Workers:
    """The workers of one run. ``wave_timeout``: seconds after which a wave that does not move on is ended."""

    def __init__(self, plans: Sequence[WorkerPlan], wave_timeout: float) -> None:
        self._wave_timeout = wave_timeout
        self._watched = time.monotonic()
        self._stuck: dict[str, float] = {}  # workers whose wave was ended, and since when it had not moved on
        self._context = multiprocessing.get_context("spawn")
        self._stopping = False
        self._kill_at = math.inf
        self.faults: list[str] = []
        self.unreadable: list[UnreadableFile] = []
        self.troubles: dict[str, str] = {}  # of streams, by worker
        self.standings: dict[str, SourceStanding] = {}  # of streams, by worker
        self._kept = False
        self._running = [self._start(plan) for plan in plans]

    @property
    def alive(self) -> bool:
        return bool(self._running)

    def watch(self) -> list[WorkerPlan]:
        """Takes the messages of the workers; gives the plans of those that died, for ``start_again``. The next worker reads half of
        the dead worker's wave, or each of its pieces alone (``pipeline.local.wave_halving``)."""
        died: list[WorkerPlan] = []
        now = time.monotonic()
        paused, self._watched = now - self._watched > _PAUSED, now
        for running in list(self._running):
            exit_code = running.process.exitcode
            self._listen(running)
            if exit_code is None:
                if paused and running.since is not None:  # the machine, and not the wave: nobody could tell how far it was
                    running.since = now
                self._end_if_stuck(running, now)
                continue
            self._running.remove(running)
            running.pipe.close()
            if exit_code == FAULT:
                self.stop()
            elif exit_code != 0 and not self._stopping:
                _LOG.warning("%s died (exit code %s); what was in its wave is read again", running.plan.name, exit_code)
                died.append(running.plan)
        return died

    def _end_if_stuck(self, running: _Running, now: float) -> None:
        """Ends the process whose wave does not move on: what is in the wave is halved, as after any death of a process."""
        longest = max(self._wave_timeout / _PART_AGAIN, 1.0) if running.again else self._wave_timeout
        if running.since is None or now - running.since < longest:
            return
        _LOG.warning("%s: its wave has not moved on for %.0f s (waves.timeout) and is ended", running.plan.name, now - running.since)
        self._stuck.setdefault(running.plan.name, running.since)
        running.since = None
        running.process.kill()

    @property
    def in_waves(self) -> int:
        """How many records of waves that are under way have been read."""
        return sum(running.read for running in self._running)

    def stuck_for(self) -> float:
        """For how many seconds a wave has not moved on that was ended for this and is not kept yet; 0: there is none."""
        return max((time.monotonic() - since for since in self._stuck.values()), default=0.0)

    def take_kept(self) -> bool:
        """Whether a worker of a stream has kept something since the last call."""
        kept, self._kept = self._kept, False
        return kept

    def start_again(self, plan: WorkerPlan) -> None:
        self._running.append(self._start(plan))

    def wait(self, seconds: float) -> None:
        """Waits until a worker ends or sends a message, but no longer than ``seconds``."""
        wait([each for running in self._running for each in (running.process.sentinel, running.pipe)], seconds)

    def stop(self, patience: float = math.inf) -> None:
        """Lets each worker finish its wave; ``alive`` says when the last worker has ended. A wave that takes longer than ``patience``
        seconds from the first call on is broken off."""
        if time.monotonic() > self._kill_at:
            _LOG.warning("a wave did not end in time; what it holds comes again at the next start")
            self.kill()
        self._kill_at = min(self._kill_at, time.monotonic() + patience)
        if not self._stopping:
            self._stopping = True
            for running in self._running:
                with contextlib.suppress(OSError):  # it has ended
                    running.pipe.send(STOP)

    def kill(self) -> None:
        """Ends the workers at once; waves that have begun are not kept."""
        for running in self._running:
            running.process.kill()
            running.process.join()
        self._running = []

    def _start(self, plan: WorkerPlan) -> _Running:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=worker_process.main, args=(plan, theirs), name=plan.name, daemon=True)
        process.start()
        theirs.close()
        return _Running(plan, process, ours)

    def _follow(self, running: _Running, wave: WaveAt) -> None:
        running.read, running.again = wave.records or 0, wave.again
        running.since = None if wave.records is None else time.monotonic()

    def _listen(self, running: _Running) -> None:
        try:
            while running.pipe.poll():
                message = running.pipe.recv()
                if isinstance(message, WorkerFailed):
                    self.faults.append(message.message)
                elif isinstance(message, UnreadableFile):
                    self.unreadable.append(message)
                elif isinstance(message, SourceTrouble):
                    self.troubles[message.worker] = message.message
                elif isinstance(message, SourceStanding):
                    self.standings[message.worker] = message
                elif isinstance(message, KeptSomething):
                    self._kept = True
                    self._stuck.pop(running.plan.name, None)
                elif isinstance(message, WaveAt):
                    self._follow(running, message)
        except (EOFError, OSError):
            return
