"""TLS: who is trusted, who we are, and what a consumer's circuit says when it fails."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.transforms.config_types import Tls

BODY = b'{"id":"12345678-1234-4234-8234-123456789012"}'
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class Made(NamedTuple):
    """A certificate with its key, and the files of both."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    cert_file: str
    key_file: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, signed_certificate: Any) -> Callable[..., Made]:
    """Makes a certificate, signed by ``by`` or by itself."""
    folder = tmp_path_factory.mktemp("tls")

    def make(name: str, by: Made | None = None, until: datetime.datetime = NOW + DAY) -> Made:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = by.certificate.subject if by else subject
        certificate = signed_certificate(subject, key, issuer, by.key if by else key, NOW - 2 * DAY, until)
        cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return Made(certificate, key, str(cert_file), str(key_file))

    return make


@pytest.fixture(scope="module")
def authority(made: Callable[..., Made]) -> Made:
    return made("authority")


@pytest.fixture(scope="module")
def server(made: Callable[..., Made], authority: Made) -> ssl.SSLContext:
    return context_of(made("server", authority))


def context_of(its: Made) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(its.cert_file, its.key_file)
    return context


@pytest.fixture
def answer(consumer: Any) -> Callable[..., Any]:
    """What comes of one request with these options."""

    def ask(url: str, **options: Any) -> Any:
        options.setdefault("timeout", 5.0)
        its = consumer(url, **options)
        with contextlib.closing(LrsClient(its, credentials_of(its, str), "http://lms")) as client:
            return client.post(BODY)

    return ask


def test_an_authority_of_the_consumer_s_own_is_trusted(new_lrs: Any, answer: Any, server: Any, authority: Made) -> None:
    lrs = new_lrs("127.0.0.1", server)
    assert lrs.url.startswith("https:")
    assert answer(lrs.url, tls=Tls(ca=authority.cert_file)).status == 200


def test_it_comes_before_the_one_of_the_environment(
    new_lrs: Any, answer: Any, server: Any, authority: Made, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lrs = new_lrs("127.0.0.1", server)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", made("stranger").cert_file)
    assert answer(lrs.url).error == "tls"
    assert answer(lrs.url, tls=Tls(ca=authority.cert_file)).status == 200
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.cert_file)
    assert answer(lrs.url).status == 200


def test_who_is_not_trusted_gets_nothing(new_lrs: Any, answer: Any, server: Any) -> None:
    lrs = new_lrs("127.0.0.1", server)
    got = answer(lrs.url)
    assert (got.error, got.detail) == ("tls", "unable to get local issuer certificate")
    assert lrs.requests == []


def test_an_expired_certificate_is_named(new_lrs: Any, answer: Any, made: Any, authority: Made) -> None:
    lrs = new_lrs("127.0.0.1", context_of(made("expired", authority, NOW - DAY)))
    got = answer(lrs.url, tls=Tls(ca=authority.cert_file))
    assert (got.error, got.detail) == ("tls", "certificate has expired")


def test_a_certificate_of_another_host_is_refused(new_lrs: Any, answer: Any, server: Any, authority: Made) -> None:
    lrs = new_lrs("127.0.0.1", server)
    got = answer(lrs.url.replace("127.0.0.1", "localhost"), tls=Tls(ca=authority.cert_file))
    assert got.error == "tls"
    assert "localhost" in got.detail


@pytest.fixture
def strict(made: Callable[..., Made], authority: Made) -> ssl.SSLContext:
    context = context_of(made("strict", authority))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.cert_file)
    return context


def test_a_certificate_of_ours_is_shown_to_who_asks(
    new_lrs: Any, answer: Any, strict: Any, made: Any, authority: Made, tmp_path: Path
) -> None:
    lrs = new_lrs("127.0.0.1", strict)
    ours = made("client", authority)
    assert answer(lrs.url, tls=Tls(ca=authority.cert_file, cert=ours.cert_file, key=ours.key_file)).status == 200
    both = tmp_path / "both.pem"
    both.write_text(Path(ours.cert_file).read_text() + Path(ours.key_file).read_text())
    assert answer(lrs.url, tls=Tls(ca=authority.cert_file, cert=str(both))).status == 200


def test_without_it_nothing_is_delivered(new_lrs: Any, answer: Any, strict: Any, authority: Made) -> None:
    lrs = new_lrs("127.0.0.1", strict)
    assert answer(lrs.url, tls=Tls(ca=authority.cert_file)).error in ("tls", "reset")
    assert lrs.requests == []


@pytest.fixture
def reader(server: ssl.SSLContext) -> Iterator[int]:
    """The port of a TLS server that takes in a little now and then and never answers."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            connection, _ = listening.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with contextlib.suppress(OSError), server.wrap_socket(connection, server_side=True) as tls:
                while not stop.wait(0.05) and tls.recv(20_000):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        stop.set()
        thread.join(5)


def test_a_server_that_reads_drop_by_drop_costs_one_time_out(reader: int, consumer: Any, authority: Made) -> None:
    its = consumer(f"https://127.0.0.1:{reader}", timeout=0.6, tls=Tls(ca=authority.cert_file))
    started = time.monotonic()
    with contextlib.closing(LrsClient(its, credentials_of(its, str), "http://lms")) as client:
        got = client.post(b'"' + b"x" * 20_000_000 + b'"')
    assert got.error == "timeout"
    assert time.monotonic() - started < 3.0
