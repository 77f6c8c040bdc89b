"""The person of an event as translators see them: already made unrecognisable by ``transforms.anonymise``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.iri import escaped
from edx2lrs.transforms.json_text import Json, json_text

if TYPE_CHECKING:
    from edx2lrs.transforms.parse import Event


class Actor(NamedTuple):
    """One person for one kind of external id.

    ``hash_text``: the exact JSON text that goes into the statement id, keys in this order, separators ``", "`` and ``": "``,
    non-ASCII as ``\\uXXXX``: ``{"objectType": "Agent", "account": {"name": "...", "homePage": "..."}}``,
    ``{"objectType": "Agent", "mbox": "mailto:..."}`` or ``{"objectType": "Agent", "mbox_sha1sum": "..."}``.
    ``xapi``: the statement's actor (xAPI 1.0.3, 2.4.2). ``anonymous_id``: what follows ``Root/user/`` in ``iri``, the id of the
    Caliper ``person``; all three are empty where a person is known by a mailbox, which Caliper does not know.
    """

    hash_text: str
    xapi: Json
    anonymous_id: str
    iri: str
    person: Json


def account_actor(root: str, name: str) -> Actor:
    """xAPI 1.0.3, 2.4.2.4: an account on the site; Caliper: the same name below ``Root/user/``, as an IRI may hold it."""
    agent = {"objectType": "Agent", "account": {"name": name, "homePage": root}}
    anonymous_id = escaped(name)
    iri = f"{root}/user/{anonymous_id}"
    return Actor(json.dumps(agent), json_text(agent), anonymous_id, iri, json_text({"id": iri, "type": "Person"}))


def mailbox_actor(kind: str, value: str) -> Actor:
    """xAPI 1.0.3, 2.4.2.3: a mailto IRI, or the SHA-1 of one."""
    agent = {"objectType": "Agent", kind: value}
    return Actor(json.dumps(agent), json_text(agent), "", "", b"")


ActorOf = Callable[["Event"], Actor | Refusal]
"""Finds the person of an event; a refusal says why there is none."""

CourseName = Callable[[str], str | None]
"""The display name of a course by its key; None when the site's table has none."""
