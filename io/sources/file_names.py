"""Names of files as text that can be printed, kept, and turned back into the name on the disk. A name may hold any bytes."""

from __future__ import annotations

import os
import re

_UNSAFE = re.compile(r"\\(?=x[0-9a-f]{2})|[^ -~]")
_ESCAPED = re.compile(r"(?:\\x[0-9a-f]{2})+")


def printable(path: str) -> str:
    r"""``path`` as the system gives it, with ``\xe9`` in place of each byte that is no printable UTF-8."""
    return _UNSAFE.sub(_shown, path)


def on_disk(name: str) -> str:
    """The path whose printable form is ``name``."""
    return _ESCAPED.sub(_bytes_of, name)


def _shown(match: re.Match[str]) -> str:
    sign = match[0]
    return sign if sign.isprintable() and sign != "\\" else "".join(f"\\x{byte:02x}" for byte in os.fsencode(sign))


def _bytes_of(match: re.Match[str]) -> str:
    return os.fsdecode(bytes.fromhex(match[0].replace("\\x", "")))
