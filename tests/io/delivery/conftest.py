"""An LRS that answers as it is told, a state directory with statements in it, and senders between the two."""

from __future__ import annotations

import gzip
import http.server
import json
import socket
import ssl
import struct
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
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


@dataclass
class Reply:
    """How a request is answered. ``stores``: its statements are kept if the status is a success. ``raw`` is called with
    the socket instead of an answer; ``after`` is waited for first."""

    status: int = 200
    body: bytes | None = None  # None: the list of the ids that were new
    headers: dict[str, str] = field(default_factory=dict)
    stores: bool = True
    raw: Callable[[socket.socket], None] | None = None
    after: threading.Event | None = None


class ScriptedLrs:
    """An LRS on loopback that stores by id and answers what ``behave`` says to the ids of each request."""

    def __init__(self, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        self.behave: Callable[[list[str]], Reply] = accept
        self.requests: list[list[str]] = []
        self.times: list[float] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.sent: list[bytes] = []  # the bodies before they were inflated
        self.stored: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._most = 0
        self._now = 0
        self._host, self._scheme = (f"[{host}]" if ":" in host else host), ("https" if context else "http")
        self.server = _Server6((host, 0), self._handler()) if ":" in host else _Server((host, 0), self._handler())
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self._host}:{self.server.server_address[1]}/xAPI"

    @property
    def most_at_once(self) -> int:
        return self._most

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        lrs = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                lrs._serve(self)

            def do_GET(self) -> None:
                lrs._serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        received = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        body = gzip.decompress(received) if handler.headers.get("Content-Encoding") == "gzip" else received
        sent = json.loads(body or b"[]")
        ids = [each["id"] for each in (sent if isinstance(sent, list) else sent["data"])]
        with self._lock:
            self.requests.append(ids)
            self.times.append(time.monotonic())
            self.paths.append(handler.path)
            self.headers.append(dict(handler.headers))
            self.bodies.append(body)
            self.sent.append(received)
            self._now += 1
            self._most = max(self._most, self._now)
        try:
            self._reply(handler, ids, self.behave(ids))
        finally:
            with self._lock:
                self._now -= 1

    def _reply(self, handler: http.server.BaseHTTPRequestHandler, ids: list[str], reply: Reply) -> None:
        if reply.after is not None:
            reply.after.wait(30)
        with self._lock:
            new = [each for each in ids if each not in self.stored]
            if reply.stores and reply.status < 300:
                self.stored.update(new)
        if reply.raw is not None:
            handler.close_connection = True
            reply.raw(handler.connection)
            return
        body = json.dumps(new).encode() if reply.body is None else reply.body
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if reply.status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if reply.status != 204:
            handler.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Connections that break are the point of it."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def accept(_ids: list[str]) -> Reply:
    return Reply()


def reset(connection: socket.socket) -> None:
    """Answer with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


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
def new_lrs() -> Iterator[Callable[..., ScriptedLrs]]:
    """Makes LRSs, of a host and a TLS context if they are given."""
    made: list[ScriptedLrs] = []

    def make(*place: Any) -> ScriptedLrs:
        made.append(ScriptedLrs(*place))
        return made[-1]

    yield make
    for lrs in made:
        lrs.close()


@pytest.fixture
def lrs(new_lrs: Callable[..., ScriptedLrs]) -> ScriptedLrs:
    return new_lrs()


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
def replies() -> type[Reply]:
    return Reply


@pytest.fixture
def tcp_reset() -> Callable[[socket.socket], None]:
    return reset
