"""What tests of several folders check and make alike."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from testkit.scripted_lrs import Reply, ScriptedLrs
from testkit.sums import assert_report_adds_up

SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""What an authority says of itself; Python checks it from 3.13 on."""


@pytest.fixture(scope="session")
def assert_adds_up():
    return assert_report_adds_up


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
def replies() -> type[Reply]:
    return Reply


@pytest.fixture(scope="session")
def signed_certificate():
    return _signed_certificate


def _signed_certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    since: datetime.datetime,
    until: datetime.datetime,
) -> x509.Certificate:
    """A certificate for 127.0.0.1; one that signs itself is an authority."""
    is_authority = key is issuer_key
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), since, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    if is_authority:
        builder = builder.add_extension(SIGNS, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(issued_by, critical=False)
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return builder.add_extension(x509.SubjectAlternativeName([host]), critical=False).sign(issuer_key, hashes.SHA256())
