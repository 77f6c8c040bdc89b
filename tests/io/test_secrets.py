"""Secrets by reference: what they resolve to, and errors that never show them."""

from __future__ import annotations

import base64
import html
import json
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import pytest
from hamcrest import assert_that, equal_to, greater_than

from edx2lrs.io.delivery.credentials import RenewedCredentials, credentials_of, go_in_clear
from edx2lrs.io.google_secrets import _remembered
from edx2lrs.io.secrets import SecretError, is_reference, references, resolve
from edx2lrs.pipeline.config.reading import read_structure
from edx2lrs.transforms.auth import Auth, BasicAuth, BearerAuth, HeaderReference, NoAuth, Reference
from edx2lrs.transforms.config_types import Consumer, HeaderText

SECRET = "hunter2-do-not-show"


def test_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRS_PASSWORD", SECRET + "\n")
    assert resolve("env:LRS_PASSWORD") == SECRET + "\n"


FILES = {"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", " a b ": " a b ", "ä": "ä"}


@pytest.mark.parametrize(("content", "secret"), FILES.items())
def test_a_file_without_one_line_break_at_its_end(tmp_path: Path, content: str, secret: str) -> None:
    (tmp_path / "password").write_bytes(content.encode())
    assert resolve(f"file:{tmp_path}/password") == secret


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (SECRET.encode("utf-16"), "is not UTF-8"),
        (SECRET.encode() * 10_000, "over 65536 bytes"),
    ],
)
def test_a_bad_file_is_named_and_its_content_is_not(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretError, match=words) as raised:
        resolve(f"file:{path}")
    assert str(path) in str(raised.value)
    assert SECRET not in str(raised.value)


NAME = "secret://projects/p-1/secrets/lrs_password"


class SecretManager(BaseHTTPRequestHandler):
    """Google's REST interface, as far as a secret is read: ``contents`` by version, else ``answer``."""

    contents: ClassVar[dict[str, bytes]] = {}
    answer: ClassVar[tuple[int, bytes]] = (404, b"{}")
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, body = self.answer
        content = self.contents.get(self.path.removeprefix("/v1/").removesuffix(":access"))
        if content is not None:
            status, body = 200, json.dumps({"payload": {"data": base64.b64encode(content).decode()}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SecretManager]]:
    SecretManager.contents, SecretManager.answer, SecretManager.asked = {}, (404, b"{}"), []
    _remembered.cache_clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), SecretManager)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("SECRET_MANAGER_EMULATOR_HOST", f"127.0.0.1:{server.server_port}")
    yield SecretManager
    server.shutdown()
    server.server_close()


def test_the_latest_version_and_a_certain_one(manager: type[SecretManager]) -> None:
    path = "projects/p-1/secrets/lrs_password/versions"
    manager.contents = {f"{path}/latest": f"{SECRET}\n".encode(), f"{path}/3": b"older"}
    assert [resolve(NAME) for _ in range(3)] == [SECRET] * 3
    assert resolve(f"{NAME}/versions/3") == "older"
    assert manager.asked == [f"/v1/{path}/latest:access", f"/v1/{path}/3:access"]  # once each, for some minutes


def test_a_new_version_is_read_after_some_minutes(manager: type[SecretManager], monkeypatch: pytest.MonkeyPatch) -> None:
    path = "projects/p-1/secrets/lrs_password/versions/latest"
    manager.contents = {path: b"first"}
    assert resolve(NAME) == "first"
    manager.contents = {path: b"second"}
    assert resolve(NAME) == "first"
    now = time.monotonic()
    monkeypatch.setattr("edx2lrs.io.google_secrets.time.monotonic", lambda: now + 301)
    assert resolve(NAME) == "second"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, SECRET.encode()), "the Secret Manager answered 403"),
        ((302, b""), "the Secret Manager answered 302"),
        ((200, SECRET.encode()), "cannot be asked"),
        ((200, b'{"payload": {}}'), "holds no secret"),
        ((200, b'{"payload": {"data": "!"}}'), "holds no secret"),
        ((200, b'{"payload": {"data": ""}}'), "is empty"),
        ((200, b'{"payload": {"data": "/w=="}}'), "is not UTF-8"),
    ],
)
def test_a_secret_that_cannot_be_had_is_named(manager: type[SecretManager], answer: tuple[int, bytes], words: str) -> None:
    manager.answer = answer
    with pytest.raises(SecretError, match=words) as raised:
        resolve(NAME)
    assert "secret projects/p-1/secrets/lrs_password" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_without_google_auth_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_MANAGER_EMULATOR_HOST", raising=False)
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(SecretError, match=r"google-auth is not installed: pip install 'edx2lrs\[gcp\]'"):
        resolve(NAME)


def test_a_secret_manager_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_MANAGER_EMULATOR_HOST", "127.0.0.1:1")
    with pytest.raises(SecretError, match="cannot be asked"):
        resolve(NAME)


def consumer(**options: Any) -> Consumer:
    return Consumer(name="campus", protocol="xapi", access="all", **{"url": "https://x", **options})


def test_a_secret_that_changes_is_in_use_a_minute_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    file, now = tmp_path / "token", [0.0]
    file.write_text("first token")
    its = consumer(auth=BearerAuth(token=f"file:{file}"))
    renewed = RenewedCredentials(its, resolve, lambda: now[0])
    first = renewed()
    file.write_text("second token")
    now[0] = 59.0
    assert renewed() is first
    now[0] = 61.0
    assert renewed().headers["Authorization"] == "Bearer second token"
    assert renewed() is renewed()
    assert [record.message for record in caplog.records] == ["consumer campus: its secrets have changed; the new ones are in use"]


@pytest.mark.parametrize("content", [None, "", "two\nlines"])
def test_a_secret_that_is_gone_stays_in_use_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    file, now = tmp_path / "token", [0.0]
    file.write_text(SECRET)
    renewed = RenewedCredentials(consumer(auth=BearerAuth(token=f"file:{file}")), resolve, lambda: now[0])
    first = renewed()
    file.unlink()
    if content is not None:
        file.write_text(content)
    for now[0] in (61.0, 122.0, 183.0):
        assert renewed() is first
    assert len(caplog.records) == 1
    assert "the secret from before stays in use" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("secret", [SECRET, 'a"b\\c/d', "a&b<c>'d", "pä ss/wörd"])
def test_what_an_lrs_repeats_is_shown_without_secrets(secret: str) -> None:
    its = consumer(auth=BasicAuth(username="user", password="password"))
    credentials = credentials_of(its, lambda reference: f"{reference}-{secret}")
    said = [f"user-{secret}", json.dumps({"p": f"password-{secret}"}), html.escape(secret), urllib.parse.quote(f"user-{secret}")]
    said.append(credentials.headers["Authorization"])
    shown = credentials.redacted(" ".join(said[:2] + said[3:]))
    assert secret not in shown
    assert json.dumps(secret)[1:-1] not in shown
    assert urllib.parse.quote(secret, safe="") not in shown
    assert credentials.headers["Authorization"].removeprefix("Basic ") not in shown


@pytest.mark.parametrize(("value", "words"), [(None, "NAME is not set"), ("", "NAME is empty")])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None, words: str) -> None:
    monkeypatch.delenv("NAME", raising=False)
    if value is not None:
        monkeypatch.setenv("NAME", value)
    with pytest.raises(SecretError, match=words):
        resolve("env:NAME")


@pytest.mark.parametrize(
    "text", [SECRET, "", "env:", "file:", f"env:{SECRET}", f"env: {SECRET}", "env:1A", f"secret://{SECRET}", f"ENV:{SECRET}"]
)
def test_what_is_no_reference_is_refused_and_not_shown(text: str) -> None:
    assert not is_reference(text)
    with pytest.raises(SecretError) as raised:
        resolve(text)
    assert SECRET not in str(raised.value)
    assert "env:NAME, file:PATH or secret:" in str(raised.value)


class Part(msgspec.Struct, frozen=True):
    by_reference: Reference
    plain: str = "env:PLAIN"


class Whole(msgspec.Struct, frozen=True):
    """As somebody may add it to the configuration."""

    one: Reference | None
    parts: list[Part]
    one_of: Auth
    by_name: dict[str, HeaderText]
    for_a_header: Annotated[HeaderReference, msgspec.Meta(examples=["env:X"])]


def test_every_reference_is_found_by_its_type() -> None:
    """A secret that an option names is found wherever the option stands, without a list of such options."""
    basic = BasicAuth(username="env:D", password="env:E")
    whole = Whole("env:A", [Part("env:B"), Part("file:/c")], basic, {"x": "env:F", "y": "text"}, "env:G")
    assert_that(list(references(whole)), equal_to(["env:A", "env:B", "file:/c", "env:D", "env:E", "env:F", "env:G"]))
    assert_that(list(references(Whole(None, [], NoAuth(), {}, "env:G"))), equal_to(["env:G"]))


def test_every_option_that_is_checked_as_a_secret_is_found_as_a_reference() -> None:
    """What the configuration needs and what is found by types are the same."""
    full = Path(__file__).parents[2] / "templates" / "config" / "full.yaml"
    structure = read_structure(str(full))
    needed = {need.name for need in structure.needs if need.kind.endswith("reference")}
    assert_that(set(references(structure.config)), equal_to(needed))
    assert_that(len(needed), greater_than(3))


CLEAR = {
    "http://lrs.example.edu/xAPI": True,
    "HTTP://lrs.example.edu/xAPI": True,
    "http://10.0.0.5:8080/xAPI": True,
    "http://localhost.example.edu/xAPI": True,
    "http://[fd00::5]/xAPI": True,
    "https://lrs.example.edu/xAPI": False,
    "http://localhost:8080/xAPI": False,
    "http://lrs.localhost/xAPI": False,
    "http://127.0.0.2/xAPI": False,
    "http://[::1]:8080/xAPI": False,
    "http://[::ffff:127.0.0.1]/xAPI": False,
    "file:///out/": False,
}


@pytest.mark.parametrize(("url", "expected"), CLEAR.items())
def test_credentials_that_go_in_clear_to_another_machine_are_known(url: str, expected: bool) -> None:
    assert go_in_clear(consumer(url=url, auth=BearerAuth(token="env:T"))) is expected
    assert go_in_clear(consumer(url=url, headers={"X-Api-Key": "env:K"})) is expected
    assert not go_in_clear(consumer(url=url, headers={"X-Tenant": "campus"}))
