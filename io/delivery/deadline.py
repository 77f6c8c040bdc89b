"""An HTTP adapter whose time-out is the end of the whole request. (That of ``requests`` starts anew each byte.)"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

CONNECT_SECONDS = 6.0  # of one address; long enough for two lost SYNs


class _Reader(io.RawIOBase):
    """Reads from a socket until a moment of the monotonic clock; then ``TimeoutError``."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, end: float) -> None:
        self._raw = raw
        self._sock = sock
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _response_until(end: float, sock: socket.socket, **options: Any) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(sock, **options)
    response.fp = io.BufferedReader(_Reader(response.fp.detach(), sock, end))
    return response


class _Connection(HTTPConnection):
    """urllib3 sets ``timeout`` to the rest of the request's time before connecting and before receiving."""

    def connect(self) -> None:
        whole = self.timeout or CONNECT_SECONDS
        self.timeout = min(whole, CONNECT_SECONDS)
        self._end_at(time.monotonic() + whole)  # a proxy answers to CONNECT
        try:
            super().connect()
        finally:
            self.timeout = whole
        self.sock.settimeout(whole)  # sendall takes it for the whole of what it sends

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        self._end_at(time.monotonic() + (self.timeout or 0.0))
        return super().getresponse()

    def _end_at(self, end: float) -> None:
        self.response_class = functools.partial(_response_until, end)  # type: ignore[assignment]  # http.client only calls it


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """To be used with ``timeout=urllib3.Timeout(total=seconds)``: connecting, sending, headers and body end by then."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager
