"""Our own sources (``io.sources.source``) on Flink: one splittable DoFn, which polls and, when what was polled is durable, commits.

A restriction is the mark of the last poll. A reader goes on with its open source only if the mark is its own: after a fault the
engine comes back with an older one, and what was polled since then has to come again, so that the source is opened anew.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import StrUtf8Coder
from apache_beam.io.iobase import RestrictionProgress, RestrictionTracker
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.utils.timestamp import Duration

from edx2lrs.io.sources.opening import open_source, parse
from edx2lrs.io.sources.source import Message, Source, SourceError
from edx2lrs.pipeline.steps import Chunk
from edx2lrs.transforms.failure import Failure

_MESSAGES = 1_000  # polled at a time
_WAIT = 0.2  # seconds that a poll waits, and holds its slot
_AFTER_A_FAULT = 5.0
_IDLE = 120.0  # seconds after which a source that nobody polls is closed: its reader is elsewhere
_LOG = logging.getLogger("edx2lrs.source")


StreamReader = tuple[str, str]
"""One of several readers of a stream: its address, and the name that its group knows it by. No other reader has that, of this job or
another; this one keeps it when it is restarted, from a checkpoint or a savepoint, and so goes on with what was its own."""


class Poll(NamedTuple):
    """The number of a poll, and what was known before it: the highest number of a bundle that was finalized (``finalized``), and
    the highest that had been finalized before such a one was polled (``confirmed``)."""

    number: int
    finalized: int
    confirmed: int


class Settling:
    """Which polls are durable, by what finalizers tell, from any thread.

    Flink calls a bundle's finalizer when a checkpoint completes, also if the bundle came after that checkpoint's barrier: what is
    finalized then is sure to be in the next checkpoint only. A poll that began after a bundle was finalized, and is finalized
    itself, proves that a later checkpoint has completed. Two such proofs are asked for, since barriers of the next checkpoint may
    overtake the news of the last one on their way to another machine.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._polls = self._finalized = self._confirmed = self._durable = 0
        self._cursors: deque[tuple[int, Any]] = deque()

    def begin(self) -> Poll:
        """A poll begins."""
        with self._lock:
            self._polls += 1
            return Poll(self._polls, self._finalized, self._confirmed)

    def polled(self, poll: Poll, cursor: Any) -> None:
        """The poll has brought messages, up to ``cursor``."""
        self._cursors.append((poll.number, cursor))

    def finalized(self, poll: Poll) -> None:
        """The bundle of ``poll`` was finalized; in any order, and not every one."""
        with self._lock:
            self._finalized = max(self._finalized, poll.number)
            self._confirmed = max(self._confirmed, poll.finalized)
            self._durable = max(self._durable, poll.confirmed)

    @property
    def waits(self) -> bool:
        """Whether something is not committed yet, so that polls without messages are to be finalized too."""
        return bool(self._cursors)

    def to_commit(self) -> Any:
        """The newest cursor that is durable, once; else None."""
        with self._lock:
            durable = self._durable
        found = None
        while self._cursors and self._cursors[0][0] <= durable:
            found = self._cursors.popleft()[1]
        return found


class _Open:
    """An open source with the mark of its last poll. One thread polls it at a time, and commits before that."""

    def __init__(self, reader: StreamReader) -> None:
        self._source: Source = open_source(parse(reader[0]), reader[1])
        self.settling = Settling()
        self.mark = ""
        self.polled_at = time.monotonic()

    def poll(self, mark: str) -> tuple[list[Message | Failure], Poll]:
        self.polled_at = time.monotonic()
        cursor = self.settling.to_commit()
        if cursor is not None:
            self._source.commit(cursor)
        poll = self.settling.begin()
        polled = self._source.poll(_MESSAGES, _WAIT)
        self.mark = mark
        came: list[Message | Failure] = [*polled.failures, *polled.messages]
        if came:
            self.settling.polled(poll, polled.cursor)
        return came, poll

    def close(self) -> None:
        self._source.close()


class _OpenSources:
    """The sources that this process has open. A reader is run by one thread at a time."""

    def __init__(self) -> None:
        self._open: dict[StreamReader, _Open] = {}
        self._lock = threading.Lock()

    def at(self, reader: StreamReader, mark: str) -> _Open:
        """The source of ``reader``, as its last poll with ``mark`` left it, else opened anew. Raises ``SourceError``."""
        self._close_idle()
        with self._lock:
            found = self._open.get(reader)
        if found is not None and found.mark == mark:
            return found
        self.close(reader)
        opened = _Open(reader)
        with self._lock:
            self._open[reader] = opened
        return opened

    def close(self, reader: StreamReader) -> None:
        with self._lock:
            found = self._open.pop(reader, None)
        if found is not None:
            found.close()

    def _close_idle(self) -> None:
        now = time.monotonic()
        with self._lock:
            idle = [reader for reader, source in self._open.items() if now - source.polled_at > _IDLE]
        for reader in idle:
            self.close(reader)


@cache
def _sources() -> _OpenSources:
    return _OpenSources()


class MarkTracker(RestrictionTracker):
    """The mark of the last poll. Only at a checkpoint it is split, into nothing and all the rest."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._stopped = False

    def current_restriction(self) -> str:
        return self._mark

    def try_claim(self, mark: str) -> bool:
        if not self._stopped:
            self._mark = mark
        return not self._stopped

    def try_split(self, fraction_of_remainder: float) -> tuple[str, str] | None:
        if fraction_of_remainder != 0 or self._stopped:  # runners split running readers: one reader is one
            return None
        self._stopped = True
        return self._mark, self._mark

    def check_done(self) -> bool:
        return True

    def current_progress(self) -> RestrictionProgress:
        return RestrictionProgress(fraction=0.5)

    def is_bounded(self) -> bool:
        return False


class MarkProvider(RestrictionProvider):
    def initial_restriction(self, _element: StreamReader) -> str:
        return ""

    def create_tracker(self, restriction: str) -> MarkTracker:
        return MarkTracker(restriction)

    def restriction_size(self, _element: StreamReader, _restriction: str) -> int:
        return 1

    def restriction_coder(self) -> beam.coders.Coder:
        return StrUtf8Coder()

    def truncate(self, _element: StreamReader, _restriction: str) -> None:
        """A job that is drained does not poll any more."""


_PROVIDER = MarkProvider()


class PollSource(beam.DoFn):
    """A reader in; messages and failures out, in chunks, for ever."""

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        reader: StreamReader,
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
        tracker: Any = beam.DoFn.RestrictionParam(_PROVIDER),
    ) -> Iterator[Chunk]:
        before, mark = tracker.current_restriction(), os.urandom(8).hex()
        if not tracker.try_claim(mark):
            return
        try:
            source = _sources().at(reader, before)
            came, poll = source.poll(mark)
        except SourceError as error:
            _sources().close(reader)
            if error.fatal:
                raise
            _LOG.warning("%s; trying again", error)
            tracker.defer_remainder(Duration(_AFTER_A_FAULT))
            return
        if came:
            yield Chunk(came)
        if source.settling.waits:
            finalizer.register(partial(source.settling.finalized, poll))
        tracker.defer_remainder()
