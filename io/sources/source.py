"""What a stream is read from: Pub/Sub, the event bus, a growing log. Without Beam, so that each source is written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from edx2lrs.io.sources.position import Position
from edx2lrs.transforms.failure import Failure


class Message(NamedTuple):
    """One record as it came. ``id`` tells it from all others of its source and is the same when it comes again. ``body`` is JSON
    of an event in any of its forms (``transforms.records.parse``); ``attributes`` are kept for dead letters."""

    id: str
    position: Position
    body: bytes
    attributes: Mapping[str, str] = {}


class ResumePoint(str):
    """A cursor of a source that has no memory of its own (a log): the state directory keeps it in the transaction that keeps what
    was polled up to it, and the source is opened with it again."""


class Polled(NamedTuple):
    """What one poll brought. ``failures``: what came and can be no record (a broken Avro value). ``cursor`` stands for all that
    was polled up to here; only the source knows what is in it."""

    messages: Sequence[Message]
    failures: Sequence[Failure]
    cursor: Any


class SourceError(Exception):
    """The source cannot be read: names it, what was found and what to do. ``fatal``: trying again is of no use."""

    def __init__(self, message: str, fatal: bool = False):
        super().__init__(message)
        self.fatal = fatal


class Source(Protocol):
    """A source at work. One thread calls it."""

    def poll(self, max_records: int, max_wait: float) -> Polled:
        """Waits up to ``max_wait`` seconds for a first record, then gives what is there, up to ``max_records``; nothing is lost
        or committed by it. Raises SourceError."""

    def commit(self, cursor: Any) -> None:
        """Settles everything polled up to ``cursor``: it was kept. May be repeated, and may be missed by a kill: then messages
        come again, with the same ids. Raises SourceError."""

    def close(self) -> None:
        """Gives back what was not committed."""


@runtime_checkable
class Resumable(Protocol):
    """A source whose cursors are ``ResumePoint``s."""

    def resume_point(self) -> ResumePoint:
        """Where it is; what was polled is done."""


@runtime_checkable
class Attended(Protocol):
    """A source whose server gives up who does not ask."""

    def attend(self) -> None:
        """To be called now and then while nothing is polled: it stays ours, and nothing is taken. Raises SourceError."""
