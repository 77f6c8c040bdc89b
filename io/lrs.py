"""One consumer's LRS over HTTP: POST a batch of finished statements, get an ``Answer``."""

from __future__ import annotations

import datetime
import email.utils
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import orjson
import requests
import urllib3
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ReadTimeoutError

from edx2lrs.io.credentials import Credentials
from edx2lrs.io.deadline import DeadlineAdapter
from edx2lrs.io.delivery import Answer, Fault
from edx2lrs.transforms.config_types import Consumer, Protocol

_XAPI_VERSION = "1.0.3"
_CALIPER_VERSION = "http://purl.imsglobal.org/ctx/caliper/v1p2"

# Bytes of an answer that are read; a list of ids may have as much again as its batch needs.
_ANSWER_BYTES = 65_536
_ID_BYTES = 48
_EXCERPT_CHARACTERS = 500
_LONGEST_RETRY_AFTER = 86_400.0


def endpoint(protocol: Protocol, url: str) -> str:
    """Where to POST: a Caliper consumer's URL as it is; for xAPI the statements resource (part 3, 2.1) under ``url``,
    which may end in a slash or name that resource already."""
    if protocol == "caliper":
        return url
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return urlunsplit(parts._replace(path=path if path.endswith("/statements") else f"{path}/statements"))


def xapi_body(bodies: Sequence[bytes]) -> bytes:
    """The JSON array of finished statements."""
    return b"[" + b",".join(bodies) + b"]"


def caliper_body(bodies: Sequence[bytes], envelope: Mapping[str, Any], send_time: datetime.datetime) -> bytes:
    """The envelope (Caliper 1.2, 5) of finished events; ``envelope`` has its sensor, ``send_time`` is UTC."""
    time_text = send_time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{send_time.microsecond // 1000:03d}Z"
    head = {"sendTime": time_text, "dataVersion": _CALIPER_VERSION, **envelope}
    return orjson.dumps(head)[:-1] + b',"data":[' + b",".join(bodies) + b"]}"


class LrsClient:
    """One kept-alive connection to a consumer's LRS; for one thread at a time.

    ``sensor`` is what Caliper envelopes name, unless ``consumer.override_args`` has another. Redirects are never followed, TLS
    is always verified, ``consumer.timeout`` is the end of the whole request. Proxies and CA bundle: the usual environment
    variables. ``renewed`` gives newer credentials when there are.
    """

    def __init__(
        self, consumer: Consumer, credentials: Credentials, sensor: str, renewed: Callable[[], Credentials] | None = None
    ) -> None:
        self._protocol = consumer.protocol
        self._timeout = consumer.timeout
        self._consumer = consumer
        self._credentials = credentials
        self._renewed = renewed
        self._envelope = {"sensor": sensor, **consumer.override_args.get("envelope", {})}
        session = requests.Session()
        url = endpoint(consumer.protocol, consumer.url)
        environment = session.merge_environment_settings(url, {}, True, None, None)
        self._proxies, self._verify = dict(environment["proxies"]), environment["verify"] or True
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=1)
        # Prepared once, and not by the session, which would look for other credentials in ~/.netrc.
        self._request = requests.Request("POST", url, headers=self._headers(consumer)).prepare()

    def _renew(self) -> None:
        """Takes newer credentials into the headers, when there are."""
        if self._renewed is not None and (credentials := self._renewed()) is not self._credentials:
            self._credentials = credentials
            self._request.headers.update(self._headers(self._consumer))

    def _headers(self, consumer: Consumer) -> dict[str, Any]:
        headers = {"User-Agent": f"edx2lrs/{version('edx2lrs')}", **self._credentials.headers}
        headers |= {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if consumer.protocol == "xapi":
            headers["X-Experience-API-Version"] = _XAPI_VERSION
        return {name: value.encode() for name, value in headers.items()}

    def post(self, bodies: Sequence[bytes]) -> Answer:
        """POST the finished statements or events ``bodies`` as one batch. Faults of the network are answers too."""
        started = time.monotonic()
        try:
            answer = self._exchange(bodies)
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            answer = Answer(fault=fault_of(error))
        return msgspec.structs.replace(answer, seconds=time.monotonic() - started)

    def _exchange(self, bodies: Sequence[bytes]) -> Answer:
        if self._protocol == "xapi":
            body = xapi_body(bodies)
        else:
            body = caliper_body(bodies, self._envelope, datetime.datetime.now(datetime.timezone.utc))
        self._renew()
        self._request.body = body
        self._request.headers["Content-Length"] = str(len(body))
        response = self._adapter.send(
            self._request,
            stream=True,
            timeout=urllib3.Timeout(total=self._timeout),  # type: ignore[arg-type]  # taken, but not in the stub
            verify=self._verify,
            proxies=self._proxies,
        )
        limit = _ANSWER_BYTES + _ID_BYTES * len(bodies)
        try:
            content = b""
            # To its end: only there urllib3 finds out that an answer breaks off.
            while len(content) <= limit and (part := response.raw.read(limit + 1, decode_content=False)):
                content += part
        finally:
            response.close()  # keeps the connection if everything was read
        return self._answer(response, content[:limit], whole=len(content) <= limit)

    def _answer(self, response: requests.Response, content: bytes, whole: bool) -> Answer:
        success = 200 <= response.status_code < 300
        retry_after = response.headers.get("Retry-After")
        return Answer(
            status=response.status_code,
            ids=_listed_ids(content) if success and whole and self._protocol == "xapi" else None,
            is_html=_is_html(response.headers.get("Content-Type", ""), content),
            retry_after=parsed_retry_after(retry_after, time.time()) if retry_after else None,
            excerpt="" if success else _excerpt(self._credentials.redacted(_text(content))),
        )

    def close(self) -> None:
        """Close the connection."""
        self._adapter.close()


def parsed_retry_after(value: str, now: float) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3): a number, or a date relative to ``now`` (POSIX time).
    None: neither. Never negative, never more than a day."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER) if seconds == seconds else None


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


def _text(content: bytes) -> str:
    return content[: 8 * _EXCERPT_CHARACTERS].decode(errors="replace")


def _excerpt(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:_EXCERPT_CHARACTERS].strip()


_FAULTS: tuple[tuple[Fault, tuple[type[BaseException], ...]], ...] = (
    ("refused", (ConnectionRefusedError,)),
    ("dns", (NameResolutionError, socket.gaierror)),
    ("unreachable", (NewConnectionError, ConnectTimeoutError)),
    ("reset", (ssl.SSLEOFError, ssl.SSLZeroReturnError)),
    ("tls", (ssl.SSLError,)),
    ("timeout", (TimeoutError, ReadTimeoutError)),
    ("reset", (ConnectionError, http.client.IncompleteRead, urllib3.exceptions.IncompleteRead)),
)


def fault_of(error: BaseException) -> Fault:
    """The kind of fault behind an exception of ``requests``, which wraps those of urllib3 and of the socket."""
    causes = list(_causes(error))
    for fault, kinds in _FAULTS:
        if any(isinstance(cause, kinds) for cause in causes):
            return fault
    return "other"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
