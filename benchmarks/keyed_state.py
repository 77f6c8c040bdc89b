"""What dedup by keyed state, as on Flink and Dataflow, costs a statement: the step that sends (``SendShard``) on Beam's own runner,
with its look at the ids and without it, in turns.

    python benchmarks/keyed_state.py [--statements N]

Blocks of 100 are an archive's, blocks of one a quiet stream's. Processor time of the whole process, the median of several rounds.
A tenth of what comes is known already. What is promised: 50 µs.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from unittest import mock

import apache_beam as beam
import msgspec
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.engines.deliver_from_state import SendShard
from edx2lrs.pipeline.engines.shard import Shard
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.packing.blocks import Block, BlockStatement, Origin, pack
from edx2lrs.transforms.packing.shards import ShardKey

PROMISED = 50e-6
ROUNDS = 5
BODY = b'{"id":"%s","actor":{"account":{"name":"%032x"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"}}'
CONFIG = """
lms: {root_url: "https://lms.example.com", id_key: "env:EDX2LRS_ID_KEY"}
consumers:
  - {name: campus, protocol: xapi, url: "file://FOLDER/", access: all, rate: {concurrency: 1}}
"""


def blocks(count: int, size: int) -> list[tuple[str, bytes]]:
    """As ``KeyByShard`` gives them; one statement of ten was in an earlier block."""
    dice = random.Random(size)
    made = [statement(dice.getrandbits(128).to_bytes(16, "big")) for _ in range(count)]
    mixed = [made[dice.randrange(place)] if place % 10 == 9 else each for place, each in enumerate(made)]
    packed = (pack("campus", mixed[start : start + size]) for start in range(0, count, size))
    return [(ShardKey("campus", 0).encode(), msgspec.msgpack.encode(block)) for block in packed]


def statement(identifier: bytes) -> BlockStatement:
    body = BODY % (identifier.hex().encode(), int.from_bytes(identifier, "big"))
    return BlockStatement(identifier, body, hash8(identifier), Origin("log:1"))


def all_new(_shard: Shard, block: Block) -> list[int]:
    return list(range(block.size))


def seconds(config: Path, keyed: Sequence[tuple[str, bytes]]) -> float:
    """Processor time of one run over ``keyed``."""
    gc.collect()
    start = time.process_time()
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        given = pipeline | beam.Create(keyed, reshuffle=False).with_output_types(tuple[str, bytes])
        given | beam.ParDo(SendShard(JobSpec(str(config)), streaming=False)).with_outputs("failures", main="tallies")
    return time.process_time() - start


def rounds(config: Path, keyed: Sequence[tuple[str, bytes]]) -> Iterator[tuple[float, float]]:
    """Seconds with dedup and without it."""
    for _ in range(ROUNDS):
        with_dedup = seconds(config, keyed)
        with mock.patch.object(Shard, "_new_of", all_new):
            yield with_dedup, seconds(config, keyed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=50_000)
    count = parser.parse_args().statements
    logging.disable(logging.WARNING)
    os.environ["EDX2LRS_ID_KEY"] = "a key of the benchmark"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "c.yaml")
        config.write_text(CONFIG.replace("FOLDER", folder), encoding="utf-8")
        for size in (100, 1):
            number = count if size > 1 else count // 10
            measured = list(rounds(config, blocks(number, size)))
            cost = median(with_dedup - without for with_dedup, without in measured) / number
            share = median(with_dedup / without for with_dedup, without in measured)
            print(f"blocks of {size}: dedup costs {cost / PROMISED:.3f} of what is promised; the step takes {share:.2f} times as long")


if __name__ == "__main__":
    main()
