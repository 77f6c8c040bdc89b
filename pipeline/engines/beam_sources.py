"""Beam's own sources, for Dataflow, whose service settles what was read when it is durable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam

from edx2lrs.io.sources.kafka import message_of
from edx2lrs.io.sources.source import Message
from edx2lrs.io.sources.source_urls import SourceUrl
from edx2lrs.pipeline.steps import Chunk, at_the_end
from edx2lrs.transforms.failure import Failure


def read_by_beam(pipeline: beam.Pipeline, streams: Sequence[SourceUrl], id_label: str | None) -> beam.PCollection:
    """Messages and failures of ``streams`` (Pub/Sub and Kafka), in chunks."""
    read = [_read(pipeline, place, url, id_label) for place, url in enumerate(streams, 1)]
    return read | "Streams meet" >> beam.Flatten()


def _read(pipeline: beam.Pipeline, place: int, url: SourceUrl, id_label: str | None) -> beam.PCollection:
    name = f"Stream {place}"
    if url.scheme == "pubsub":
        from apache_beam.io.gcp.pubsub import ReadFromPubSub

        subscription = f"projects/{url.servers[0]}/subscriptions/{url.path}"
        source = ReadFromPubSub(subscription=subscription, with_attributes=True, id_label=id_label)
        return pipeline | name >> source | f"{name}: messages" >> beam.ParDo(OfPubSub()).with_output_types(Chunk)
    from apache_beam.io.kafka import ReadFromKafka

    source = ReadFromKafka(
        consumer_config=kafka_config(url),
        topics=[url.path],
        with_metadata=True,
        commit_offset_in_finalize=True,
    )
    return pipeline | name >> source | f"{name}: messages" >> beam.ParDo(OfKafka(url.path)).with_output_types(Chunk)


def kafka_config(url: SourceUrl) -> dict[str, str]:
    """The settings of Java's Kafka client. No secret: ``engine_options`` refuses addresses that name one."""
    start = url.options.get("start", "earliest")
    return {
        "bootstrap.servers": ",".join(url.servers),
        "group.id": url.options["group"],
        "auto.offset.reset": start,
        "enable.auto.commit": "false",
    }


class _InChunks(beam.DoFn):
    """Beam gives messages one by one; the graph takes them in chunks."""

    SIZE = 256

    def start_bundle(self) -> None:
        self._chunk = Chunk()

    def process(self, message: Any) -> Iterator[Chunk]:
        self._chunk.extend(self.of(message))
        if len(self._chunk) >= self.SIZE:
            yield self._chunk
            self._chunk = Chunk()

    def of(self, message: Any) -> Iterable[Message | Failure]:
        """What came in one message."""
        raise NotImplementedError

    def finish_bundle(self) -> Iterator[Any]:
        if self._chunk:
            yield at_the_end(self._chunk)


class OfPubSub(_InChunks):
    """``PubsubMessage`` as messages."""

    def setup(self) -> None:
        from edx2lrs.io.sources.pubsub import messages_of

        self._messages_of = messages_of

    def of(self, message: Any) -> Iterable[Message]:
        return self._messages_of(message.message_id or "", message.data, message.attributes or {})


class OfKafka(_InChunks):
    """Rows of ``ReadFromKafka`` as messages."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._topic = topic

    def of(self, message: Any) -> Iterable[Message | Failure]:
        headers = [(header.key, header.value) for header in message.headers or ()]
        return [message_of(self._topic, message.partition, message.offset, headers, message.value)]
