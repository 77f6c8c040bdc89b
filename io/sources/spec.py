"""What a source says of itself. Every module of a source has a ``SPEC``; whatever else is to be known of a source is read there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.options import Option
from edx2lrs.io.sources.source import Message, Source
from edx2lrs.transforms.failure import Failure

Engine = Literal["DirectRunner", "FlinkRunner", "DataflowRunner"]
LOCAL: Engine = "DirectRunner"
FLINK: Engine = "FlinkRunner"
DATAFLOW: Engine = "DataflowRunner"


Unit = Literal["bytes", "messages", "seconds"]


class OnEngine(NamedTuple):
    """``by_beam``: the engine reads by Beam's own source, else by ours. ``options``: those that can be given there (None: all)."""

    by_beam: bool = False
    options: tuple[str, ...] | None = None


class Sharing(NamedTuple):
    """How workers share the source: whether there can be several, and in words."""

    several: bool
    words: str


class BeamSource(NamedTuple):
    """Beam's own source of a stream, and what came in one of its elements (picklable)."""

    source: Any
    messages: Callable[[Any], Iterable[Message | Failure]]


class Stream(NamedTuple):
    """What is done with the address of a stream.

    ``read``: the text of ``--input``; raises SourceUrlError. ``open``: for the worker of a name, from where the state was (a source
    without memory of its own); raises SourceError and SourceUrlError. ``check`` raises SourceUrlError for options that the source does
    not have or cannot use; None: the source has no options. ``by_beam``: with ``--pubsub_id_label``, which sources with
    ``takes_id_label`` take. ``behind_in``: the unit in which the source says how far behind it is."""

    read: Callable[[str], SourceUrl]
    open: Callable[[SourceUrl, str, str | None], Source]
    check: Callable[[SourceUrl], object] | None = None
    by_beam: Callable[[SourceUrl, str | None], BeamSource] | None = None
    takes_id_label: bool = False
    behind_in: Unit = "messages"


class SourceSpec(NamedTuple):
    """``name``: in a list of sources; ``what``: in a sentence. ``form``: how an address is written. ``stream``: None for files."""

    name: str
    what: str
    schemes: tuple[str, ...]
    form: str
    example: str
    sharing: Sharing
    engines: Mapping[Engine, OnEngine]
    options: tuple[Option, ...] = ()
    stream: Stream | None = None
