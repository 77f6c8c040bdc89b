"""Statements that wait in the outbox, by the block that holds them. Nearly all are sent and settled by the hundred: a statement
becomes an object of its own only where somebody looks at it alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec

from edx2lrs.transforms.packing.blocks import ID_BYTES, Origin, unpack_lines, unpack_origin_lines


class PendingStatement(msgspec.Struct, frozen=True, gc=False, rename={"origin_line": "position"}):
    """A statement of the outbox: its block's row, its index in the block, id (16 bytes), body (JSON) and the line of its origin."""

    row: int
    index: int
    id: bytes
    body: bytes
    origin_line: str

    @property
    def origin(self) -> Origin:
        return Origin.of_line(self.origin_line)


class BlockSlice(NamedTuple):
    """Statements of one block, in order: their indexes in it, ids (16 bytes each) and bodies, one a line. ``origins``: the
    lines of their origins, by index; or the packed lines of the whole block."""

    row: int
    indexes: Sequence[int]
    ids: bytes
    lines: bytes
    origins: bytes | Mapping[int, str]

    @classmethod
    def of_block(cls, row: int, ids: bytes, bodies: bytes, origins: bytes) -> BlockSlice:
        """All of a block; ``bodies`` and ``origins`` as it holds them."""
        return cls(row, range(len(ids) // ID_BYTES), ids, unpack_lines(bodies), origins)

    @property
    def size(self) -> int:
        return len(self.indexes)

    @property
    def size_in_bytes(self) -> int:
        """How many bytes they have, with a comma or the end of a line after each."""
        return len(self.lines) + 1 if self.indexes else 0

    @property
    def bodies(self) -> list[bytes]:
        return self.lines.split(b"\n") if self.indexes else []

    @property
    def id_list(self) -> list[bytes]:
        ids = self.ids
        return [ids[start : start + ID_BYTES] for start in range(0, len(ids), ID_BYTES)]

    def slice(self, start: int, stop: int) -> BlockSlice:
        """The statements from index ``start`` to index ``stop``."""
        if start <= 0 and stop >= self.size:
            return self
        ids = self.ids[start * ID_BYTES : stop * ID_BYTES]
        return BlockSlice(self.row, self.indexes[start:stop], ids, b"\n".join(self.bodies[start:stop]), self.origins)

    def statements(self) -> Iterator[PendingStatement]:
        lines = unpack_origin_lines(self.origins) if isinstance(self.origins, bytes) else self.origins
        for index, identifier, body in zip(self.indexes, self.id_list, self.bodies, strict=True):
            yield PendingStatement(self.row, index, identifier, body, lines[index])


class Batch:
    """Statements of several blocks, in order."""

    def __init__(self, parts: Iterable[BlockSlice]) -> None:
        self.parts = tuple(part for part in parts if part.size)
        self._size = sum(part.size for part in self.parts)

    @classmethod
    def of(cls, statements: Iterable[PendingStatement]) -> Batch:
        """Those that are objects already."""
        return cls(_slice_of(row, list(of_row)) for row, of_row in groupby(statements, attrgetter("row")))

    @property
    def lines(self) -> bytes:
        """The bodies, one a line, in order."""
        return b"\n".join([part.lines for part in self.parts])

    @property
    def size_in_bytes(self) -> int:
        """How many bytes they have, with a comma or the end of a line after each."""
        return sum(part.size_in_bytes for part in self.parts)

    @property
    def ids(self) -> list[bytes]:
        return [identifier for part in self.parts for identifier in part.id_list]

    @property
    def age(self) -> tuple[int, int]:
        """The row and index of the first: the older they are, the smaller."""
        return self.parts[0].row, self.parts[0].indexes[0]

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[PendingStatement]:
        for part in self.parts:
            yield from part.statements()

    def slice(self, start: int, stop: int) -> Batch:
        """The statements from index ``start`` to index ``stop``."""
        return Batch(self._between(start, stop))

    def _between(self, start: int, stop: int) -> Iterator[BlockSlice]:
        before = 0
        for part in self.parts:
            yield part.slice(max(0, start - before), max(0, stop - before))
            before += part.size


def _slice_of(row: int, statements: Sequence[PendingStatement]) -> BlockSlice:
    return BlockSlice(
        row,
        [each.index for each in statements],
        b"".join([each.id for each in statements]),
        b"\n".join([each.body for each in statements]),
        {each.index: each.origin_line for each in statements},
    )
