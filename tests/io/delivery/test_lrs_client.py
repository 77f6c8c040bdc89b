"""One request to an LRS: what is sent, and what its answer, or the lack of one, is made of."""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.delivery.bodies import frame_bytes
from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.lrs import LrsClient, endpoint
from edx2lrs.transforms.auth import BasicAuth, BearerAuth
from edx2lrs.transforms.config_types import Consumer
from testkit.waiting import free_port

ID = "12345678-1234-4234-8234-123456789012"
BODY = json.dumps({"id": ID, "name": "Zoë"}, ensure_ascii=False).encode()


@pytest.fixture
def client(consumer: Callable[..., Consumer]) -> Iterator[Callable[..., LrsClient]]:
    """Makes a client; the secret of ``env:X`` is ``X``."""
    made: list[LrsClient] = []

    def make(url: str, **options: Any) -> LrsClient:
        options.setdefault("timeout", 5.0)
        its = consumer(url, **options)
        made.append(LrsClient(its, credentials_of(its, lambda reference: reference.removeprefix("env:")), "http://lms"))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize(
    ("url", "posted_to"),
    [
        ("https://lrs/xAPI", "https://lrs/xAPI/statements"),
        ("https://lrs/xAPI/", "https://lrs/xAPI/statements"),
        ("https://lrs/xAPI/statements", "https://lrs/xAPI/statements"),
        ("https://lrs/xAPI/statements/", "https://lrs/xAPI/statements"),
        ("https://lrs", "https://lrs/statements"),
        ("https://lrs/x?tenant=a", "https://lrs/x/statements?tenant=a"),
    ],
)
def test_xapi_goes_to_the_statements_resource(url: str, posted_to: str) -> None:
    assert endpoint("xapi", url) == posted_to


def test_caliper_goes_where_the_url_says() -> None:
    assert endpoint("caliper", "https://lrs/caliper/") == "https://lrs/caliper/"


def test_an_xapi_batch_is_an_array_with_the_version_header(lrs: Any, client: Any) -> None:
    answer = client(lrs.url).post(BODY + b"\n" + BODY.replace(b"12345678-", b"92345678-"))
    assert answer.status == 200
    assert answer.ids == (ID, "92345678-1234-4234-8234-123456789012")
    assert answer.seconds > 0
    assert lrs.paths == ["/xAPI/statements"]
    assert lrs.headers[0]["X-Experience-API-Version"] == "1.0.3"
    assert lrs.headers[0]["Content-Type"] == "application/json"
    assert lrs.headers[0]["User-Agent"].startswith("edx2lrs/")
    assert lrs.bodies[0] == b"[" + BODY + b"," + BODY.replace(b"12345678-", b"92345678-") + b"]"


def test_a_caliper_batch_is_an_envelope(lrs: Any, client: Any) -> None:
    before = datetime.datetime.now(datetime.timezone.utc)
    client(lrs.url, protocol="caliper").post(BODY)
    envelope = json.loads(lrs.bodies[0])
    assert lrs.paths == ["/xAPI"]
    assert "X-Experience-API-Version" not in lrs.headers[0]
    assert envelope["sensor"] == "http://lms"
    assert envelope["dataVersion"] == "http://purl.imsglobal.org/ctx/caliper/v1p2"
    assert envelope["data"] == [json.loads(BODY)]
    sent = datetime.datetime.strptime(envelope["sendTime"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert abs(sent - before) < datetime.timedelta(seconds=5)
    assert len(envelope["sendTime"]) == len("2026-01-01T00:00:00.000Z")


def test_renewed_credentials_are_in_the_next_request(lrs: Any, consumer: Callable[..., Consumer]) -> None:
    its = consumer(lrs.url, auth=BearerAuth(token="env:token"))
    made = [credentials_of(its, lambda _, token=token: token) for token in ("first", "second")]
    now = [made[0]]
    with contextlib.closing(LrsClient(its, made[0], "http://lms", lambda: now[0])) as client:
        client.post(BODY)
        now[0] = made[1]
        client.post(BODY)
    assert [headers["Authorization"] for headers in lrs.headers] == ["Bearer first", "Bearer second"]
    assert {headers["X-Experience-API-Version"] for headers in lrs.headers} == {"1.0.3"}


def test_overrides_of_the_envelope_replace_what_is_in_it(lrs: Any, client: Any) -> None:
    client(lrs.url, protocol="caliper", override_args={"envelope": {"sensor": "https://campus/sensor"}}).post(BODY)
    envelope = json.loads(lrs.bodies[0])
    assert envelope["sensor"] == "https://campus/sensor"
    assert set(envelope) == {"sensor", "sendTime", "dataVersion", "data"}


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_bodies_are_compressed_for_who_wants_it(lrs: Any, client: Any, protocol: str) -> None:
    answer = client(lrs.url, protocol=protocol, gzip=True).post(b"\n".join([BODY] * 50))
    assert answer.status == 200
    assert lrs.headers[0]["Content-Encoding"] == "gzip"
    assert int(lrs.headers[0]["Content-Length"]) == len(lrs.sent[0]) < len(lrs.bodies[0]) / 5
    assert len(lrs.requests[0]) == 50


def test_bodies_are_plain_by_default(lrs: Any, client: Any) -> None:
    client(lrs.url).post(BODY)
    assert "Content-Encoding" not in lrs.headers[0]


@pytest.mark.parametrize("options", [{}, {"override_args": {"envelope": {"sensor": "http://x/" + "y" * 500}}}])
@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_what_a_body_has_beside_its_statements_is_known(
    lrs: Any, client: Any, consumer: Any, protocol: str, options: dict[str, Any]
) -> None:
    its = {"protocol": protocol, **(options if protocol == "caliper" else {})}
    client(lrs.url, **its).post(b"\n".join([BODY] * 7))
    assert len(lrs.bodies[0]) <= 7 * (len(BODY) + 1) + frame_bytes(consumer(lrs.url, **its))


def test_an_address_of_ipv6(new_lrs: Any, client: Any) -> None:
    lrs = new_lrs("::1")
    assert lrs.url.startswith("http://[::1]:")
    assert client(lrs.url).post(BODY).status == 200


def test_basic_credentials_are_utf_8(lrs: Any, client: Any) -> None:
    client(lrs.url, auth=BasicAuth(username="env:zoë", password="env:pä:ß")).post(BODY)
    scheme, _, encoded = lrs.headers[0]["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", "zoë:pä:ß")


def test_bearer_and_other_headers(lrs: Any, client: Any) -> None:
    auth = BearerAuth(token="env:t0k3n")
    client(lrs.url, auth=auth, headers={"X-Tenant": "campus", "X-Key": "env:k3y", "content-type": "text/plain"}).post(BODY)
    assert lrs.headers[0]["Authorization"] == "Bearer t0k3n"
    assert (lrs.headers[0]["X-Tenant"], lrs.headers[0]["X-Key"]) == ("campus", "k3y")
    assert [v for name, v in lrs.headers[0].items() if name.lower() == "content-type"] == ["application/json"]


def test_netrc_is_not_looked_into(lrs: Any, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client(lrs.url).post(BODY)
    assert "Authorization" not in lrs.headers[0]


def test_the_connection_is_kept_alive(lrs: Any, client: Any, replies: Any) -> None:
    ports: set[int] = set()
    serve = lrs._serve
    lrs._serve = lambda handler: (ports.add(handler.client_address[1]), serve(handler))
    sender = client(lrs.url)
    for status in (200, 400, 503, 204, 302):
        lrs.behave = lambda _, status=status: replies(status)
        assert sender.post(BODY).status == status
    assert len(ports) == 1


def test_a_redirect_is_not_followed(lrs: Any, client: Any, replies: Any) -> None:
    lrs.behave = lambda _: replies(302, b"x" * 100_000, {"Location": lrs.url + "/login"})
    assert client(lrs.url).post(BODY).status == 302
    assert lrs.paths == ["/xAPI/statements"]


@pytest.mark.parametrize(
    ("headers", "body", "is_html"),
    [
        ({"Content-Type": "text/html; charset=utf-8"}, b"hello", True),
        ({}, b"  <!DOCTYPE html><html>login</html>", True),
        ({}, b"<HTML>", True),
        ({"Content-Type": "application/json"}, b"[]", False),
        ({}, b"", False),
    ],
)
def test_a_web_page_is_known(lrs: Any, client: Any, replies: Any, headers: dict[str, str], body: bytes, is_html: bool) -> None:
    lrs.behave = lambda _: replies(200, body, headers)
    assert client(lrs.url).post(BODY).is_html is is_html


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[", b'"x"', b"\xff", b"OK"])
def test_a_success_without_a_list_names_no_ids(lrs: Any, client: Any, replies: Any, body: bytes) -> None:
    lrs.behave = lambda _: replies(200, body)
    answer = client(lrs.url).post(BODY)
    assert (answer.status, answer.ids) == (200, None)


def test_the_excerpt_is_short_printable_and_without_secrets(lrs: Any, client: Any, replies: Any) -> None:
    auth = BasicAuth(username="env:user", password="env:hunter22")
    encoded = base64.b64encode(b"user:hunter22")
    lrs.behave = lambda _: replies(400, b"bad\x00\n verb: hunter22 " + encoded + b" z\xc3\xb6 " + b"y" * 100_000)
    excerpt = client(lrs.url, auth=auth).post(BODY).excerpt
    assert excerpt.startswith("bad   verb: *** *** zö ")
    assert len(excerpt) <= 500


def test_retry_after_is_read(lrs: Any, client: Any, replies: Any) -> None:
    lrs.behave = lambda _: replies(429, b"", {"Retry-After": "12"})
    assert client(lrs.url).post(BODY).retry_after == 12.0


@pytest.mark.parametrize("ahead", [-7_200, -40, 40, 7_200])
def test_a_date_counts_by_the_clock_of_the_lrs(lrs: Any, client: Any, replies: Any, ahead: int) -> None:
    its_time = time.time() + ahead
    dates = {"Date": email.utils.formatdate(its_time, usegmt=True), "Retry-After": email.utils.formatdate(its_time + 3, usegmt=True)}
    lrs.behave = lambda _: replies(raw=lambda s: s.sendall(b"HTTP/1.1 429 Busy\r\n%s\r\n" % _head(dates)))
    assert client(lrs.url).post(BODY).retry_after == 3.0


def _head(headers: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": "0"}.items()).encode()


def test_nobody_listens(client: Any) -> None:
    port = free_port()
    assert client(f"http://127.0.0.1:{port}").post(BODY).error == "refused"


def test_an_unknown_host(client: Any) -> None:
    assert client("http://lrs.invalid/xAPI").post(BODY).error == "dns"


def test_a_connection_that_is_reset(lrs: Any, client: Any, replies: Any, tcp_reset: Any) -> None:
    lrs.behave = lambda _: replies(raw=tcp_reset)
    assert client(lrs.url).post(BODY).error == "reset"


def test_an_answer_that_breaks_off(lrs: Any, client: Any, replies: Any) -> None:
    lrs.behave = lambda _: replies(raw=lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[]"))
    assert client(lrs.url).post(BODY).error == "reset"


def test_what_is_no_http(lrs: Any, client: Any, replies: Any) -> None:
    lrs.behave = lambda _: replies(raw=lambda s: s.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"))
    assert client(lrs.url).post(BODY).error == "other"


def test_no_answer_in_time(lrs: Any, client: Any, replies: Any) -> None:
    lrs.behave = lambda _: replies(raw=lambda s: s.recv(1))
    answer = client(lrs.url, timeout=0.3).post(BODY)
    assert answer.error == "timeout"
    assert 0.2 < answer.seconds < 2.0


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b""])
def test_a_slow_drip_costs_one_time_out(lrs: Any, client: Any, replies: Any, head: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                connection.sendall(b"H")
            except OSError:
                return
            time.sleep(0.02)  # the drip itself

    lrs.behave = lambda _: replies(raw=drip)
    answer = client(lrs.url, timeout=0.5).post(BODY)
    assert answer.error == "timeout"
    assert answer.seconds < 2.0


FLOODS = {
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "headers of an interim answer": (b"HTTP/1.1 102 Processing\r\n", b"a: b\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n", b"a: b\r\n"),
    "long trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x" * 60_000 + b"\r\n"),
    "extensions of chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 60_000 + b"\r\n \r\n"),
    "short chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a status line": (b"HTTP/1.1 200 ", b"x"),
}


@pytest.mark.parametrize(("begin", "flood"), FLOODS.values(), ids=FLOODS)
def test_a_flood_ends_long_before_the_time_out(lrs: Any, client: Any, replies: Any, begin: bytes, flood: bytes) -> None:
    def pour(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(begin)
            while True:
                connection.sendall(flood * 1_000)

    lrs.behave = lambda _: replies(raw=pour)
    answer = client(lrs.url, timeout=60.0).post(BODY)
    assert (answer.status, answer.error) in ((None, "other"), (200, None))
    assert answer.seconds < 30


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_interim_answers_are_passed_over(lrs: Any, client: Any, replies: Any, interim: str) -> None:
    said = f"HTTP/1.1 {interim}\r\nLink: </style>\r\n\r\n" * 3 + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
    lrs.behave = lambda _: replies(raw=lambda s: s.sendall(said.encode()))
    answer = client(lrs.url).post(BODY)
    assert (answer.status, answer.ids) == (200, ())


def test_trailers_of_an_answer_are_passed_over(lrs: Any, client: Any, replies: Any) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\na: b\r\nc: d\r\n\r\n"
    lrs.behave = lambda _: replies(raw=lambda s: s.sendall(said))
    assert client(lrs.url).post(BODY).ids == ()


def test_a_gigabyte_is_not_read(lrs: Any, client: Any, replies: Any) -> None:
    sent = 0

    def pour(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n[")
        try:
            while sent < 1_000_000_000:
                sent += connection.send(b" " * 65_536)
        except OSError:
            return

    lrs.behave = lambda _: replies(raw=pour)
    answer = client(lrs.url).post(BODY)
    assert (answer.status, answer.ids) == (200, None)
    assert sent < 100_000_000


def test_plain_http_behind_https(lrs: Any, client: Any) -> None:
    assert client(lrs.url.replace("http:", "https:"), timeout=2.0).post(BODY).error in ("tls", "reset")


def test_credentials_never_show() -> None:
    its = Consumer(name="c", protocol="xapi", url="http://x", access="all", auth=BearerAuth(token="env:s3cret"))
    assert "s3cret" not in repr(credentials_of(its, lambda reference: reference.removeprefix("env:")))
    assert "s3cret" not in repr(its.auth.sign_in(lambda reference: reference.removeprefix("env:")))
