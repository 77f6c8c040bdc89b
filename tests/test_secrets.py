"""Secrets by reference: what they resolve to, and errors that never show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edx2lrs.io.secrets import SecretError, is_reference, resolve

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
    assert "env:NAME or file:PATH" in str(raised.value)
