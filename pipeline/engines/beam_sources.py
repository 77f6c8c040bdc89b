"""Beam's own sources, for Dataflow. Dataflow settles messages when they are durable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam

from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.opening import spec_of
from edx2lrs.io.sources.source import Message
from edx2lrs.pipeline.steps import Chunk, at_the_end
from edx2lrs.transforms.failure import Failure


def read_by_beam(pipeline: beam.Pipeline, streams: Sequence[SourceUrl], id_label: str | None) -> beam.PCollection:
    """Messages and failures of ``streams``, in chunks."""
    read = [_read(pipeline, f"Stream {number}", url, id_label) for number, url in enumerate(streams, 1)]
    return read | "Streams meet" >> beam.Flatten()


def _read(pipeline: beam.Pipeline, name: str, url: SourceUrl, id_label: str | None) -> beam.PCollection:
    stream = spec_of(url).stream
    assert stream is not None and stream.by_beam is not None  # noqa: PT018 - engine_options refuses others
    source, messages = stream.by_beam(url, id_label)
    return pipeline | name >> source | f"{name}: messages" >> beam.ParDo(InChunks(messages)).with_output_types(Chunk)


class InChunks(beam.DoFn):
    """Beam gives elements one by one; the graph takes the messages in them in chunks."""

    SIZE = 256

    def __init__(self, messages: Callable[[Any], Iterable[Message | Failure]]) -> None:
        super().__init__()
        self._messages = messages

    def start_bundle(self) -> None:
        self._chunk = Chunk()

    def process(self, element: Any) -> Iterator[Chunk]:
        self._chunk.extend(self._messages(element))
        if len(self._chunk) >= self.SIZE:
            yield self._chunk
            self._chunk = Chunk()

    def finish_bundle(self) -> Iterator[Any]:
        if self._chunk:
            yield at_the_end(self._chunk)
