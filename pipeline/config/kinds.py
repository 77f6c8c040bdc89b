"""What a single value of the configuration has to be, beyond its type: durations, addresses, secrets, tables, names."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from edx2lrs.io.dead_letters.topic import fault_of_topic
from edx2lrs.io.delivery.statement_files import is_place
from edx2lrs.io.paths import beside, is_remote
from edx2lrs.io.secrets import EXPECTED as REFERENCE
from edx2lrs.io.secrets import is_reference
from edx2lrs.transforms.formats.unfit import UnfitError, kind_of
from edx2lrs.transforms.matching.patterns import pattern
from edx2lrs.transforms.people.person_ids import means_nobody

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?\Z|\[[0-9A-Fa-f:.]+\](:[0-9]+)?\Z")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f-\x9f]+\Z")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_SECRET_HEADER = re.compile(r"key|token|secret|cookie|password|authorization", re.IGNORECASE)
_OUR_HEADERS = frozenset({
    "authorization", "content-type", "content-length", "x-experience-api-version", "host", "accept-encoding", "connection",
    "content-encoding", "expect", "transfer-encoding",
})


def url(value: object) -> str:
    """An address with a host, without credentials and fragment, or a place for files. Never shown: a part may be a secret."""
    return _place(value) if isinstance(value, str) and is_place(value) else _split(value)[0]


def _place(value: str) -> str:
    scheme, _, rest = value.partition(":")
    if not value.isprintable():
        raise UnfitError("an address with line breaks", "a place for files")
    if scheme == "stdout":
        if rest:
            raise UnfitError("stdout with a path", "stdout:")
    elif scheme == "file":
        if not rest.startswith("///") or not rest.strip("/"):
            raise UnfitError("an address without an absolute path", "file:///folder/ or file:///folder/name.jsonl.gz")
    elif not rest.startswith("//") or not rest[2:].partition("/")[0]:
        raise UnfitError("an address without a bucket", f"{scheme}://bucket/folder/")
    return value


def root_url(value: object) -> str:
    """The site's root: an address that ids are made of by plain joining."""
    text, parts = _split(value)
    if parts.query:
        raise UnfitError("a root with a query", "the site's root alone", "remove the ? and all that follows")
    if text.endswith("/"):
        raise UnfitError("a root with a slash at its end", "none, since every id starts with it", f"write {text.rstrip('/')}")
    return text


def host(value: str) -> str:
    """The host that an event names: no address, no path."""
    if not _HOST.match(value):
        raise UnfitError("no host", "the event's host, such as campus.example.com")
    return value


def _split(value: object) -> tuple[str, SplitResult]:
    expected = "an address such as https://lrs.example.edu/xAPI"
    if not isinstance(value, str):
        raise UnfitError(kind_of(value), expected)
    if any(c.isspace() or not c.isprintable() for c in value):
        raise UnfitError("an address with white space", expected)
    try:
        parts = urlsplit(value)
        valid_port = parts.port != 0
    except ValueError:
        raise UnfitError("a broken address", expected) from None
    if "://" not in value:
        raise UnfitError("an address without a scheme", "https:// or http:// before it")
    if parts.scheme.lower() not in ("http", "https"):
        raise UnfitError("an address with another scheme", "https:// or http://")
    if not parts.hostname or not valid_port:
        raise UnfitError("an address without a host" if valid_port else "port 0", expected)
    if parts.username is not None or parts.password is not None:
        raise UnfitError("an address with a user name or password in it", "none", "give them in auth, by reference")
    if parts.fragment:
        raise UnfitError("an address with a fragment", "none", "remove the # and all that follows")
    return value, parts


def iri(value: object) -> str:
    """An absolute IRI (RFC 3987)."""
    if not isinstance(value, str) or not _IRI.match(value):
        found = "text that is no IRI" if isinstance(value, str) else kind_of(value)
        raise UnfitError(found, "an IRI such as https://lms.example.com/sensors/1")
    return value


def reference(value: object, folder: str) -> str:
    """A reference to a secret; ``file:`` with an absolute path."""
    if not isinstance(value, str):
        raise UnfitError(kind_of(value), REFERENCE)
    if not is_reference(value):
        raise UnfitError("text that is no reference", REFERENCE, "a secret itself never stands in the configuration")
    if value.startswith("file:"):
        value = "file:" + beside(value.removeprefix("file:"), "" if is_remote(folder) else folder)
    return value


def table(value: object, folder: str) -> str:
    """The absolute path of a file."""
    return beside(_text(value, "the path of a file"), folder)


def pem(value: object, folder: str) -> str:
    """The absolute path of a local file."""
    path = table(value, folder)
    if is_remote(path):
        raise UnfitError("a path of an object store", "a local file, since TLS reads it itself")
    return path


def log(value: object, folder: str) -> bool | str:
    """true, false or the absolute path of a folder."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise UnfitError(kind_of(value), "true, false or the path of a folder")
    return new_folder(value, folder)


def new_folder(value: object, folder: str) -> str:
    """The absolute path of a folder, which need not be there yet; or a topic."""
    text = _text(value, "the path of a folder")
    if text.startswith("pubsub:") and (fault := fault_of_topic(text)):
        raise UnfitError(fault)
    return beside(text, folder)


def _text(value: object, expected: str) -> str:
    if not isinstance(value, str) or not value:
        raise UnfitError(kind_of(value) if value != "" else "empty text", expected)
    return value


def user(value: object) -> str | int:
    """A username, ``/regex/``, or a user id."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 < value < 2**63:
            raise UnfitError("a number out of range", "a user id")
        return value
    if isinstance(value, str):
        if value and means_nobody(value):
            raise UnfitError("a word that stands for nobody in records", "a username, /regex/, or a user id as a number")
        return pattern(value)
    raise UnfitError(kind_of(value), "a username, /regex/, or a user id as a number")


def header_name(name: str) -> str:
    """The name of a header that edx2lrs does not set itself."""
    if not _HEADER_NAME.match(name):
        raise UnfitError("no header's name", "letters, digits and hyphens")
    if name.lower() in _OUR_HEADERS:
        raise UnfitError("a header that edx2lrs sets itself", fix="use auth" if name.lower() == "authorization" else "remove it")
    return name


def header(name: str, value: object, folder: str) -> str:
    """The value of one header: text without line breaks, or a reference. Never shown."""
    header_name(name)
    if not isinstance(value, str):
        raise UnfitError(kind_of(value), "text", "put it in quotes" if isinstance(value, (bool, int, float)) else "")
    if is_reference(value):
        return reference(value, folder)
    if _SECRET_HEADER.search(name):
        raise UnfitError("text that is no reference", REFERENCE, "by its name this header is a secret")
    if not value.isprintable() or not value.isascii():
        raise UnfitError("a header with line breaks or other than ASCII", "plain text")
    return value
