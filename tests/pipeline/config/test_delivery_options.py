"""Options of delivery in the configuration: what is taken, and what is said of the rest."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.pipeline.config.faults import ConfigError
from edx2lrs.pipeline.config.reading import load
from edx2lrs.transforms.auth import NoAuth

TLS = Path(__file__).parents[3] / "templates" / "config" / "tls"
CONFIG = """\
lms: {root_url: https://lms.example.com, id_key: env:SITE_KEY}
consumers:
- name: campus
  protocol: xapi
  access: all
"""


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The one consumer, with these options."""
    monkeypatch.setenv("SITE_KEY", "k")

    def make(url: str = "https://lrs.example.edu/xAPI", **options: str) -> Any:
        path = tmp_path / "c.yaml"
        path.write_text(CONFIG + "".join(f"  {key}: {value}\n" for key, value in {"url": url, **options}.items()))
        return load(str(path)).consumers[0]

    return make


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1]:8080/xAPI",
        "https://[2001:db8::1]/xAPI",
        "file:///var/out/",
        "file:///var/out/all.jsonl.gz",
        "s3://bucket",
        "gs://bucket/a/all.jsonl",
        "'stdout:'",
    ],
)
def test_what_a_url_may_be(loaded: Any, url: str) -> None:
    assert loaded(url).url == url.strip("'")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("file://out/all.jsonl", "found an address without an absolute path, expected file:///folder/ or"),
        ("file:all.jsonl", "found an address without an absolute path"),
        ("file:///", "found an address without an absolute path"),
        ("gs:///a", "found an address without a bucket, expected gs://bucket/folder/"),
        ("stdout:x", "found stdout with a path, expected stdout:"),
        ("ftp://a/b", "found an address with another scheme"),
    ],
)
def test_what_it_may_not_be(loaded: Any, url: str, fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(f"'{url}'")
    assert f"consumers[0].url: {fault}" in str(raised.value)


def test_the_site_s_root_is_no_place_for_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", "k")
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG.replace("https://lms.example.com", "file:///lms") + "  url: https://lrs.example.edu\n")
    with pytest.raises(ConfigError, match=r"lms\.root_url: found an address with another scheme"):
        load(str(path))


@pytest.mark.parametrize(
    "options",
    [
        {"gzip": "true"},
        {"headers": "{X-A: b}"},
        {"auth": "{scheme: bearer, token: env:SITE_KEY}"},
        {"tls": f"{{ca: {TLS}/ca.pem}}"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_files_have_no_options_of_http(loaded: Any, options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))} with a url of files; remove it"):
        loaded("file:///out/", **options)


def test_files_may_say_that_they_need_no_credentials(loaded: Any) -> None:
    assert loaded("file:///out/", auth="{scheme: none}").auth == NoAuth()


def test_certificates_are_made_absolute(loaded: Any, tmp_path: Path) -> None:
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).write_bytes((TLS / name).read_bytes())
    tls = loaded(tls="{ca: ca.pem, cert: client.pem, key: client.key}").tls
    assert (tls.ca, tls.cert, tls.key) == tuple(str(tmp_path / name) for name in ("ca.pem", "client.pem", "client.key"))
    ssl.create_default_context(cafile=tls.ca).load_cert_chain(tls.cert, tls.key)


@pytest.mark.parametrize(
    ("tls", "fault"),
    [
        ("{ca: nothing.pem}", r"tls\.ca: file .*nothing\.pem cannot be read"),
        ("{ca: gs://b/ca.pem}", r"tls\.ca: (found a path of an object store|file gs://b/ca\.pem cannot be read)"),
        ("{ca: c.yaml}", r"tls\.ca: found a file without certificates, expected PEM certificates"),
        (f"{{key: {TLS}/client.key}}", r"tls\.key: found key without cert"),
        (f"{{cert: {TLS}/client.pem}}", r"tls\.cert: found a certificate that cannot be used with its key"),
        (f"{{cert: {TLS}/ca.pem, key: {TLS}/client.key}}", r"tls\.cert: found a certificate that cannot be used with its key"),
        (f"{{crt: {TLS}/client.pem}}", r"tls\.crt: unknown key; did you mean cert\?"),
    ],
)
def test_certificates_that_cannot_be_used(loaded: Any, tls: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        loaded(tls=tls)


def test_tls_needs_https(loaded: Any) -> None:
    with pytest.raises(ConfigError, match=r"tls: found tls with an http:// url, expected an https:// url"):
        loaded("http://lrs.example.edu", tls=f"{{ca: {TLS}/ca.pem}}")


def test_where_the_statement_log_is(loaded: Any, tmp_path: Path) -> None:
    assert loaded().log is False
    assert loaded(log="true").log is True
    assert loaded(log="logs").log == str(tmp_path / "logs")
    assert loaded(log="gs://bucket/logs").log == "gs://bucket/logs"
    with pytest.raises(ConfigError, match=r"log: found a number, expected true, false or the path of a folder"):
        loaded(log="5")


def test_gzip_is_yes_or_no(loaded: Any) -> None:
    assert loaded(gzip="true").gzip is True
    with pytest.raises(ConfigError, match=r"gzip: found a number, expected true or false"):
        loaded(gzip="1")
