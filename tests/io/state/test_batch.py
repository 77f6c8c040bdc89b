"""Statements by the block that holds them: cut anywhere, they are the same statements in the same order."""

from __future__ import annotations

import pytest

from edx2lrs.io.state.batch import Batch, BlockSlice, PendingStatement
from edx2lrs.transforms.packing.blocks import BlockStatement, Origin, pack


def statements_of_blocks(*sizes: int) -> list[PendingStatement]:
    return [
        PendingStatement(row, index, bytes([row, index] * 8), b'{"n":%d}' % index, f"log:{row}.{index}")
        for row, size in enumerate(sizes, 1)
        for index in range(size)
    ]


@pytest.mark.parametrize("sizes", [(), (1,), (3, 4, 1), (2, 0, 5)])
def test_cut_at_any_place_they_are_the_same(sizes: tuple[int, ...]) -> None:
    waiting = statements_of_blocks(*sizes)
    statements = Batch.of(waiting)
    assert list(statements) == waiting
    assert len(statements) == len(waiting)
    for start in range(len(waiting) + 1):
        for stop in range(start, len(waiting) + 1):
            cut = statements.slice(start, stop)
            assert list(cut) == waiting[start:stop]
            assert len(cut) == stop - start
            assert cut.ids == [w.id for w in waiting[start:stop]]
            assert cut.lines == b"\n".join(w.body for w in waiting[start:stop])
            assert cut.size_in_bytes == sum(len(w.body) + 1 for w in waiting[start:stop])


def test_the_rest_of_a_block_finds_its_positions_in_the_whole() -> None:
    block = pack("one", [BlockStatement(bytes([n] * 16), b"%d" % n, b"", Origin(f"log:{n}")) for n in range(6)])
    rest = BlockSlice(7, [1, 4, 5], b"".join(bytes([n] * 16) for n in (1, 4, 5)), b"1\n4\n5", block.origins)
    assert [(w.row, w.index, w.id[0], w.body, w.origin) for w in Batch([rest]).slice(1, 3)] == [
        (7, 4, 4, b"4", Origin("log:4")),
        (7, 5, 5, b"5", Origin("log:5")),
    ]
    assert Batch([rest]).slice(1, 3).age == (7, 4)
