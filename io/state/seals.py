"""Checksums of what the database keeps for long: a bit that changed on the disk is found before it is sent.

SQLite itself has no checksums: it finds a page that is no page, and believes all else. CRC-32 finds each single bit, and all but one
in four thousand million other changes."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple
from zlib import crc32

import zstandard

from edx2lrs.transforms.packing.blocks import ID_BYTES, unpack_lines

_BYTES = 4


def seal(content: bytes) -> bytes:
    """``content`` with its checksum."""
    return content + crc32(content).to_bytes(_BYTES, "little")


def unsealed(sealed: Any) -> bytes | None:
    """What ``seal`` was given. None: it is damaged."""
    if not isinstance(sealed, bytes) or seal(sealed[:-_BYTES]) != sealed:
        return None
    return sealed[:-_BYTES]


class BlockRow(NamedTuple):
    """A row of the table of blocks. A damaged one may hold anything anywhere."""

    row: int
    consumer: int
    created: float
    size: int
    number: int
    settled: bytes
    ids: bytes
    positions: bytes
    bodies: bytes
    seals: bytes

    @property
    def head(self) -> tuple[int, float, int, int]:
        return self.consumer, self.created, self.size, self.number

    @property
    def bitmap(self) -> int:
        """Which statements need nothing more, as far as the row says it: bit 0 is the first one."""
        return int.from_bytes(unsealed(self.settled) or b"", "little")

    def damaged_parts(self) -> set[str]:
        """The names of the parts that are not as they were kept: ``head``, ``settled``, ``ids``, ``positions``, ``bodies``."""
        damaged = set() if unsealed(self.settled) is not None else {"settled"}
        seals = self.seals if isinstance(self.seals, bytes) else b""
        parts = {"head": repr(self.head).encode(), "ids": self.ids, "positions": self.positions, "bodies": self.bodies}
        for place, (name, content) in enumerate(parts.items()):
            if not isinstance(content, bytes) or _crc(content) != seals[_BYTES * place : _BYTES * (place + 1)]:
                damaged.add(name)
        return damaged


BLOCK_COLUMNS = "row, consumer, created, count, number, settled, ids, positions, bodies, seals"


def block_seals(head: tuple[int, float, int, int], ids: bytes, positions: bytes, bodies: bytes) -> bytes:
    """The checksums of a block whose row has ``head``."""
    return b"".join([_crc(repr(head).encode()), _crc(ids), _crc(positions), _crc(bodies)])


def _crc(content: bytes) -> bytes:
    return crc32(content).to_bytes(_BYTES, "little")


def add_functions(connection: sqlite3.Connection) -> None:
    """Give ``connection`` the functions by which older databases get their checksums."""
    connection.create_function("seal", 1, seal, deterministic=True)
    connection.create_function("block_seals", 7, _seals_of_older, deterministic=True)


def _seals_of_older(
    consumer: int, created: float, count: int, number: int, ids: bytes, positions: bytes, bodies: bytes
) -> bytes:
    """Nothing, which fits no block, where the block cannot be read."""
    try:
        whole = count == len(ids) / ID_BYTES == len(unpack_lines(bodies).split(b"\n")) == len(unpack_lines(positions).split(b"\n"))
    except (zstandard.ZstdError, TypeError):
        whole = False
    return block_seals((consumer, created, count, number), ids, positions, bodies) if whole else b""
