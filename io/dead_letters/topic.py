"""Dead letters to a Pub/Sub topic, ``pubsub://PROJECT/TOPIC``: one message each, Avro's binary form without a file around it.

A topic may have the schema of ``io.dead_letters.letters`` (encoding: binary), so that subscriptions write Avro files or tables of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import NamedTuple

SCHEME = "pubsub://"
_TOPIC = re.compile(r"pubsub://([a-z0-9.:-]{6,64})/([A-Za-z][A-Za-z0-9._~+%-]{2,254})")
_AT_ONCE = 500  # messages that are not confirmed yet
_AT_ONCE_BYTES = 16_000_000
_SECONDS = 60.0


class TopicMessage(NamedTuple):
    """The message that is published for a letter."""

    data: bytes
    attributes: Mapping[str, str]


def is_topic(path: str) -> bool:
    return path.startswith(SCHEME)


def fault_of_topic(path: str) -> str | None:
    """Why nothing can be published at ``path``, as far as it can be told here; None when it can."""
    if not _TOPIC.fullmatch(path):
        return "no address of a topic; expected pubsub://PROJECT/TOPIC"
    if find_spec("google.cloud") is None or find_spec("google.cloud.pubsub_v1") is None:
        return "the library of Pub/Sub is not installed: pip install 'edx2lrs[gcp]'"
    return None


def publish(path: str, messages: Iterable[TopicMessage]) -> None:
    """Publish all messages; each message is confirmed when this returns. Raises what the library raises; some messages may be
    published then.

    If PUBSUB_EMULATOR_HOST is set, publish at the emulator."""
    from google.cloud.pubsub_v1 import PublisherClient  # slow to import, and only needed here

    found = _TOPIC.fullmatch(path)
    assert found is not None, path
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    client = PublisherClient()
    topic = client.topic_path(*found.groups())
    try:
        for some in _some(messages):
            confirmed = [client.publish(topic, each.data, timeout=_SECONDS, **each.attributes) for each in some]
            for each in confirmed:
                each.result(timeout=_SECONDS)
    finally:
        with suppress(RuntimeError):  # the publisher has stopped itself
            client.stop()


def _some(messages: Iterable[TopicMessage]) -> Iterator[list[TopicMessage]]:
    some: list[TopicMessage] = []
    size = 0
    for message in messages:
        some.append(message)
        size += len(message.data)
        if len(some) == _AT_ONCE or size >= _AT_ONCE_BYTES:
            yield some
            some, size = [], 0
    yield some
