"""An LRS that answers as it is told."""

from __future__ import annotations

import gzip
import http.server
import json
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


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
        self.behave: Callable[[list[str]], Reply] = lambda _: Reply()
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


def reset(connection: socket.socket) -> None:
    """Answer with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
