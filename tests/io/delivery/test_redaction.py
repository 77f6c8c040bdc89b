"""Secrets that an LRS repeats, in any form, are taken out before a text is cut, kept or shown."""

from __future__ import annotations

import base64
import html
import json
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest

from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.io.delivery.redaction import Redaction
from edx2lrs.transforms.auth import BearerAuth

TOKEN = "s3cr3t-T0ken+/a&b<c"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "capitals": str.upper,
    "small letters": str.lower,
    "a JSON text": json.dumps,
    "escaped slashes": lambda text: text.replace("/", "\\/"),
    "a URL": lambda text: urllib.parse.quote(text, safe=""),
    "a URL in small letters": lambda text: urllib.parse.quote(text, safe="").lower(),
    "a form": urllib.parse.quote_plus,
    "a URL, everything escaped": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "a URL in a URL": lambda text: urllib.parse.quote("".join(f"%{byte:02X}" for byte in text.encode()), safe=""),
    "HTML": html.escape,
    "HTML, in numbers": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "HTML, in hexadecimal numbers": lambda text: "".join(f"&#X{ord(character):X};" for character in text),
    "HTML in JSON": lambda text: json.dumps(html.escape(text)).replace("&", "\\u0026"),
    "\\u": lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    "\\u of some": lambda text: text.replace("3", "\\u0033"),
    "\\u with braces": lambda text: "".join(f"\\u{{{ord(character):x}}}" for character in text),
    "\\x": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 after another letter": lambda text: base64.b64encode(b"x" + text.encode() + b"yz").decode(),
    "base64 after two letters": lambda text: base64.b64encode(b"xy" + text.encode() + b"z").decode(),
    "base64 of URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in a URL": lambda text: urllib.parse.quote(base64.b64encode(text.encode()).decode(), safe=""),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal capitals": lambda text: text.encode().hex(":").upper(),
    "two halves": lambda text: f"{text[: len(text) // 2]} and {text[len(text) // 2 :]}",
    "two lines": lambda text: f"{text[: len(text) // 2]}\r\n\t{text[len(text) // 2 :]}",
}


@pytest.mark.parametrize("secret", [TOKEN, "hunter2/x", "pä ss/wörd-Ж", "0123456789abcdef" * 60], ids=["token", "short", "ü", "long"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_another_form(form: str, secret: str) -> None:
    if "two" in form and len(secret) < 12:
        pytest.skip("half of a short secret is in every text")
    said = FORMS[form](secret)
    shown = Redaction([secret]).redacted(f"No <{said}> here, {said}")
    assert shown.startswith("No <")
    assert len(shown) - len("No <> here, ") <= 2 * (len(said) - len(said.strip('"'))) + 2 * len("*** and ***") + 10, shown
    for at in range(0, len(said) - 7, 4):
        assert said[at : at + 8] not in shown, shown


@pytest.mark.parametrize("form", ["plain", "base64", "hexadecimal", "a URL, everything escaped"])
def test_a_secret_that_is_cut_off(form: str) -> None:
    said = FORMS[form](TOKEN * 50)
    shown = Redaction([TOKEN * 50]).redacted(f"No {said[: len(said) // 2]}")
    assert shown in ("No ***", "No ***=")


def test_what_is_no_secret_stays() -> None:
    text = "statement 3: verb.id %41 \\u0041 &amp; &lt;b&gt; 100 % sure, a\\b \x00 c == d"
    assert Redaction([TOKEN, "abc", ""]).redacted(text) == text.replace("\x00", " ")
    assert Redaction([]).redacted("") == ""


def test_a_long_text_takes_little_time() -> None:
    hides = Redaction([TOKEN, "user", "0123456789abcdef" * 60])
    for text in ("\\" * 8_000, "%25" * 2_600, "&#" * 4_000, "s3cr3t" * 1_300, "&amp;" * 1_600):
        began = time.process_time()
        hides.redacted(text)
        assert time.process_time() - began < 1.0


def test_an_lrs_that_repeats_the_token_by_halves(lrs: Any, replies: Any, consumer: Any) -> None:
    token = "0123456789abcdef" * 56
    its = consumer(lrs.url, auth=BearerAuth(token="env:T"))
    client = LrsClient(its, credentials_of(its, lambda _: token), "http://lms")
    for said in (f"no: {token} {token} {token} {token} {token} {token}", "x" * 490 + token, "x" * 7_990 + token, token.upper() * 9):
        lrs.behave = lambda _, said=said: replies(401, said.encode())
        excerpt = client.post(b'{"id":"12345678-1234-4234-8234-123456789012"}').excerpt
        assert not any(token[at : at + 8] in excerpt.lower() for at in range(16)), excerpt
    client.close()
