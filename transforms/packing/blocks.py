"""Statements on their way: in compressed blocks, one consumer each, so that no shuffle or disk sees a single one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import zstandard

from edx2lrs.transforms.formats.hashes import hash8

ID_BYTES = 16  # of a statement's id; the checks of a statement have as many
STATEMENTS_IN_A_BLOCK = 100
BYTES_IN_A_BLOCK = 4_000_000  # of bodies; a larger statement is alone in its block
_LEVEL = 1  # measured: higher levels cost more time than the disk that they save


class _Zstandard(threading.local):
    """What compresses and decompresses in one thread: making either costs as much as a block."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstandard = _Zstandard()


class Origin(NamedTuple):
    """What a statement was made from: where the event was read, and the name of the event, if the event has a name."""

    position: str
    event_name: str | None = None

    @classmethod
    def of_line(cls, line: str) -> Origin:
        """The origin that ``line`` of a block holds (``origin_line``)."""
        position, _, event_name = line.rpartition("\t")
        return cls(position, event_name) if position else cls(line)


class BlockStatement(msgspec.Struct, frozen=True, gc=False):
    """One finished statement: its id (16 bytes), body (JSON without line breaks), the hash of its event (8 bytes) and origin."""

    id: bytes
    body: bytes
    event_hash: bytes
    origin: Origin


class Block(NamedTuple):
    """Statements of one consumer. ``ids``: 16 bytes each; ``checks``: 16 bytes each (hash of the event, hash of the body);
    ``bodies`` and ``origins``: zstandard frames of lines (``origin_line``)."""

    consumer: str
    size: int
    ids: bytes
    checks: bytes
    bodies: bytes
    origins: bytes


def pack(consumer: str, statements: Sequence[BlockStatement]) -> Block:
    """The block of ``statements``, which are not empty, in their order."""
    ids = b"".join([statement.id for statement in statements])
    hashes = [statement.event_hash for statement in statements]
    lines = [origin_line(*statement.origin) for statement in statements]
    return pack_columns(consumer, ids, hashes, [statement.body for statement in statements], lines)


def pack_columns(
    consumer: str, ids: bytes, event_hashes: Sequence[bytes], bodies: Sequence[bytes], origin_lines: Sequence[str]
) -> Block:
    """The block of statements that are given as columns: their ids after each other, and so on."""
    checks = b"".join([hashed + hash8(body) for hashed, body in zip(event_hashes, bodies, strict=True)])
    return Block(consumer, len(bodies), ids, checks, pack_lines(b"\n".join(bodies)), pack_lines("\n".join(origin_lines).encode()))


def at_indexes(joined: bytes, indexes: Iterable[int]) -> bytes:
    """The ids (or the checks) of the statements at ``indexes``, of those of a whole block."""
    return b"".join([joined[ID_BYTES * index : ID_BYTES * (index + 1)] for index in indexes])


def pack_lines(lines: bytes) -> bytes:
    """Bodies or origins, one a line, as a block holds them."""
    return _zstandard.compress(lines)


def origin_line(position: str, event_name: str | None) -> str:
    """An origin as a line of a block holds it: the position and, after a tab, the event's name."""
    return f"{position}\t{event_name}" if event_name else position


def unpack_lines(packed: bytes) -> bytes:
    """What ``pack_lines`` was given."""
    return _zstandard.decompress(packed)


def unpack_bodies(block_bodies: bytes) -> list[bytes]:
    """The bodies of a block, in order."""
    return unpack_lines(block_bodies).split(b"\n")


def unpack_origin_lines(block_origins: bytes) -> list[str]:
    """The origins of a block, in order, each as its line."""
    return unpack_lines(block_origins).decode().split("\n")
