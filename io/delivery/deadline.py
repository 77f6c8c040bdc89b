"""An HTTP adapter whose time-out is the end of the whole request; that of ``requests`` starts anew each byte. No answer is read without
an end: interim answers (1xx), trailers and bytes have bounds."""

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


_INTERIM_ANSWERS = 16
_TRAILERS = 100  # as many as http.client takes headers
_MOST_BYTES = 64 * 1024 * 1024


class _Reader(io.RawIOBase):
    """Reads from a socket until a moment of the monotonic clock, then ``TimeoutError``; no more than so many bytes."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, end: float) -> None:
        self._raw = raw
        self._sock = sock
        self._end = end
        self._left = _MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise http.client.HTTPException("the answer has no end")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """The two methods are of http.client, which knows no other interim answer than 100 and has no bounds."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_INTERIM_ANSWERS):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stub
            if not 100 <= status < 200 or status == http.client.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("more interim answers than any server needs")

    def _read_and_discard_trailer(self) -> None:
        for _ in range(_TRAILERS):
            if self.fp.readline(65_537) in (b"\r\n", b"\n", b""):
                return
        raise http.client.HTTPException("more trailers than any server needs")


def _response_until(end: float, sock: socket.socket, **options: Any) -> http.client.HTTPResponse:
    response = _Response(sock, **options)
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
