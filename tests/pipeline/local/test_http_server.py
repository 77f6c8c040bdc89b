"""The server of ``--http``: who may connect, and what slow clients cost."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from edx2lrs.pipeline.local import http_server
from edx2lrs.pipeline.local.metrics import serving
from edx2lrs.pipeline.run_options import OptionError
from testkit.waiting import free_port, until

BODY = b"x" * 200_000


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/broken":
        raise KeyError("a text of somebody")
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Accept", environ.get("HTTP_ACCEPT", ""))])
    return [BODY if environ["PATH_INFO"] == "/large" else environ["PATH_INFO"].encode()]


@pytest.fixture
def port() -> Iterator[int]:
    with http_server.serving(application, "127.0.0.1", 0) as port:  # type: ignore[arg-type]
        yield port


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connected(port: int, sent: bytes, host: str = "127.0.0.1") -> socket.socket:
    client = socket.create_connection((host, port), timeout=20)
    client.sendall(sent)
    return client


def answer(port: int, sent: bytes) -> bytes:
    """All that comes until the server closes."""
    with connected(port, sent) as client:
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_an_answer_is_whole_and_ends_its_connection(port: int) -> None:
    head, _, body = answer(port, b"GET /large?a=1 HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Length: 200000\r\nConnection: close" in head
    assert b"\r\nX-Accept: text/html\r\n" in head
    assert body == BODY
    assert answer(port, b"HEAD /large HTTP/1.0\r\n\r\n").endswith(b"close\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n" + BODY, b"405"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\x16\x03\x01\xff\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"400"),
        (b"GET //[ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /broken HTTP/1.1\r\n\r\n", b"500"),
        (b"GET /%00%ff HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", b"200"),
    ],
)
def test_what_is_no_usual_request(port: int, sent: bytes, status: bytes) -> None:
    assert answer(port, sent)[9:12] == status


def test_a_head_has_a_bound(port: int) -> None:
    with connected(port, b"GET / HTTP/1.1\r\nX: " + b"y" * 16_384) as client:
        client.settimeout(10)
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_a_quick_client_is_answered_beside_hundreds_of_slow_ones(port: int, clients: ExitStack) -> None:
    before = descriptors()
    for _ in range(300):
        clients.enter_context(connected(port, b"GET / HTTP/1.1\r\nX-Slow: "))
        if _ % 50 == 0:
            assert answer(port, b"GET /healthz HTTP/1.1\r\n\r\n").endswith(b"/healthz")
    assert answer(port, b"GET /healthz HTTP/1.1\r\n\r\n").endswith(b"/healthz")
    of_clients = 300
    until(lambda: descriptors() - before <= of_clients + http_server.CONNECTIONS + 2)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nX-Slow: ", b"", b"GET /large HTTP/1.1\r\n\r\n"])
def test_a_request_has_an_end(monkeypatch: pytest.MonkeyPatch, port: int, sent: bytes) -> None:
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 0.5)
    with connected(port, sent) as client:
        began = time.monotonic()

        def has_ended() -> bool:
            try:
                client.sendall(b"y")  # the drip itself
            except OSError:
                return True
            return False

        until(has_ended)
        assert time.monotonic() - began < 5


def test_it_ends_while_clients_are_connected(clients: ExitStack) -> None:
    with http_server.serving(application, "127.0.0.1", 0) as port:  # type: ignore[arg-type]
        for _ in range(5):
            clients.enter_context(connected(port, b"GET"))
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert not [thread for thread in threading.enumerate() if thread.name == "http"]


ADDRESSES = [
    ("{}", "127.0.0.1"),
    (":{}", "127.0.0.1"),
    ("127.0.0.1:{}", "127.0.0.1"),
    ("localhost:{}", "127.0.0.1"),
    ("0.0.0.0:{}", "127.0.0.1"),
    ("[::1]:{}", "::1"),
    ("::1:{}", "::1"),
    ("[::]:{}", "::1"),
    ("[::]:{}", "127.0.0.1"),
]


@pytest.mark.parametrize(("address", "host"), ADDRESSES)
def test_addresses(address: str, host: str) -> None:
    port = free_port()
    with serving(address.format(port)), connected(port, b"GET /healthz HTTP/1.1\r\n\r\n", host) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("address", ["", "nowhere", "1:", "70000", "x:70000", "[::1", "[::1]", "::1]:80", "http://x:80", "\u0661"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(OptionError, match="no port; give PORT"), serving(address):
        pass


def test_an_address_that_cannot_be_used() -> None:
    for host in ("no.such.host.invalid", "x" * 80, "192.0.2.1"):
        with pytest.raises(OptionError, match="choose another"), serving(f"{host}:{free_port()}"):
            pass
    with serving("0"), socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match="Address already in use"), serving(str(port)):
            pass
