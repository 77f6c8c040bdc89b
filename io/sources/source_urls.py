"""The addresses of streams: ``pubsub://``, ``tail:``, ``kafka://`` and ``redis://``. Reading one, and opening its source."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from edx2lrs.io.sources.source import Source

_FORMS = {
    "pubsub": "pubsub://PROJECT/SUBSCRIPTION",
    "kafka": "kafka://HOST:PORT[,HOST:PORT]/TOPIC?group=GROUP",
    "redis": "redis://HOST:PORT/STREAM?group=GROUP",
    "rediss": "rediss://HOST:PORT/STREAM?group=GROUP",
}
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")  # with the domain of older ones
_SUBSCRIPTION = re.compile(r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")


class SourceUrlError(Exception):
    """An address that names no stream. The message says what was found and how it is written."""


class SourceUrl(NamedTuple):
    """``name``: what people are told and how the state directory knows it, without credentials. ``servers``: ``HOST:PORT``, or
    the project of a subscription; ``path``: subscription, topic, stream or file; ``options``: what follows the ``?``."""

    scheme: str
    name: str
    servers: tuple[str, ...]
    path: str
    options: Mapping[str, str]

    @property
    def takes_workers(self) -> bool:
        """Whether several processes can share it."""
        return self.scheme != "tail"


def streams(inputs: Sequence[str]) -> list[SourceUrl]:
    """The streams that ``inputs`` (``--input``) name; none when they are files. Raises ``SourceUrlError``."""
    given = [text for text in inputs if _scheme(text)]
    if given and len(given) < len(inputs):
        file = next(text for text in inputs if not _scheme(text))
        raise SourceUrlError(f"--input {file}: files beside the stream {given[0]}; read them in a run of their own")
    found = [parse(text) for text in given]
    for index, url in enumerate(found):
        if url in found[:index]:
            raise SourceUrlError(f"--input {url.name}: given twice; name it once, and --workers for more processes")
    return found


def parse(text: str) -> SourceUrl:
    """The stream that ``text`` names. Raises ``SourceUrlError``."""
    scheme = _scheme(text)
    if scheme == "tail":
        return _tail(text)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _wrong(text, scheme, "is no address") from None
    if "@" in parts.netloc:  # the text is not repeated: a command line is no place for a secret
        raise SourceUrlError(f"--input {scheme}://...: holds a user or password; name the secret's place in an option instead")
    path = unquote(parts.path.strip("/"))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or not path or "/" in path:
        raise _wrong(text, scheme, "is no such address")
    if scheme == "pubsub":
        return _pubsub(text, parts.netloc, path, options)
    servers = tuple(parts.netloc.split(","))
    for server in servers:
        if not _HOST.fullmatch(server) or int(server.rpartition(":")[2]) > 65535:
            raise _wrong(text, scheme, f"{server or 'nothing'!r} is no HOST:PORT")
    if not options.get("group"):
        raise _wrong(text, scheme, "has no group; processes of one group share the messages")
    return SourceUrl(scheme, f"{scheme}://{parts.netloc}/{path}?group={options['group']}", servers, path, options)


def check_options(url: SourceUrl) -> None:
    """Raises ``SourceUrlError`` for options that the source does not have, or with values that it cannot use."""
    if url.scheme == "kafka":
        from edx2lrs.io.sources.kafka import kafka_options  # each source with its own library, which takes a while to import

        kafka_options(url)
    elif url.scheme in ("redis", "rediss"):
        from edx2lrs.io.sources.redis_streams import redis_options

        redis_options(url)


def open_source(url: SourceUrl, worker: str, position: str | None = None) -> Source:
    """The source at ``url``, for the process that it knows as ``worker``, also after a restart. ``position``: where a source without
    a memory of its own goes on.

    Raises ``SourceError``, and ``SourceUrlError`` for options that the source does not have.
    """
    if url.scheme == "pubsub":
        from edx2lrs.io.sources.pubsub import PubSub

        return PubSub(url.servers[0], url.path)
    if url.scheme == "tail":
        from edx2lrs.io.sources.tail import Tail

        return Tail(url.path, position)
    if url.scheme == "kafka":
        from edx2lrs.io.sources.kafka import kafka_source

        return kafka_source(url, worker)
    from edx2lrs.io.sources.redis_streams import redis_source

    return redis_source(url, worker)


def _scheme(text: str) -> str:
    """Of a stream; "" for files."""
    scheme = text.partition(":")[0].lower()
    return scheme if scheme == "tail" or (scheme in _FORMS and text[len(scheme) :].startswith("://")) else ""


def _tail(text: str) -> SourceUrl:
    path = text[len("tail:") :]
    if path.startswith("//"):
        path = path[2:]
    if not path or path.endswith("/") or any(sign in path for sign in "*?"):
        raise SourceUrlError(f"--input {text}: names no file; a growing log is given as tail:PATH, as tail:/var/log/tracking.log")
    if os.path.isdir(path):
        raise SourceUrlError(f"--input {text}: is a folder; name the log in it that grows")
    path = os.path.abspath(path)
    return SourceUrl("tail", f"tail:{path}", (), path, {})


def _pubsub(text: str, project: str, subscription: str, options: Mapping[str, str]) -> SourceUrl:
    if options:
        raise _wrong(text, "pubsub", f"{next(iter(options))!r} is no option of it")
    if not _PROJECT.fullmatch(project):
        raise _wrong(text, "pubsub", f"{project!r} is no project's id")
    if not _SUBSCRIPTION.fullmatch(subscription) or subscription.startswith("goog"):
        raise _wrong(text, "pubsub", f"{subscription!r} is no subscription's name")
    return SourceUrl("pubsub", f"pubsub://{project}/{subscription}", (project,), subscription, options)


def _wrong(text: str, scheme: str, why: str) -> SourceUrlError:
    return SourceUrlError(f"--input {text}: {why}; it is written {_FORMS[scheme]}")
