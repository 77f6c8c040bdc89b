"""What a stream is read from: Pub/Sub, the event bus, a growing log. A source has no Beam, so each source is written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from edx2lrs.io.sources.position import Position
from edx2lrs.transforms.failure import Failure


class Message(NamedTuple):
    """One record. ``id`` is the same when the record comes again. ``body``: JSON of an event; ``attributes``: for dead letters."""

    id: str
    position: Position
    body: bytes
    attributes: Mapping[str, str] = {}


class ResumePoint(str):
    """A cursor of a source without a memory (a log). The state directory keeps it in the transaction that keeps the records."""


class Polled(NamedTuple):
    """``failures``: messages that can be no record (broken Avro). ``cursor``: for everything that was polled up to this poll."""

    messages: Sequence[Message]
    failures: Sequence[Failure]
    cursor: Any


class SourceError(Exception):
    """The text names the source, what was found, and what to do. ``fatal``: another attempt does not help."""

    def __init__(self, message: str, fatal: bool = False):
        super().__init__(message)
        self.fatal = fatal


class Source(Protocol):
    """A source at work. One thread calls it."""

    def poll(self, max_records: int, max_wait: float) -> Polled:
        """Waits up to ``max_wait`` seconds for a first record, then gives the available records, up to ``max_records``. A poll
        loses and commits nothing. Raises SourceError."""

    def commit(self, cursor: Any) -> None:
        """Settles everything that was polled up to ``cursor``, since it is kept. A commit may be repeated. If a kill prevents a
        commit, messages come again, with the same ids. Raises SourceError."""

    def close(self) -> None:
        """Gives back messages that were not committed."""


@runtime_checkable
class Resumable(Protocol):
    """A source whose cursors are ``ResumePoint``s."""

    def resume_point(self) -> ResumePoint:
        """The present cursor; everything that was polled is done."""


@runtime_checkable
class Measured(Protocol):
    """A source that knows how far behind it is: in bytes, messages or seconds (``Stream.behind_in``)."""

    def behind(self) -> float | None:
        """What was written and is not polled; None: not known. Never raises."""


@runtime_checkable
class Troubled(Protocol):
    """A source that may be in trouble although it can be polled."""

    def trouble(self) -> str:
        """Why nothing comes, and what to do; "" if nothing is wrong."""


@runtime_checkable
class Attended(Protocol):
    """A source whose server gives up a process that does not ask for a long time."""

    def attend(self) -> None:
        """To be called now and then while nothing is polled; takes no message. Raises SourceError."""
