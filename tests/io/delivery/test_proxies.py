"""Proxies are those of the usual environment variables."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.io.proxies import proxies_for

BODY = b'{"id":"12345678-1234-4234-8234-123456789012"}'


class Proxy:
    """A proxy on loopback: notes what it is asked for, and connects every request to ``target`` (a port), or answers ``says``."""

    def __init__(self, target: int, says: bytes = b"") -> None:
        self.heads: list[bytes] = []
        self._target, self._says = target, says
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(connection,), daemon=True).start()

    def _pass_on(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            self.heads.append(head)
            if self._says:
                connection.sendall(self._says)
                while not self._says.endswith(b"\r\n\r\n"):
                    connection.sendall(b"H")
                    time.sleep(0.02)  # it drips until the other side has gone
                return
            with socket.create_connection(("127.0.0.1", self._target)) as behind:
                if head.startswith(b"CONNECT"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    behind.sendall(head)
                self._copy(connection, behind)

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([one, other], [], [], 10)
            for each in ready:
                data = each.recv(65_536)
                if not data:
                    return
                (other if each is one else one).sendall(data)


@pytest.fixture
def proxy(lrs: Any) -> Iterator[Callable[..., Proxy]]:
    made: list[Proxy] = []

    def make(says: bytes = b"") -> Proxy:
        made.append(Proxy(lrs.server.server_address[1], says))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def answer(consumer: Any) -> Callable[..., Any]:
    def ask(url: str, timeout: float = 5.0) -> Any:
        its = consumer(url, timeout=timeout)
        with contextlib.closing(LrsClient(its, credentials_of(its, str), "http://lms")) as client:
            return client.post(BODY)

    return ask


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_http_goes_by_its_proxy(lrs: Any, proxy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    between = proxy()
    monkeypatch.setenv(variable, f"http://ann:pa%24s@127.0.0.1:{between.port}")
    assert answer("http://lrs.example.edu/xAPI").status == 200
    assert between.heads[0].startswith(b"POST http://lrs.example.edu/xAPI/statements HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic YW5uOnBhJHM=" in between.heads[0]
    assert len(lrs.requests) == 1


def test_no_proxy_names_who_is_reached_without(lrs: Any, proxy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    between = proxy()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{between.port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert answer(lrs.url).status == 200
    assert between.heads == []


@pytest.mark.parametrize(
    ("url", "excluded"),
    [
        ("http://10.1.2.3/x", "10.0.0.0/8"),
        ("http://10.1.2.3:8080/x", "192.168.0.0/16, 10.0.0.0/255.0.0.0"),
        ("http://10.1.2.3/x", "10.9.9.9/8"),
        ("http://10.1.2.3:8080/x", "10.1.2.3"),
        ("http://10.1.2.3:8080/x", "10.1.2.3:8080"),
        ("https://10.1.2.3/x", "10.0.0.0/8:443"),
        ("http://[fd00::5]/x", "fd00::/8"),
        ("http://[fd00::5]:8080/x", "[fd00::]/8"),
        ("http://[fd00::5]:8080/x", "[fd00::/8]"),
        ("http://[fd00::5]:8080/x", "fd00:0::5"),
        ("http://[fd00::5]:8080/x", "[FD00::5]"),
        ("http://[fd00::5]:8080/x", "[fd00::5]:8080"),
        ("http://[::ffff:10.1.2.3]/x", "10.0.0.0/8"),
        ("http://[fe80::1%25eth0]/x", "fe80::/10"),
        ("http://[::1]/x", "localhost,::1"),
        ("http://lrs.example.edu/x", "lrs.example.edu"),
        ("http://LRS.Example.EDU./x", "lrs.EXAMPLE.edu"),
        ("http://lrs.example.edu/x", "example.edu."),
        ("http://lrs.example.edu/x", ".example.edu"),
        ("http://lrs.example.edu/x", "*.example.edu"),
        ("http://lrs.example.edu/x", "a.b example.edu"),
        ("http://lrs.example.edu:8080/x", "example.edu:8080"),
        ("https://lrs.example.edu/x", "example.edu:443"),
        ("http://lrs.example.edu/x", "a, , *"),
    ],
)
def test_who_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch, url: str, excluded: str) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, excluded)
        assert proxies_for(url) == {}
        monkeypatch.delenv(name)
    assert set(proxies_for(url)) == {"http", "https"}


@pytest.mark.parametrize(
    ("url", "excluded"),
    [
        ("http://10.1.2.3/x", "11.0.0.0/8,10.1.2.30,10.1.2,1.2.3"),
        ("http://10.1.2.3:8080/x", "10.1.2.3:80,10.0.0.0/8:81"),
        ("http://[fd00::5]/x", "fc00::/8, ::5, [fd00::5]:81, 0.0.0.0/0"),
        ("http://10.1.2.3/x", "::/0, 10.0.0.0/99, 10.0.0.0/, /8, [, ]:80, :80"),
        ("http://lrs.example.edu/x", "notlrs.example.edu,rs.example.edu,example.com,lrs.example.edu:443,10.0.0.0/8,.,*.,edu.example"),
        ("http://notexample.edu/x", "example.edu,.example.edu,*.example.edu"),
    ],
)
def test_who_is_reached_by_the_proxy(monkeypatch: pytest.MonkeyPatch, url: str, excluded: str) -> None:
    monkeypatch.setenv("all_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", excluded)
    assert proxies_for(url) == {"all": "http://proxy:3128"}


def test_each_scheme_has_its_proxy_and_small_letters_go_first(proxy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    used, other = proxy(), proxy()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{other.port}")
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{used.port}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{other.port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{other.port}")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,fd00::/8")
    assert answer("http://lrs.example.edu/xAPI").status == 200
    assert (len(used.heads), len(other.heads)) == (1, 0)
    answer("https://lrs.example.edu/xAPI")
    assert (len(used.heads), len(other.heads)) == (1, 1)


def test_a_proxy_that_is_not_supported_is_named(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("socks5://127.0.0.1:1", "http://", "://x"):
        monkeypatch.setenv("http_proxy", proxy)
        assert answer("http://lrs.example.edu/xAPI").error == "proxy"


def test_https_goes_through_a_tunnel(proxy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    between = proxy()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{between.port}")
    got = answer("https://lrs.example.edu/xAPI")  # what is behind the tunnel speaks no TLS
    assert between.heads[0].startswith(b"CONNECT lrs.example.edu:443 HTTP/1.")
    assert got.error in ("tls", "reset", "timeout")


def test_a_proxy_that_refuses_is_named(proxy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    between = proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{between.port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{between.port}")
    assert answer("https://lrs.example.edu/xAPI").error == "proxy"
    assert answer("http://lrs.example.edu/xAPI").status == 407


def test_a_proxy_that_drips_costs_one_time_out(proxy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy(b'HTTP/1.1 200 O').port}")
    got = answer("https://lrs.example.edu/xAPI", timeout=0.5)
    assert got.error in ("timeout", "proxy")
    assert got.seconds < 2.0


def test_a_proxy_that_is_not_there(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert answer("http://lrs.example.edu/xAPI").error == "proxy"


def test_what_a_proxy_repeats_of_its_credentials_is_not_shown(proxy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    between = proxy(b"HTTP/1.1 407 No\r\nContent-Length: 49\r\n\r\nYW5uOmh1bnRlcjIyL3h5eno= hunter22/xyzz HUNTER22%2f xy\r\n\r\n")
    monkeypatch.setenv("http_proxy", f"http://ann:hunter22%2Fxyzz@127.0.0.1:{between.port}")
    assert answer("http://lrs.example.edu/xAPI").excerpt.startswith("*** *** ***")
