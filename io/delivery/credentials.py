"""What a consumer knows us by: its headers, with the secrets in them; renewed when a secret changes."""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from edx2lrs.io.delivery.redaction import Redaction
from edx2lrs.io.secrets import SecretError, fits_header, is_reference
from edx2lrs.transforms.auth import NoAuth
from edx2lrs.transforms.config_types import Consumer

RENEWED_AFTER = 60.0
"""Seconds between looks at the secrets."""
_LOG = logging.getLogger("edx2lrs")


class Credentials:
    """A consumer's headers, with the secrets in them. Never shows them."""

    def __init__(self, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
        self.headers = headers
        self.redacted = Redaction(secrets).redacted

    def __repr__(self) -> str:
        return "Credentials(...)"


def _of_header(name: str, secret: str) -> str:
    if not fits_header(secret):
        raise SecretError(f"the secret of header {name} has line breaks or other than ASCII")
    return secret


def credentials_of(consumer: Consumer, resolve: Callable[[str], str]) -> Credentials:
    """The credentials and headers of ``consumer``; ``resolve`` gives the secret of a reference, and its errors pass
    through; SecretError also for one that no header can hold."""
    secrets: list[str] = []
    headers = dict(consumer.headers)
    for name, value in consumer.headers.items():
        if is_reference(value):
            headers[name] = _of_header(name, resolve(value))
            secrets.append(headers[name])
    signed_in = consumer.auth.sign_in(resolve)
    headers.update((name, _of_header(name, value)) for name, value in signed_in.headers.items())
    return Credentials(headers, [*secrets, *signed_in.secrets])


def go_in_clear(consumer: Consumer) -> bool:
    """Whether the secrets of ``consumer`` go over plain HTTP to another machine, and everybody on the way can read them."""
    parts = urlsplit(consumer.url)
    has_secrets = consumer.auth != NoAuth() or any(map(is_reference, consumer.headers.values()))
    return has_secrets and parts.scheme.lower() == "http" and not _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


class RenewedCredentials:
    """The credentials of a consumer, read again once a minute: a secret that has changed counts from then on. For any thread."""

    def __init__(self, consumer: Consumer, resolve: Callable[[str], str], clock: Callable[[], float] = time.monotonic) -> None:
        """Raises what ``resolve`` raises."""
        self._consumer, self._resolve, self._clock = consumer, resolve, clock
        self._current = credentials_of(consumer, resolve)
        self._next_look = clock() + RENEWED_AFTER
        self._fault = ""
        self._lock = threading.Lock()

    def __call__(self) -> Credentials:
        """The newest that could be read: the same object as long as nothing has changed. While a secret cannot be read, the one
        from before stays in use, which is said once."""
        with self._lock:
            if self._clock() >= self._next_look:
                self._look()
                self._next_look = self._clock() + RENEWED_AFTER
            return self._current

    def _look(self) -> None:
        try:
            newer = credentials_of(self._consumer, self._resolve)
        except SecretError as error:
            if str(error) != self._fault:
                _LOG.warning("consumer %s: %s; the secret from before stays in use", self._consumer.name, error)
            self._fault = str(error)
            return
        self._fault = ""
        if newer.headers != self._current.headers:
            self._current = newer
            _LOG.info("consumer %s: its secrets have changed; the new ones are in use", self._consumer.name)
