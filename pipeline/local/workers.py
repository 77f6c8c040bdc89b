"""The worker processes, as their parent sees them: started, watched, started again when one dies, and ended."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import NamedTuple

from edx2lrs.pipeline.local import worker_process
from edx2lrs.pipeline.local.worker_messages import (
    FAULT,
    STOP,
    KeptSomething,
    SourceStanding,
    SourceTrouble,
    UnreadableFile,
    WorkerFailed,
    WorkerPlan,
)

_LOG = logging.getLogger("edx2lrs.workers")


class _Running(NamedTuple):
    """One worker process and the parent's end of its pipe."""

    plan: WorkerPlan
    process: SpawnProcess
    pipe: Connection


class Workers:
    """The workers of one run."""

    def __init__(self, plans: Sequence[WorkerPlan]) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._stopping = False
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
        for running in list(self._running):
            exit_code = running.process.exitcode
            self._listen(running)
            if exit_code is None:
                continue
            self._running.remove(running)
            running.pipe.close()
            if exit_code == FAULT:
                self.stop()
            elif exit_code != 0 and not self._stopping:
                _LOG.warning("%s died (exit code %s); what was in its wave is read again", running.plan.name, exit_code)
                died.append(running.plan)
        return died

    def take_kept(self) -> bool:
        """Whether a worker of a stream has kept something since the last call."""
        kept, self._kept = self._kept, False
        return kept

    def start_again(self, plan: WorkerPlan) -> None:
        self._running.append(self._start(plan))

    def wait(self, seconds: float) -> None:
        """Waits until a worker ends or sends a message, but no longer than ``seconds``."""
        wait([each for running in self._running for each in (running.process.sentinel, running.pipe)], seconds)

    def stop(self) -> None:
        """Lets each worker finish its wave; ``alive`` says when the last worker has ended."""
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
        except (EOFError, OSError):
            return
