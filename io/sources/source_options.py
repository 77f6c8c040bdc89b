"""The options of a stream's address: which there are, durations, places to begin, secrets by reference."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from datetime import datetime

from edx2lrs.io.secrets import EXPECTED, SecretError, is_reference, resolve
from edx2lrs.io.sources.source_urls import SourceUrl, SourceUrlError
from edx2lrs.transforms.formats.times import canonical_time

_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h)\Z")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class SourceOptions:
    """The options of ``url``, each read by what it holds. All raise SourceUrlError; no message holds a secret's text."""

    def __init__(self, url: SourceUrl, known: Collection[str]) -> None:
        self._url = url
        for key, value in url.options.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                raise self.wrong(key, f"is no option; {f'did you mean {near[0]}?' if near else f'there are {_listed(known)}'}")
            if not value:
                raise self.wrong(key, "is empty; leave it out or give it a value")

    def text(self, key: str, default: str = "") -> str:
        return self._url.options.get(key, default)

    def one_of(self, key: str, allowed: Collection[str], default: str) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, f"expected {_listed(allowed)}, found {value[:40]!r}")
        return value

    def seconds(self, key: str, default: float) -> float:
        """A duration such as ``45s``."""
        text = self.text(key)
        match = _DURATION.match(text)
        if not text:
            return default
        if match is None or not float(match[1]):
            raise self.wrong(key, f"expected a duration such as 500ms, 45s or 5m, found {text[:40]!r}")
        return float(match[1]) * _UNITS[match[2]]

    def start(self) -> str | int:
        """Where a group without a position begins: ``earliest`` (the default), ``latest``, or a time in ISO 8601 as milliseconds
        since 1970."""
        text = self.text("start", "earliest")
        if text in ("earliest", "latest"):
            return text
        time = canonical_time(text)
        if not isinstance(time, str):
            raise self.wrong("start", f"expected earliest, latest or a time such as 2026-01-01T00:00:00Z, found {text[:40]!r}")
        return int(datetime.fromisoformat(time).timestamp() * 1000)

    def secret(self, key: str) -> str | None:
        """What the option's reference stands for; None where it is not given."""
        reference = self.text(key)
        if not reference:
            return None
        if not is_reference(reference):
            raise self.wrong(key, f"holds no reference; expected {EXPECTED}, since others can read a command line")
        try:
            return resolve(reference)
        except SecretError as error:
            raise self.wrong(key, str(error)) from None

    def wrong(self, key: str, why: str) -> SourceUrlError:
        return SourceUrlError(f"--input {self._url.name}: option {key} {why}")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
