"""Stable ids: the same event gives the same id on every run and machine, from every source.

xAPI: the algorithm of event-routing-backends, so that an LRS recognises statements of event-routing-backends::

    namespace = uuid5(DNS, <JSON text of the verb>)              a child of a group: <JSON text of the verb>-<key>
    id        = uuid5(namespace, <JSON text of the actor>-<time>)

The JSON texts have the separators ``", "`` and ``": "`` and non-ASCII as ``\\uXXXX``; the time is canonical
(``transforms.formats.times``). With ``strict`` the name ends in ``-<object id>``: other statements of the same person, verb and time
then have other ids. With ``erb_live`` the time has a space in place of its ``T``, as in the ids of event-routing-backends for live
events without batching.

Caliper: ``uuid5(namespace, <name>\\n<actor id>\\n<time>\\n<object id>)`` with
``namespace = uuid5(URL, "http://purl.imsglobal.org/ctx/caliper/v1p2")``.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from uuid import NAMESPACE_DNS, NAMESPACE_URL, uuid5

from edx2lrs.transforms.formats.remembered import remembered

CALIPER_NAMESPACE = uuid5(NAMESPACE_URL, "http://purl.imsglobal.org/ctx/caliper/v1p2")

Identify = Callable[[str], str]
"""Gives the text of a name's id."""

# the hexadecimal digit that holds the variant of RFC 9562 in its two highest bits, for each that a hash may have there
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def uuid5_in(namespace: bytes) -> Identify:
    """uuid5 of many names in one namespace, faster than ``uuid.uuid5``."""
    start = sha1(namespace, usedforsecurity=False)

    def identify(name: str) -> str:
        state = start.copy()
        state.update(name.encode())
        digits = state.hexdigest()
        return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"

    return identify


@remembered(16_384)  # the keys of a site's questions come again with every learner
def verb_ids(verb: str, key: str | None = None) -> Identify:
    """The ids of all statements with this verb (its JSON text); ``key``: of the children of a group that have this key."""
    return uuid5_in(uuid5(NAMESPACE_DNS, verb if key is None else f"{verb}-{key}").bytes)


def spaced(time: str) -> str:
    """The canonical time as ``str`` prints a datetime."""
    return time.replace("T", " ")


def bytes_of(ids: str) -> bytes:
    """The ids in ``ids`` (texts of UUIDs, one after the other), as 16 bytes each."""
    return bytes.fromhex(ids.replace("-", ""))
