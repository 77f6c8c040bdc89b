"""Delivery to real LRSs. EDX2LRS_PEERS names a folder with a script that starts them: ``lrs_up.sh ll|ralph PORT``, which prints
``pid=... url=... user=... password=...``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.io.delivery.senders import Senders
from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import open_state
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.pipeline.app.connection_check import findings
from edx2lrs.transforms.auth import BasicAuth
from edx2lrs.transforms.config_types import Config, Consumer, Lms
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.packing.blocks import BlockStatement, Origin, pack
from testkit.waiting import free_port

PEERS = os.environ.get("EDX2LRS_PEERS")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PEERS, reason="EDX2LRS_PEERS does not name a folder with lrs_up.sh"),
]


@pytest.fixture(params=["ll", "ralph"])
def campus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Consumer]:
    """A consumer whose LRS has just been started, empty."""
    port = free_port()
    script = Path(str(PEERS)) / "lrs_up.sh"
    output = subprocess.run([str(script), request.param, str(port)], capture_output=True, text=True, check=True, timeout=420).stdout
    said = dict(word.split("=", 1) for word in output.split())
    monkeypatch.setenv("LRS_USER", said["user"])
    monkeypatch.setenv("LRS_PASSWORD", said["password"])
    auth = BasicAuth(username="env:LRS_USER", password="env:LRS_PASSWORD")
    yield Consumer(name=request.param, protocol="xapi", url=said["url"], access="all", auth=auth)
    os.kill(int(said["pid"]), signal.SIGTERM)


def statement(identifier: uuid.UUID, **more: object) -> bytes:
    body = {
        "id": str(identifier),
        "actor": {"objectType": "Agent", "account": {"homePage": "http://lms", "name": "someone"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"},
        "object": {"objectType": "Activity", "id": "http://lms/course"},
        "timestamp": "2026-01-01T00:00:00.000001+00:00",
        "version": "1.0.3",
    }
    return json.dumps({**body, **more}).encode()


def deliver(folder: Path, consumer: Consumer, bodies: dict[uuid.UUID, bytes]) -> dict[str, int]:
    """Deliver from a new state directory; gives the consumer's counts and ``waiting``."""
    with open_state(folder, ids=10_000, statements=10_000) as state:
        state.ledger.begin_run("test", [consumer.name], "test")
        state.pieces.register([SeenPiece(PieceKey("log"), 1, "00", 1)])
        statements = [BlockStatement(each.bytes, body, hash8(body), Origin("log:1")) for each, body in bodies.items()]
        blocks = [pack(consumer.name, statements)]
        state.keep_wave(KeptWave([ReadPiece(PieceKey("log"), 0, Reached(1, 1, True))], blocks, [], {}))
        credentials = credentials_of(consumer, lambda reference: os.environ[reference.removeprefix("env:")])
        senders = Senders(state.outbox, [consumer], lambda each: LrsClient(each, credentials, "http://lms"), lambda _: None)
        senders.start()
        senders.drain()
        assert senders.stop(10)
        counts = {each.text: count for each, count in state.ledger.totals().items() if each.consumer == consumer.name}
        return {**counts, "waiting": state.outbox.waiting(consumer.name)}


def test_new_repeated_conflicting_and_bad_statements(campus: Consumer, tmp_path: Path) -> None:
    ids = [uuid.uuid4() for _ in range(250)]
    bodies = {each: statement(each) for each in ids}

    first = deliver(tmp_path / "first", campus, bodies)
    assert (first["delivered"], first["waiting"]) == (250, 0)

    again = deliver(tmp_path / "again", campus, bodies)
    known = "already_stored" if campus.name == "ralph" else "delivered"  # the other one lists all ids, new or not
    assert (again[known], again["waiting"]) == (250, 0)

    more = [uuid.uuid4() for _ in range(40)]
    bad, conflicting = more[7], ids[3]
    mixed = {each: statement(each) for each in more}
    mixed[bad] = statement(bad, verb=None)
    mixed[conflicting] = statement(conflicting, timestamp="2026-01-02T00:00:00+00:00")
    last = deliver(tmp_path / "last", campus, mixed)
    assert (last["delivered"], last["dead_statements/refused"], last["conflicts"], last["waiting"]) == (39, 1, 1, 0)


def test_wrong_credentials_hold_ralph(campus: Consumer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if campus.name == "ll":
        pytest.skip("Learning Locker's test server takes any credentials")
    monkeypatch.setenv("LRS_PASSWORD", "wrong")
    identifier = uuid.uuid4()
    counts = deliver(tmp_path / "state", campus, {identifier: statement(identifier)})
    assert (counts["waiting"], counts["requests"]) == (1, 1)


def test_its_readiness_is_seen(campus: Consumer) -> None:
    config = Config(lms=Lms(root_url="http://lms"), consumers=[campus])
    (right,) = findings(config, lambda reference: os.environ[reference.removeprefix("env:")])
    assert right == (campus.name, True, "reachable, no TLS, credentials accepted")
    if campus.name == "ll":
        return  # as it is started here, it takes any password
    (wrong,) = findings(config, lambda _: "wrong")
    assert wrong == (campus.name, False, "answered 401: the credentials are not accepted")
