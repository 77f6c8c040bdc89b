"""Stable ids: the same event gives the same id on every run and machine, whatever road it took.

xAPI: the algorithm of event-routing-backends, so that an LRS knows again what it got from there::

    namespace = uuid5(DNS, <JSON text of the verb>)              a child of a group: <JSON text of the verb>-<key>
    id        = uuid5(namespace, <JSON text of the actor>-<time>)

The JSON texts have the separators ``", "`` and ``": "`` and non-ASCII as ``\\uXXXX``; the time is canonical
(``transforms.times``). With ``strict`` the name ends in ``-<object id>``: other statements of the same person, verb and time
then have other ids.

Caliper: ``uuid5(namespace, <name>\\n<actor id>\\n<time>\\n<object id>)`` with
``namespace = uuid5(URL, "http://purl.imsglobal.org/ctx/caliper/v1p2")``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha1
from uuid import NAMESPACE_DNS, NAMESPACE_URL, uuid5

CALIPER_NAMESPACE = uuid5(NAMESPACE_URL, "http://purl.imsglobal.org/ctx/caliper/v1p2")


# version 5, and the variant of RFC 9562 in the two highest bits of the ninth byte
_FIXED = 5 << 76 | 0x2 << 62
_FREE = (1 << 128) - 1 & ~(0xF << 76 | 0x3 << 62)
_from_bytes = int.from_bytes


Identify = Callable[[str], tuple[bytes, str]]
"""Gives the 16 bytes of a name's id, and its text."""


def uuid5_in(namespace: bytes) -> Identify:
    """uuid5 of many names in one namespace, faster than by ``uuid.uuid5``."""
    start = sha1(namespace, usedforsecurity=False)

    def identify(name: str) -> tuple[bytes, str]:
        state = start.copy()
        state.update(name.encode())
        id_ = (_from_bytes(state.digest()[:16], "big") & _FREE | _FIXED).to_bytes(16, "big")
        pairs = id_.hex("-", 2)
        return id_, f"{pairs[:4]}{pairs[5:29]}{pairs[30:34]}{pairs[35:]}"

    return identify


@lru_cache(16_384)  # the keys of a site's questions come again with every learner
def verb_ids(verb: str, key: str | None = None) -> Identify:
    """The ids of all statements with this verb (its JSON text); ``key``: of the children of a group that have this key."""
    return uuid5_in(uuid5(NAMESPACE_DNS, verb if key is None else f"{verb}-{key}").bytes)
