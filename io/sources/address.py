"""The address of a stream, as ``--input`` names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_LIKE_A_HOST = re.compile(r"[A-Za-z0-9.-]*(:\d*)?")
_SHOWN_OPTION = re.compile(r"(group|start)=[A-Za-z0-9_.:+-]*")
_NAME = re.compile(r"[a-z_]{1,40}")


class SourceUrlError(Exception):
    """An address that names no stream. The message says what was found, and how an address is written."""


class SourceUrl(NamedTuple):
    """``name``: for people and the state directory, without credentials. ``servers``: ``HOST:PORT``, or a subscription's project."""

    scheme: str
    name: str
    servers: tuple[str, ...]
    path: str
    options: Mapping[str, str]


def scheme_of(text: str) -> str:
    return text.partition(":")[0].lower()


def split(text: str, form: str) -> SourceUrl:
    """The parts of an address, written as ``form`` says; ``servers`` is the text between ``//`` and ``/``. Raises SourceUrlError."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise wrong(text, form, "is no address") from None
    if "@" in parts.netloc:  # the message does not repeat the text, which may hold a secret
        raise SourceUrlError(f"--input {scheme_of(text)}://...: holds a user or password; name the secret's place in an option instead")
    path = unquote(parts.path.strip("/"))
    if parts.fragment or not path or "/" in path:
        raise wrong(text, form, "is no such address")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return SourceUrl(parts.scheme, f"{parts.scheme}://{parts.netloc}/{path}", (parts.netloc,), path, options)


def of_group(text: str, form: str) -> SourceUrl:
    """The address of a stream on servers, ``SCHEME://HOST:PORT[,HOST:PORT]/NAME?group=GROUP``. Raises ``SourceUrlError``."""
    found = split(text, form)
    servers = tuple(found.servers[0].split(","))
    for server in servers:
        if not _HOST.fullmatch(server) or int(server.rpartition(":")[2]) > 65535:
            named = repr(server or "nothing") if _LIKE_A_HOST.fullmatch(server) else "what stands for a server"
            raise wrong(text, form, f"{named} is no HOST:PORT")
    if not found.options.get("group"):
        raise wrong(text, form, "has no group; processes of one group share the messages")
    return found._replace(name=f"{found.name}?group={found.options['group']}", servers=servers)


def wrong(text: str, form: str, why: str) -> SourceUrlError:
    return SourceUrlError(f"--input {shown(text)}: {why}; it is written {form}")


def shown(text: str) -> str:
    """The address of a stream as a message may show it: with ``***`` for a user and password, for the values of options except group
    and start, and for what follows ``#``. Each of them may hold a secret."""
    address, question, options = text.partition("?")
    address = re.sub(r"#.*", "#***", re.sub(r"//.*@", "//***@", address, flags=re.DOTALL), flags=re.DOTALL)
    address = re.sub(r"(?<=//)[^/@]+(?=/|$)", _servers_shown, address)
    parts = (part if _SHOWN_OPTION.fullmatch(part) else _without_value(part) for part in options.split("&"))
    return address + question + ("&".join(parts) if question else "")


def _servers_shown(found: re.Match[str]) -> str:
    parts = found[0].split(",")
    return ",".join(part if _LIKE_A_HOST.fullmatch(part) or _HOST.fullmatch(part) else "***" for part in parts)


def _without_value(option: str) -> str:
    name, _, _ = option.partition("=")
    return f"{name}=***" if _NAME.fullmatch(name) else "***"
