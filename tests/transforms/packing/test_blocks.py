"""Blocks: what is packed is what is unpacked, and looks on disk as it always has."""

from __future__ import annotations

import pytest
import zstandard

from edx2lrs.transforms.packing.blocks import BlockStatement, Origin, origin_line, pack, unpack_bodies, unpack_origin_lines
from edx2lrs.transforms.packing.shards import ShardKey

ORIGINS = [
    (Origin("/logs/a:7", "play_video"), "/logs/a:7\tplay_video"),
    (Origin("topic[3]@12"), "topic[3]@12"),
    (Origin("/logs/with\ttab:1", "seek_video"), "/logs/with\ttab:1\tseek_video"),
]


@pytest.mark.parametrize(("origin", "line"), ORIGINS)
def test_an_origin_is_a_line_of_position_and_name(origin: Origin, line: str) -> None:
    assert origin_line(*origin) == line
    assert Origin.of_line(line) == origin


def test_a_block_holds_its_statements_in_order() -> None:
    statements = [BlockStatement(bytes([n] * 16), b'{"n":%d}' % n, bytes([n] * 8), origin) for n, (origin, _) in enumerate(ORIGINS)]
    block = pack("campus", statements)
    assert (block.consumer, block.size, block.ids) == ("campus", 3, b"".join(each.id for each in statements))
    assert unpack_bodies(block.bodies) == [each.body for each in statements]
    assert [Origin.of_line(line) for line in unpack_origin_lines(block.origins)] == [each.origin for each in statements]
    assert zstandard.decompress(block.origins).decode().split("\n") == [line for _, line in ORIGINS]


@pytest.mark.parametrize(("key", "encoded"), [(ShardKey("campus", 3), "campus/3"), (ShardKey("uni/campus", 0), "uni/campus/0")])
def test_the_key_of_a_shard(key: ShardKey, encoded: str) -> None:
    assert key.encode() == encoded
    assert ShardKey.decode(encoded) == key
