"""A wave over messages of a stream: ``messages`` and ``wave.json`` (``pipeline.local.wave``) in a folder of its worker."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from edx2lrs.io.sources.source import Message
from edx2lrs.transforms.failure import Failure


class MessageWave(msgspec.Struct, frozen=True, tag="messages"):
    """``ids`` are those of its messages and ``failures``; ``size`` counts the bytes of their bodies. The rest is as in
    ``io.state.waves.KeptMessages``."""

    source: str
    ids: list[str]
    size: int
    since: float
    before: str | None
    position: str | None
    failures: list[Failure]


class StoredMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message in the file."""

    position: str
    body: bytes
    attributes: Mapping[str, str]


def write(folder: str, wave: MessageWave, messages: Sequence[Message]) -> None:
    """Puts the wave where ``pipeline.local.wave`` finds it. Raises ``OSError``."""
    stored = [StoredMessage(message.position, message.body, message.attributes) for message in messages]
    with open(os.path.join(folder, "messages"), "wb") as file:
        file.write(msgspec.msgpack.encode(stored))
    with open(os.path.join(folder, "wave.json"), "wb") as file:
        file.write(msgspec.json.encode(wave))


def read_messages(folder: str) -> list[StoredMessage]:
    """The wave's messages, in order."""
    with open(os.path.join(folder, "messages"), "rb") as file:
        return msgspec.msgpack.decode(file.read(), type=list[StoredMessage])
