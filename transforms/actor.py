"""The person of an event as translators see them: already made unrecognisable by ``transforms.anonymise``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from edx2lrs.transforms.failure import Refusal

if TYPE_CHECKING:
    from edx2lrs.transforms.parse import Event


class Actor(NamedTuple):
    """One person for one kind of external id.

    ``hash_text``: the exact JSON text that goes into the statement id, keys in this order, separators ``", "`` and ``": "``,
    non-ASCII as ``\\uXXXX``: ``{"objectType": "Agent", "account": {"name": "...", "homePage": "..."}}``,
    ``{"objectType": "Agent", "mbox": "mailto:..."}`` or ``{"objectType": "Agent", "mbox_sha1sum": "..."}``.
    ``xapi``: the statement's actor (xAPI 1.0.3, 2.4.2); shared by all statements of the person, never mutated.
    ``anonymous_id``: what follows ``Root/user/`` in a Caliper event.
    """

    hash_text: str
    xapi: dict[str, Any]
    anonymous_id: str


ActorOf = Callable[["Event"], Actor | Refusal]
"""Finds the person of an event; a refusal says why there is none."""

CourseName = Callable[[str], str | None]
"""The display name of a course by its key; None when the site's table has none."""
