"""Statements on their way: in compressed blocks, one consumer each, so that no shuffle or disk sees a single one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import zstandard

from edx2lrs.transforms.formats.hashes import hash8

_LEVEL = 1  # measured: higher levels cost more time than the disk that they save


class _Zstandard(threading.local):
    """What compresses and decompresses in one thread: making either costs as much as a block."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstandard = _Zstandard()


class BlockStatement(msgspec.Struct, frozen=True, gc=False):
    """One xAPI statement or Caliper event, finished: its id (16 bytes), its body (JSON, no line break in it), the hash of the
    event it came from (8 bytes) and where that event was read (``with_name``)."""

    id: bytes
    body: bytes
    event_hash: bytes
    position: str


class Block(NamedTuple):
    """Statements of one consumer. ``ids`` holds 16 bytes for each, ``checks`` 16 bytes (hash of the event, hash of the body),
    ``bodies`` and ``positions`` zstandard frames of lines."""

    consumer: str
    size: int
    ids: bytes
    checks: bytes
    bodies: bytes
    positions: bytes


def with_name(position: str, event_name: str | None) -> str:
    """The position of a statement: where its event was read, and the event's name, for dead letters."""
    return f"{position}\t{event_name}" if event_name else position


def position_and_name(text: str) -> tuple[str, str | None]:
    """Where a statement's event was read, and its name, when it is there."""
    position, _, event_name = text.rpartition("\t")
    return (position, event_name) if position else (text, None)


def pack(consumer: str, statements: Sequence[BlockStatement]) -> Block:
    """The block of ``statements``, which are not empty, in their order."""
    ids = b"".join([statement.id for statement in statements])
    hashes = [statement.event_hash for statement in statements]
    return pack_columns(consumer, ids, hashes, [statement.body for statement in statements], [each.position for each in statements])


def pack_columns(
    consumer: str, ids: bytes, event_hashes: Sequence[bytes], bodies: Sequence[bytes], positions: Sequence[str]
) -> Block:
    """The block of statements that are given as columns: their ids after each other, and so on."""
    checks = b"".join([hashed + hash8(body) for hashed, body in zip(event_hashes, bodies, strict=True)])
    return Block(consumer, len(bodies), ids, checks, pack_lines(b"\n".join(bodies)), pack_lines("\n".join(positions).encode()))


def pack_lines(lines: bytes) -> bytes:
    """Bodies or positions, one a line, as a block holds them."""
    return _zstandard.compress(lines)


def unpack_lines(block_bodies: bytes) -> bytes:
    """The bodies of a block, in order, one a line."""
    return _zstandard.decompress(block_bodies)


def unpack_bodies(block_bodies: bytes) -> list[bytes]:
    """The bodies of a block, in order."""
    return unpack_lines(block_bodies).split(b"\n")


def unpack_positions(block_positions: bytes) -> list[str]:
    """The positions of a block, in order."""
    return _zstandard.decompress(block_positions).decode().split("\n")
