"""A small HTTP server for a few short pages, beside work that must not suffer from its clients: few connections, little time for each.

A client that sends or reads slowly, or many clients at once, cost ``CONNECTIONS`` descriptors and no time of other threads. When a
connection more comes, the oldest connection is closed, so that a quick client gets its answer also then."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import logging
import operator
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CONNECTIONS = 16
REQUEST_SECONDS = 10.0
"""For the whole of a request: its head, and reading the answer."""
_HEAD_BYTES = 16_384
_LOG = logging.getLogger("edx2lrs")


@contextlib.contextmanager
def serving(application: WSGIApplication, host: str, port: int) -> Iterator[int]:
    """Serves GET and HEAD, and gives the port; answers one request of a connection. The host ``::`` is every address, those of IPv4
    too. Raises OSError."""
    listening = _listening(host, port)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="http", daemon=True)
    thread.start()
    server = _Server(application)
    asyncio.run_coroutine_threadsafe(server.begin(listening), loop).result()
    try:
        yield listening.getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(server.end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _listening(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, address = min(found, key=operator.itemgetter(0))  # IPv4 first: localhost is 127.0.0.1
    everywhere = family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=CONNECTIONS, dualstack_ipv6=everywhere)


class _Server:
    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}  # oldest first
        self._server: asyncio.Server | None = None

    async def begin(self, listening: socket.socket) -> None:
        self._server = await asyncio.start_server(self._connected, sock=listening, limit=_HEAD_BYTES, backlog=CONNECTIONS)

    async def end(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a connection is served by a task of its own
        while len(self._open) >= CONNECTIONS:
            oldest = next(iter(self._open))
            self._open.pop(oldest).transport.abort()
            oldest.cancel()
        self._open[task] = writer
        try:
            # What somebody sends who is no HTTP client, or who breaks off, is no news.
            with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await asyncio.wait_for(self._answer(reader, writer), REQUEST_SECONDS)
        except asyncio.CancelledError:
            pass
        finally:
            self._open.pop(task, None)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        # In a thread: the state directory may be busy, and other clients are answered in the meantime.
        answer = await asyncio.get_running_loop().run_in_executor(None, _answered, self._application, head)
        writer.write(answer)
        writer.write_eof()
        await writer.drain()
        while await reader.read(_HEAD_BYTES):  # until the client has read all and closes, or the time is over
            pass


def _answered(application: WSGIApplication, head: bytes) -> bytes:
    request, _, fields = head.partition(b"\r\n")
    try:
        method, target, _ = request.decode("ascii").split(" ")
        path = urlsplit(target)
        headers = http.client.parse_headers(io.BytesIO(fields))
    except (ValueError, http.client.HTTPException):
        return _response("400 Bad Request", [], b"this is no HTTP request\n")
    if method not in ("GET", "HEAD"):
        return _response("405 Method Not Allowed", [("Allow", "GET, HEAD")], b"")
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": unquote(path.path), "QUERY_STRING": path.query}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    told: list[Any] = []

    def start_response(status: str, fields: list[tuple[str, str]], *_: object) -> Any:
        told.extend((status, fields))

    try:
        body = b"".join(application(environ, start_response))
    except Exception as error:  # the next request may be answered
        _LOG.warning("--http: %s was not answered: unexpected %s", environ["PATH_INFO"][:40], type(error).__name__)
        return _response("500 Internal Server Error", [], b"")
    return _response(told[0], told[1], body, with_body=method == "GET")


def _response(status: str, fields: list[tuple[str, str]], body: bytes, with_body: bool = True) -> bytes:
    fields = [field for field in fields if field[0].lower() != "content-length"]
    fields += [("Content-Length", str(len(body))), ("Connection", "close")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + (body if with_body else b"")
