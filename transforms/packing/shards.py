"""Shards of a consumer's statements, for engines that keep what waits in keyed state: a key is a consumer and a shard.

A shard sends one request at a time, so that a consumer has as many shards as requests may be in flight.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from edx2lrs.transforms.config_types import Config, Consumer, Rate


class ShardKey(NamedTuple):
    """What keyed state is kept under: a consumer's name, and the number of one shard of its statements."""

    consumer: str
    shard: int

    def encode(self) -> str:
        """The key as engines hold it."""
        return f"{self.consumer}/{self.shard}"

    @classmethod
    def decode(cls, encoded: str) -> ShardKey:
        """The key that ``encode`` made ``encoded`` of."""
        consumer, _, shard = encoded.rpartition("/")
        return cls(consumer, int(shard))


def shards(consumer: Consumer) -> int:
    """How many shards the consumer has."""
    return consumer.rate.concurrency


def shard_of(statement_id: bytes, count: int) -> int:
    """The shard of an id (16 bytes): the same id always meets the same memory."""
    return statement_id[-1] % count


def of_one_shard(consumer: Consumer) -> Consumer:
    """The consumer as one shard sends to it: its part of the rate, one request in flight."""
    rate = consumer.rate.statements_per_second
    own = Rate(statements_per_second=rate / shards(consumer) if rate else None, concurrency=1)
    return msgspec.structs.replace(consumer, rate=own)


def ids_of_one_shard(config: Config) -> int:
    """How many ids one shard remembers: its part of ``dedup.ids``."""
    return max(1000, config.dedup.ids // sum(shards(consumer) for consumer in config.consumers))
