"""The options of a stream's address: their kinds, and reading them. No message holds a secret's text."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from edx2lrs.io.secrets import EXPECTED, SecretError, is_reference, resolve
from edx2lrs.io.sources.address import SourceUrl, SourceUrlError
from edx2lrs.transforms.formats.durations import seconds
from edx2lrs.transforms.formats.times import canonical_time
from edx2lrs.transforms.formats.unfit import UnfitError


class Kind(NamedTuple):
    """What an option holds. ``words``: for a person. ``read`` raises ValueError, which says what was expected and found."""

    words: str
    read: Callable[[str], Any]


class Option(NamedTuple):
    """``default``: as it would be written. ``names_reader``: the value is the name of one reader; several readers cannot have it."""

    name: str
    kind: Kind
    meaning: str
    default: str | None = None
    names_reader: bool = False


def read_options(url: SourceUrl, known: Sequence[Option]) -> dict[str, Any]:
    """The value of each option, by name; None for one that is not given and has no default. Raises ``SourceUrlError``."""
    names = [option.name for option in known]
    for name, text in url.options.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise wrong_option(url, name, f"is no option; {f'did you mean {near[0]}?' if near else f'there are {_listed(names)}'}")
        if not text:
            raise wrong_option(url, name, "is empty; leave it out or give it a value")
    values: dict[str, Any] = {}
    for option in known:
        text_or_default = url.options.get(option.name, option.default)
        try:
            values[option.name] = None if text_or_default is None else option.kind.read(text_or_default)
        except ValueError as error:
            raise wrong_option(url, option.name, str(error)) from None
    return values


def wrong_option(url: SourceUrl, name: str, why: str) -> SourceUrlError:
    return SourceUrlError(f"--input {url.name}: option {name} {why}")


def one_of(*allowed: str) -> Kind:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"expected {_listed(allowed)}, found {text[:40]!r}")
        return text

    return Kind(", ".join(f"`{word}`" for word in allowed), read)


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except UnfitError as error:
        raise ValueError(f"expected {error.expected}, found {text[:40]!r}") from None


def _start(text: str) -> str | int:
    """``earliest``, ``latest``, or milliseconds since 1970."""
    if text in ("earliest", "latest"):
        return text
    time = canonical_time(text)
    if not isinstance(time, str):
        raise ValueError(f"expected earliest, latest or a time such as 2026-01-01T00:00:00Z, found {text[:40]!r}")
    return int(datetime.fromisoformat(time).timestamp() * 1000)


def _secret(text: str) -> str:
    if not is_reference(text):
        raise ValueError(f"holds no reference; expected {EXPECTED}, since others can read a command line")
    try:
        return resolve(text)
    except SecretError as error:
        raise ValueError(str(error)) from None


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"expected a number, found {text[:40]!r}")
    return int(text)


def _http(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("is no address of a schema registry; expected http://HOST:PORT or https://...")
    if "@" in text:
        raise ValueError("holds a user or password; name their place in registry_username and registry_password instead")
    return text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


NAME = Kind("a name", str)
PATH = Kind("a path", str)
NUMBER = Kind("a number", _number)
DURATION = Kind("a duration", _seconds)
START = Kind("`earliest`, `latest`, or a time such as `2026-01-01T00:00:00Z`", _start)
SECRET = Kind("a reference", _secret)
HTTP = Kind("an address", _http)

BUS_OPTIONS = (
    Option("group", NAME, "required. Processes of one group share the messages; the server keeps the group's position"),
    Option("start", START, "where a group **without a position** begins. To read messages again, use a new group", "earliest"),
    Option("username", SECRET, "`env:NAME`, `file:PATH`, `secret://...` ([secrets](configuration.md#secrets)). Other text is refused"),
    Option("password", SECRET, "as `username`"),
    Option("ca", PATH, "the PEM file of the authority that signed the server's certificate"),
    Option("certificate", PATH, "the PEM file of the client's certificate"),
    Option("key", PATH, "the PEM file of the client's key"),
)
"""Of every source that is an event bus."""
READER = "the name of this process in the group. Default: a name made from the state directory"
