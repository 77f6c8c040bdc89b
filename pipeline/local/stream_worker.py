"""What a worker of a stream does: gathers messages, runs them as waves through the graph, and settles them at their source."""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from threading import Event
from typing import NamedTuple

from edx2lrs.io.back_off import back_off
from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.opening import open_source, unit_of
from edx2lrs.io.sources.source import Attended, Measured, Message, Resumable, ResumePoint, Source, SourceError, Troubled
from edx2lrs.io.state.errors import StateError, StateGone
from edx2lrs.io.state.messages import MessageKey, SeenMessage, StreamPart
from edx2lrs.io.state.state import State
from edx2lrs.io.state.waves import KeptWave
from edx2lrs.pipeline.compiled_config import JobSpec, current_config
from edx2lrs.pipeline.local.wave import MessageWave
from edx2lrs.pipeline.local.wave_halving import given_up, next_attempt
from edx2lrs.pipeline.local.wave_runner import WaveRunner
from edx2lrs.pipeline.local.worker_messages import KeptSomething, SourceStanding, SourceTrouble, WorkerPlan
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure

WAVE_RECORDS = 5_000
_IDLE = 1.0  # seconds of one wait for a source
_LOOK_AGAIN = 0.2  # seconds between looks at an outbox that is full
_SHORTEST, _LONGEST = 0.1, 5.0  # seconds in which a wave fills
_FIRST_WAVE_PAUSE, _LONGEST_WAVE_PAUSE = 0.5, 30.0
_SETTLED = 15.0  # seconds without an error after which a source counts as readable, even if no message comes
_AT_ONCE = 0.005
_TELL_EVERY = 5.0  # seconds
_NEW = 60.0  # seconds in which an unreadable source means a wrong address, and not an error that passes
_LOG = logging.getLogger("edx2lrs.stream")


class Gathered(NamedTuple):
    """Messages to be kept before ``cursor`` may be committed. ``since``: when the first message came (wall time)."""

    messages: list[Message]
    failures: list[Failure]
    cursor: object
    since: float


class Trial(NamedTuple):
    """Messages of one wave. ``give_up``: a process died too often with the one message. ``again``: a process died with them."""

    messages: Mapping[MessageKey, Message]
    give_up: bool = False
    again: bool = False


class StreamWorker:
    """Reads a stream and keeps the results until it is stopped. After an error of the source or of the state directory, it waits,
    opens the source again, and gets the messages that were not settled."""

    def __init__(self, plan: WorkerPlan, url: SourceUrl, state: State, parent: Connection, stopping: Event) -> None:
        self._plan = plan
        self._url = url
        self._state = state
        self._parent = parent
        self._stopping = stopping
        spec = JobSpec(plan.config_path)
        self._current = current_config(spec)
        self._take_over(self._current.config)
        self._waves = WaveRunner(spec, plan.beam_arguments, parent.send)
        self._name = f"edx2lrs-{state.identity[:8]}-{plan.name}"
        self._position: str | None = None
        self._failures = 0  # in a row, of the source or the state directory
        self._trouble = ""
        self._begun = time.monotonic()
        self._came: float | None = None  # when the last message came
        self._tell_at = self._begun + _TELL_EVERY
        self._looked = time.monotonic()  # at the source, the last time

    def work(self) -> None:
        """Raises ``SourceError`` when the source cannot be read at all, and ``StateGone``."""
        while not self._stopping.is_set():
            try:
                self._read()
            except SourceError as error:
                if error.fatal and self._came is None and time.monotonic() - self._begun < _NEW:
                    raise
                self._wait_out(str(error))
            except StateGone:
                raise
            except StateError as error:
                self._wait_out(f"{self._url.name}: {error}")
            except Exception as error:  # its text may hold data of a record
                self._wait_out(f"{self._url.name}: unexpected {type(error).__name__} in a wave")

    def _read(self) -> None:
        self._position = self._state.messages.position(self._url.name)
        with contextlib.closing(open_source(self._url, self._name, self._position)) as source:
            opened = time.monotonic()
            if self._position is None and isinstance(source, Resumable):
                self._begin_at(source.resume_point())
            while not self._stopping.is_set():
                newer = self._current.renew()
                if newer is not None:
                    self._take_over(newer)
                if not self._state.outbox.has_room(self._consumers, self._plan.outbox_bound):
                    self._stopping.wait(_LOOK_AGAIN)
                    self._tell_standing(source)
                    if isinstance(source, Attended):
                        source.attend()
                    continue
                gathered = self._gather(source)
                if gathered is not None:
                    self._came = time.monotonic()
                    self._keep(gathered)
                    source.commit(gathered.cursor)
                self._tell_standing(source)
                trouble = source.trouble() if gathered is None and isinstance(source, Troubled) else ""
                if trouble:
                    self._tell_trouble(trouble)
                elif gathered is not None or time.monotonic() - opened > _SETTLED:
                    self._mark_read()

    def _begin_at(self, position: ResumePoint) -> None:
        """Notes the position at which the source begins. If the worker is killed before anything is kept, the next worker begins at
        the same position, whatever happens to the source in between."""
        self._state.keep_wave(KeptWave(StreamPart(self._url.name, [], 0.0, None, str(position)), [], [], {}))
        self._position = str(position)

    def _take_over(self, config: Config) -> None:
        self._consumers = [consumer.name for consumer in config.consumers]
        self._state.ledger.add_consumers(self._consumers)
        shortest = min(consumer.batch.interval for consumer in config.consumers)
        self._seconds = min(max(shortest / 2, _SHORTEST), _LONGEST)

    def _gather(self, source: Source) -> Gathered | None:
        """Messages until a wave is full or its time is over. None: no message came."""
        asked = time.monotonic()
        first = source.poll(WAVE_RECORDS, _IDLE)
        came = time.monotonic()
        since = self._looked if came - asked < _AT_ONCE else came  # what was there at once came while the wave before ran
        self._looked = came
        if not first.messages and not first.failures:
            return None
        end = time.monotonic() + self._seconds
        messages, failures, cursor = list(first.messages), list(first.failures), first.cursor
        size = sum(len(message.body) for message in messages)
        while len(messages) < WAVE_RECORDS and size < self._plan.wave_bytes:
            over = self._stopping.wait(max(0.0, end - time.monotonic()))
            more = source.poll(WAVE_RECORDS - len(messages), 0.0)
            messages += more.messages
            failures += more.failures
            size += sum(len(message.body) for message in more.messages)
            cursor = more.cursor
            self._looked = time.monotonic()
            if over or (time.monotonic() >= end and not more.messages):
                break
        return Gathered(messages, failures, cursor, time.time() - (time.monotonic() - since))

    def _keep(self, gathered: Gathered) -> None:
        """Keeps all new messages of ``gathered`` in one wave, or in several waves if processes have died at some of the messages."""
        came = {MessageKey(message.id): message for message in reversed(gathered.messages)}
        failed = {MessageKey(failure.position, failed=True): failure for failure in gathered.failures}
        seen = self._state.messages.seen(self._url.name, [*came, *failed])
        kept = {key for key, message in seen.items() if message.kept}
        messages = {key: message for key, message in reversed(came.items()) if key not in kept}
        failures = {key: failure for key, failure in failed.items() if key not in kept}
        again = len(gathered.messages) + len(gathered.failures) - len(messages) - len(failures)
        if again:
            self._state.ledger.add({Counted("", "redelivered"): again})
        position = str(gathered.cursor) if isinstance(gathered.cursor, ResumePoint) else None
        trials = list(_trials(messages, seen)) or [Trial({})] * bool(failures or position)
        for number, trial in enumerate(trials, 1):
            reached = position if number == len(trials) else self._position
            self._try(trial, failures if number == 1 else {}, gathered.since, reached)
        self._parent.send(KeptSomething())

    def _try(self, trial: Trial, failures: Mapping[MessageKey, Failure], since: float, position: str | None) -> None:
        keys = [*trial.messages, *failures]
        part = StreamPart(self._url.name, keys, since, self._position, position)
        wave = MessageWave(part, list(trial.messages.values()), list(failures.values()))
        self._state.messages.begin(part.source, keys)
        try:
            self._state.keep_wave(given_up(wave) if trial.give_up else self._waves.run(wave, trial.again))
        except Exception:
            with contextlib.suppress(StateError):
                self._state.messages.forget(part.source, keys)
            raise
        self._position = position

    def _wait_out(self, message: str) -> None:
        self._failures += 1
        pause = back_off(self._failures, _FIRST_WAVE_PAUSE, _LONGEST_WAVE_PAUSE)
        if message != self._trouble or pause == _LONGEST_WAVE_PAUSE:
            _LOG.warning("%s; trying again, in %.1f s at first", message, pause)
        self._parent_hears(message)
        self._stopping.wait(pause)

    def _tell_trouble(self, message: str) -> None:
        if not self._trouble:
            _LOG.warning("%s", message)
        self._parent_hears(message)

    def _parent_hears(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._parent.send(SourceTrouble(self._plan.name, trouble))
        self._trouble = trouble

    def _tell_standing(self, source: Source) -> None:
        """Tells the parent now and then how the source stands."""
        now = time.monotonic()
        if now >= self._tell_at:
            self._tell_at = now + _TELL_EVERY
            behind = source.behind() if isinstance(source, Measured) else None
            quiet = now - (self._begun if self._came is None else self._came)
            self._parent.send(SourceStanding(self._plan.name, self._url.name, unit_of(self._url), now, quiet, behind))

    def _mark_read(self) -> None:
        self._failures = 0
        if self._trouble:
            self._parent_hears("")
            _LOG.info("%s: is read again", self._url.name)


def _trials(messages: Mapping[MessageKey, Message], seen: Mapping[MessageKey, SeenMessage]) -> Iterator[Trial]:
    """One wave of all messages but those at which a process may have died: these come in waves of half the size of that time's."""
    fresh = {key: message for key, message in messages.items() if key not in seen}
    if fresh:
        yield Trial(fresh)
    suspects = sorted((key for key in messages if key in seen), key=lambda key: seen[key][1:])
    for (_, attempts, limit), group in itertools.groupby(suspects, key=seen.__getitem__):
        attempt = next_attempt(attempts, limit)
        waiting = list(group)
        for at in range(0, len(waiting), attempt.records or 1):
            yield Trial({key: messages[key] for key in waiting[at : at + (attempt.records or 1)]}, attempt.give_up, True)
