"""Talks to every consumer and stores nothing at the consumer: `edx2lrs check --connect`."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.decision import Answer, Hold, Policy, Sent, decide, said
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.io.delivery.statement_files import is_place, naming
from edx2lrs.io.paths import remove, write_bytes
from edx2lrs.transforms.auth import NoAuth
from edx2lrs.transforms.config_types import Config, Consumer

_AT_ONCE = 16
_LONGEST = 10.0  # seconds of one request


class ConnectionFinding(NamedTuple):
    """The result for one consumer, in a few words."""

    consumer: str
    fine: bool
    text: str


def findings(config: Config, resolve: Callable[[str], str]) -> Iterator[ConnectionFinding]:
    """A finding for each consumer, in the order of the consumers; ``resolve`` gives the secret of a reference."""

    def of(consumer: Consumer) -> ConnectionFinding:
        if is_place(consumer.url):
            return _of_place(consumer)
        quick = msgspec.structs.replace(consumer, timeout=min(consumer.timeout, _LONGEST))
        credentials = credentials_of(consumer, resolve)
        with contextlib.closing(LrsClient(quick, credentials, consumer.sensor or config.lms.root_url)) as client:
            read = client.query() if consumer.protocol == "xapi" else None
            # A consumer that cannot be reached for reading, or refuses the credentials, need not be asked again.
            wrote = read if read is not None and read.status in (None, 401) else client.post(b"")
        return verdict(consumer, read, wrote)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(of, config.consumers)


def verdict(consumer: Consumer, read: Answer | None, wrote: Answer) -> ConnectionFinding:
    """The meaning of the answers to a query (xAPI) and to an empty batch. A consumer that refuses or accepts an empty batch has
    accepted the credentials. Some servers fail at an empty batch; then the query decides."""
    if wrote.is_stored or wrote.status in (400, 409, 413, 422):
        return ConnectionFinding(consumer.name, True, f"reachable, {_tls(consumer)}, {_credentials(consumer, 'accepted')}")
    if wrote.status is not None and wrote.status >= 500 and read is not None and read.is_stored:
        known = _credentials(consumer, f"accepted for reading; an empty batch was answered with {wrote.status}")
        return ConnectionFinding(consumer.name, True, f"reachable, {_tls(consumer)}, {known}")
    decision = decide(wrote, Sent(ids=[b""]), Policy(consumer.protocol, consumer.retry, refusals=2), float)
    reason = decision.reason if isinstance(decision, Hold) else said(wrote)
    return ConnectionFinding(consumer.name, False, reason)


def _tls(consumer: Consumer) -> str:
    if consumer.url.lower().startswith("http:"):
        return "no TLS"
    return "TLS with a certificate of ours" if consumer.tls.cert else "TLS"


def _credentials(consumer: Consumer, what: str) -> str:
    return f"credentials {what}" if consumer.auth != NoAuth() else f"no credentials, {what}"


def _of_place(consumer: Consumer) -> ConnectionFinding:
    if consumer.url == "stdout:":
        return ConnectionFinding(consumer.name, True, "standard output")
    path = f"{naming(consumer.url, consumer.name).folder}/edx2lrs-check-{secrets.token_hex(8)}"
    try:
        write_bytes(path, b"")
        remove(path)
    except OSError as error:
        return ConnectionFinding(consumer.name, False, f"cannot be written: {error.strerror or type(error).__name__}")
    return ConnectionFinding(consumer.name, True, "can be written")
