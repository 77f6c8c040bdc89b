"""The sandbox's HTTP server: cheroot, with connections that can be cut on purpose."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cheroot import wsgi

from edx2lrs.pipeline.sandbox.application import MAX_BODY
from edx2lrs.pipeline.sandbox.misbehaviour import ConnectionCutError

_LOG = logging.getLogger("edx2lrs.sandbox")

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_THREADS = 24  # a slow answer uses a thread
_IDLE_SECONDS = 65
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: closing sends RST


class _Gateway(wsgi.Gateway_10):
    def respond(self) -> None:
        if self.req.chunked_read:  # if a chunked body is left unread, its end is not known
            self.req.close_connection = True
        try:
            super().respond()
        except ConnectionCutError:
            self.req.ready = False
            self.req.close_connection = True
            self.req.conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


class _Server(wsgi.Server):
    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """One line for an error of the server itself, such as a client that closed its connection."""
        del level, traceback
        _LOG.error("sandbox: %s", " ".join(msg.split()))


@contextmanager
def serving(application: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[str, int]]:
    """Serves ``application`` from its own threads; gives the host and the port when the server listens.

    With ``port`` 0, the server takes a free port. Raises OSError when the address cannot be used.
    """
    server = _Server((host, port), application, numthreads=_THREADS, server_name="sandbox", timeout=_IDLE_SECONDS)
    server.gateway = _Gateway
    server.max_request_body_size = MAX_BODY
    server.keep_alive_conn_limit = 512
    server.expiration_interval = 0.05  # how long the end of the server may wait for the loop to look up
    server.prepare()
    thread = threading.Thread(target=server.serve, name="sandbox", daemon=True)
    thread.start()
    try:
        yield host, int(server.bind_addr[1])
    finally:
        server.stop()
        thread.join()
