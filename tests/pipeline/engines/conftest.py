"""A shard as an engine serves it: cells in memory, an LRS that answers as it is told, a clock that is set."""

from __future__ import annotations

import itertools
import json
import uuid
from collections import Counter
from typing import Any

import msgspec
import pytest

from edx2lrs.io.delivery.decision import Answer
from edx2lrs.io.delivery.shard_sending import Absent, TurnTaker
from edx2lrs.pipeline.engines.shard import Cells, Shard, ShardSetup
from edx2lrs.transforms.config_types import BatchOptions, Consumer, Rate, Retry
from edx2lrs.transforms.counters import counted
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.packing.blocks import BlockStatement, Origin, pack
from edx2lrs.transforms.packing.shards import ShardKey
from testkit.sums import assert_statements_add_up

_keys = itertools.count()


class Value:
    def __init__(self):
        self.value = None

    def read(self):
        return self.value

    def write(self, value):
        self.value = bytes(value)


class Bag:
    def __init__(self):
        self.values = []

    def read(self):
        return list(self.values)

    def add(self, value):
        self.values.append(bytes(value))

    def clear(self):
        self.values.clear()


class Lrs:
    """Keeps what it answers 200 to; ``answer`` may be set to another answer, or to a function of the bodies."""

    def __init__(self):
        self.answer: Any = Answer(200)
        self.requests: list[int] = []
        self.stored: Counter[str] = Counter()

    def post(self, lines):
        bodies = lines.split(b"\n")
        self.requests.append(len(bodies))
        answer = self.answer(bodies) if callable(self.answer) else self.answer
        if answer.status == 200:
            self.stored.update(json.loads(body)["id"] for body in bodies)
        return answer

    def close(self):
        pass


class Engine:
    """One shard of one consumer. ``absent``: the configuration has it no more. ``restart``: the worker is another one, the state is
    what was committed."""

    def __init__(self, statements=1_000, **consumer):
        options = {
            "batch": BatchOptions(size=10, interval=5.0), "rate": Rate(concurrency=1), "retry": Retry(base_delay=0.1), **consumer,
        }
        self.consumer = Consumer(name="campus", protocol="xapi", url="http://lrs", access="all", **options)
        self.now = 1_000_000.0
        self.lrs = Lrs()
        self.cells = Cells(Value(), Bag(), Bag(), Bag(), Value())
        self.tally: Counter[str] = Counter()
        self.failures: list[Any] = []
        self.timer: float | None = None
        self._statements = statements
        self.absent = False
        self.key = ShardKey("campus", next(_keys))

    def receive(self, *statements):
        return self._told(self._shard().receive(pack("campus", statements), self.now))

    def advance(self, seconds):
        """Time goes on; the timer fires when it is due."""
        end = self.now + seconds
        while self.timer is not None and self.timer <= end:
            self.now, self.timer = max(self.now, self.timer), None
            self._told(self._shard().again(self.now))
        self.now = end

    def end(self, limits):
        self._told(self._shard().end(limits))

    def restart(self):
        self.key = ShardKey("campus", next(_keys))

    def _sleep(self, seconds):
        self.now += max(0.0, seconds)

    def _shard(self):
        taker = TurnTaker(self.consumer, self.lrs, lambda: self.now, self._sleep, lambda: 0.5)
        if self.absent:
            taker = Absent(self.consumer, 60.0, lambda: self.now)
        return Shard(self.key, self.cells, ShardSetup(self.consumer, taker, 100_000, self._statements))

    def _told(self, outcome):
        self.tally.update({each.text: number for each, number in outcome.tally.items()})
        self.failures += outcome.failures
        self.outcome = outcome
        if outcome.again_at is not None:
            self.timer = outcome.again_at

    def assert_adds_up(self):
        head = msgspec.msgpack.decode(self.cells.head.read())
        tally = {counted("campus", text): number for text, number in self.tally.items()}
        assert_statements_add_up(tally, {"campus": head["queued"] + head["tried"]})


@pytest.fixture
def engine():
    return Engine


@pytest.fixture
def statement():
    def make(number, body=None, event=None):
        identifier = uuid.uuid5(uuid.NAMESPACE_URL, str(number))
        text = json.dumps({"id": str(identifier), "body": number if body is None else body}).encode()
        event_hash = hash8(str(number if event is None else event).encode())
        return BlockStatement(identifier.bytes, text, event_hash, Origin(f"log:{number + 1}"))

    return make
