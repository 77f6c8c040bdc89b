"""One consumer's LRS over HTTP: POST a batch of finished statements, get an ``Answer``."""

from __future__ import annotations

import base64
import datetime
import gzip
import http.client
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import orjson
import requests
import urllib3
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ReadTimeoutError

from edx2lrs.io.delivery.bodies import caliper_body, xapi_body
from edx2lrs.io.delivery.credentials import Credentials
from edx2lrs.io.delivery.deadline import DeadlineAdapter
from edx2lrs.io.delivery.decision import Answer, NetworkError
from edx2lrs.io.delivery.redaction import Redaction
from edx2lrs.io.delivery.retry_after import retry_after
from edx2lrs.io.proxies import proxies_for
from edx2lrs.transforms.config_types import Consumer, Protocol

_XAPI_VERSION = "1.0.3"

# Bytes of an answer that are read; a list of ids may have as much again as its batch needs.
_ANSWER_BYTES = 65_536
_ID_BYTES = 48
_EXCERPT_CHARACTERS = 500
_REDACTED_BYTES = 8_000  # of which an excerpt is made after secrets were taken out
_GZIP_LEVEL = 4


def endpoint(protocol: Protocol, url: str) -> str:
    """The address to POST to: the URL of a Caliper consumer, unchanged; for xAPI the statements resource (part 3, 2.1) under
    ``url``. ``url`` may end in a slash, or name this resource already."""
    if protocol == "caliper":
        return url
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return urlunsplit(parts._replace(path=path if path.endswith("/statements") else f"{path}/statements"))


class LrsClient:
    """One kept-alive connection to a consumer's LRS; for one thread at a time.

    ``sensor`` is what Caliper envelopes name, unless ``consumer.override_args`` has another. Redirects are never followed, TLS is
    always verified, ``consumer.timeout`` is the end of the whole request. Proxies, and the CA bundle if ``consumer.tls`` has none:
    the usual environment variables. ``renewed`` gives newer credentials when there are."""

    def __init__(
        self, consumer: Consumer, credentials: Credentials, sensor: str, renewed: Callable[[], Credentials] | None = None
    ) -> None:
        self._consumer = consumer
        self._credentials = credentials
        self._renewed = renewed
        self._envelope = {"sensor": sensor, **consumer.override_args.get("envelope", {})}
        url = endpoint(consumer.protocol, consumer.url)
        self._proxies = proxies_for(url)
        self._proxy_secrets = Redaction([secret for proxy in self._proxies.values() for secret in _secrets_of(proxy)])
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")  # as requests' own sessions
        self._verify = consumer.tls.ca or bundle or True
        self._certificate = (consumer.tls.cert, consumer.tls.key or consumer.tls.cert) if consumer.tls.cert else None
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=1)
        # Prepared once, and not by the session, which would look for other credentials in ~/.netrc.
        self._request = requests.Request("POST", url, headers=self._headers(consumer)).prepare()

    def _renew(self) -> None:
        """Takes newer credentials into the headers, if there are newer credentials."""
        if self._renewed is not None and (credentials := self._renewed()) is not self._credentials:
            self._credentials = credentials
            self._request.headers.update(self._headers(self._consumer))

    def _headers(self, consumer: Consumer) -> dict[str, Any]:
        headers = {"User-Agent": f"edx2lrs/{version('edx2lrs')}", **self._credentials.headers}
        headers |= {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if consumer.gzip:
            headers["Content-Encoding"] = "gzip"
        if consumer.protocol == "xapi":
            headers["X-Experience-API-Version"] = _XAPI_VERSION
        return {name: value.encode() for name, value in headers.items()}

    def post(self, lines: bytes) -> Answer:
        """POST finished statements or events, one on each line, as one batch. A batch may be empty; an empty batch changes nothing.
        Errors of the network are answers too."""
        self._renew()
        body = self._body(lines)
        self._request.body = body
        self._request.headers["Content-Length"] = str(len(body))
        return self._timed(self._request, _ANSWER_BYTES + _ID_BYTES * (lines.count(b"\n") + 1))

    def query(self) -> Answer:
        """GET the statements that are stored from tomorrow on (there are none; xAPI part 3, 2.1.3), to test the connection."""
        self._renew()
        request = self._request.copy()
        tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        parts = urlsplit(request.url or "")
        query = urlencode([*parse_qsl(parts.query), ("limit", "1"), ("since", tomorrow.isoformat(timespec="seconds"))])
        request.method, request.url, request.body = "GET", urlunsplit(parts._replace(query=query)), None
        for name in ("Content-Length", "Content-Type", "Content-Encoding"):
            request.headers.pop(name, None)
        return self._timed(request, _ANSWER_BYTES)

    def _body(self, lines: bytes) -> bytes:
        if self._consumer.protocol == "xapi":
            body = xapi_body(lines)
        else:
            body = caliper_body(lines, self._envelope, datetime.datetime.now(datetime.timezone.utc))
        return gzip.compress(body, _GZIP_LEVEL) if self._consumer.gzip else body

    def _timed(self, request: requests.PreparedRequest, limit: int) -> Answer:
        started = time.monotonic()
        try:
            answer = self._exchange(request, limit)
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            answer = Answer(error=network_error(error), detail=_detail_of(error))
        return msgspec.structs.replace(answer, seconds=time.monotonic() - started)

    def _exchange(self, request: requests.PreparedRequest, limit: int) -> Answer:
        response = self._adapter.send(
            request,
            stream=True,
            timeout=urllib3.Timeout(total=self._consumer.timeout),  # type: ignore[arg-type]  # taken, but not in the stub
            verify=self._verify,
            cert=self._certificate,
            proxies=self._proxies,
        )
        try:
            content = b""
            # To its end: only there urllib3 finds out that an answer breaks off.
            while len(content) <= limit and (part := response.raw.read(limit + 1, decode_content=False)):
                content += part
        finally:
            response.close()  # keeps the connection if everything was read
        return self._answer(response, content[:limit], whole=len(content) <= limit)

    def _answer(self, response: requests.Response, content: bytes, whole: bool) -> Answer:
        success, headers = 200 <= response.status_code < 300, response.raw.headers
        text = "" if success else content[:_REDACTED_BYTES].decode(errors="replace")
        return Answer(
            status=response.status_code,
            ids=_listed_ids(content) if success and whole and self._consumer.protocol == "xapi" else None,
            is_html=_is_html(response.headers.get("Content-Type", ""), content),
            retry_after=retry_after(headers.getlist("Retry-After"), headers.getlist("Date"), time.time()),
            excerpt=_excerpt(self._proxy_secrets.redacted(self._credentials.redacted(text))),
        )

    def close(self) -> None:
        self._adapter.close()


def _secrets_of(proxy: str) -> tuple[str, ...]:
    user, password = requests.utils.get_auth_from_url(proxy)
    return (user, password, base64.b64encode(f"{user}:{password}".encode()).decode()) if password else ()


def _listed_ids(content: bytes) -> tuple[str, ...] | None:
    if not content.lstrip().startswith(b"["):
        return None
    try:
        listed = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return tuple(each for each in listed if isinstance(each, str))


def _is_html(content_type: str, content: bytes) -> bool:
    if content_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
        return True
    return content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _excerpt(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:_EXCERPT_CHARACTERS].strip()


_ERRORS: tuple[tuple[NetworkError, tuple[type[BaseException], ...]], ...] = (
    ("proxy", (urllib3.exceptions.ProxyError, requests.exceptions.InvalidProxyURL, requests.exceptions.InvalidSchema)),
    ("refused", (ConnectionRefusedError,)),
    ("dns", (NameResolutionError, socket.gaierror)),
    ("unreachable", (NewConnectionError, ConnectTimeoutError)),
    ("reset", (ssl.SSLEOFError, ssl.SSLZeroReturnError)),
    ("tls", (ssl.SSLError,)),
    ("timeout", (TimeoutError, ReadTimeoutError)),
    ("reset", (ConnectionError, http.client.IncompleteRead, urllib3.exceptions.IncompleteRead)),
)


def network_error(error: BaseException) -> NetworkError:
    """The error of the network that an exception of ``requests`` means; the exception wraps exceptions of urllib3 and of the
    socket."""
    causes = list(_causes(error))
    for found, kinds in _ERRORS:
        if any(isinstance(cause, kinds) for cause in causes):
            return found
    return "other"


def _detail_of(error: BaseException) -> str:
    """The reason of a TLS failure: about the certificate, or the alert of the server."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return str(cause.reason).lower().replace("_", " ")
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        wrapped = error.args[0] if error.args and isinstance(error.args[0], BaseException) else None  # as urllib3's SSLError does
        error = error.__cause__ or error.__context__ or wrapped
