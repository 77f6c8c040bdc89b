"""A state directory with statements in it, and senders between it and an LRS."""

from __future__ import annotations

import json
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.io.delivery.notices import Notice
from edx2lrs.io.delivery.senders import Senders
from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import State, open_state
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.transforms.config_types import Consumer, Retry
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.packing.blocks import BlockStatement, Origin, pack
from testkit import waiting
from testkit.scripted_lrs import reset


class Outside:
    """What surrounds the senders in a test: a state with ``consumers`` in it, and the notices that came."""

    def __init__(self, folder: Path, consumers: Sequence[Consumer], random: Callable[[], float] = lambda: 0.0) -> None:
        self.state: State = open_state(folder, ids=100_000, statements=100_000)
        self.consumers = consumers
        self.notices: list[Notice] = []
        self.tell: Callable[[Notice], None] = self.notices.append
        self._waves = 0
        self.state.ledger.begin_run("test", [consumer.name for consumer in consumers], "test")
        self.state.pieces.register([SeenPiece(PieceKey("log"), 1, "00", 1)])
        self.senders = Senders(self.state.outbox, consumers, self._client, lambda notice: self.tell(notice), random)

    def _client(self, consumer: Consumer) -> LrsClient:
        return LrsClient(consumer, credentials_of(consumer, lambda reference: f"secret of {reference}"), "http://lms")

    def keep(self, consumer: Consumer, count: int, block: int = 100, size: int = 20) -> list[str]:
        """Keep ``count`` new statements for ``consumer`` in blocks; gives their ids."""
        statements = [_statement(number, size) for number in range(count)]
        blocks = [pack(consumer.name, statements[at : at + block]) for at in range(0, count, block)]
        tally = Counter({Counted(consumer.name, "translated"): count})
        read = ReadPiece(PieceKey("log"), self._waves, Reached(self._waves + 1, self._waves + 1))
        self.state.keep_wave(KeptWave([read], blocks, [], tally))
        self._waves += 1
        return [str(uuid.UUID(bytes=statement.id)) for statement in statements]

    def counts(self, consumer: Consumer) -> dict[str, int]:
        """The ledger's counts of ``consumer``."""
        return {each.text: n for each, n in self.state.ledger.totals().items() if each.consumer == consumer.name}

    def send_all(self, patience: float = 0.0) -> None:
        """Start and drain."""
        self.senders.start()
        self.senders.drain(patience)

    def close(self) -> None:
        assert self.senders.stop(10), "a sender did not end"
        self.state.close()


def _statement(number: int, size: int) -> BlockStatement:
    identifier = uuid.uuid4()
    body = json.dumps({"id": str(identifier), "number": number, "pad": "x" * size}).encode()
    return BlockStatement(identifier.bytes, body, hash8(body), Origin(f"log:{number + 1}"))


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Callable[..., Outside]]:
    """Makes the surroundings of one set of senders."""
    made: list[Outside] = []

    def make(*consumers: Consumer) -> Outside:
        made.append(Outside(tmp_path / f"state-{len(made)}", consumers))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def consumer() -> Callable[..., Consumer]:
    """Makes a consumer that is quick to try again."""

    def make(url: str, **options: Any) -> Consumer:
        defaults = {
            "name": "campus",
            "protocol": "xapi",
            "access": "all",
            "retry": Retry(base_delay=0.01, max_delay=1.0),
        }
        return Consumer(url=url, **{**defaults, **options})

    return make


@pytest.fixture
def until() -> Callable[..., None]:
    return waiting.until


@pytest.fixture
def tcp_reset() -> Callable[[socket.socket], None]:
    return reset
