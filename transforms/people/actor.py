"""The person of an event as translators see the person: ``transforms.people.anonymise`` has already replaced the user by an id."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import orjson
from msgspec.structs import replace

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.iri import escaped
from edx2lrs.transforms.formats.json_text import Json

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

_is_plain = re.compile(r"[A-Za-z0-9_.~-]+").fullmatch  # the same in JSON, in an IRI and in ASCII
_PLACE = "name-goes-here"


class ActorForm(msgspec.Struct, frozen=True, gc=False):
    """The texts around a person's name: the same for all persons of a site who have the same kind of id."""

    hash_before: str
    hash_after: str
    xapi_before: str
    xapi_after: str
    iri: str
    person_before: str
    person_after: str
    anonymous_id: str
    hidden: str = ""
    """What tells persons apart in ids of statements alone, where one actor stands for everybody."""


class Actor(msgspec.Struct, frozen=True, gc=False):
    """One person for one kind of external id. ``name`` stands between the texts of ``form``, so a person takes little memory. A
    processor's caches hold little memory."""

    name: str
    form: ActorForm

    @property
    def hash_text(self) -> str:
        """The exact JSON text that goes into the statement id, keys in this order, separators ``", "`` and ``": "``, non-ASCII as
        ``\\uXXXX``: ``{"objectType": "Agent", "account": {"name": "...", "homePage": "..."}}``,
        ``{"objectType": "Agent", "mbox": "mailto:..."}`` or ``{"objectType": "Agent", "mbox_sha1sum": "..."}``."""
        return f"{self.form.hash_before}{self.name}{self.form.hash_after}"

    @property
    def xapi(self) -> Json:
        """The statement's actor (xAPI 1.0.3, 2.4.2)."""
        return f"{self.form.xapi_before}{self.name}{self.form.xapi_after}".encode()

    @property
    def anonymous_id(self) -> str:
        """The part of ``iri`` after ``Root/user/``. For a person with a mailbox, ``anonymous_id``, ``iri`` and ``person`` are
        empty, since Caliper has no mailboxes."""
        return self.form.anonymous_id or self.name

    @property
    def iri(self) -> str:
        """The id of the Caliper ``person``."""
        return f"{self.form.iri}{self.name}"

    @property
    def id_text(self) -> str:
        """What stands for the person in the id of a Caliper event."""
        return f"{self.iri}{self.form.hidden}"

    @property
    def person(self) -> Json:
        """The person in Caliper (Caliper 1.2, Person)."""
        return f"{self.form.person_before}{self.name}{self.form.person_after}".encode()


def account_actor(root: str, name: str) -> Actor:
    """xAPI 1.0.3, 2.4.2.4: an account on the site. Caliper: the same name below ``Root/user/``, escaped for an IRI."""
    if _is_plain(name):
        return Actor(name, _account_form(root))
    anonymous_id = escaped(name)
    whole = _form(_account(root, name), f"{root}/user/{anonymous_id}", "")
    return Actor("", replace(whole, anonymous_id=anonymous_id))


def mailbox_actor(kind: str, value: str) -> Actor:
    """xAPI 1.0.3, 2.4.2.3: a mailto IRI, or the SHA-1 of a mailto IRI."""
    return Actor("", replace(_form({"objectType": "Agent", kind: value}, "", ""), person_before="", person_after=""))


@lru_cache(4096)
def _account_form(root: str) -> ActorForm:
    return _form(_account(root, _PLACE), f"{root}/user/{_PLACE}", _PLACE)


def _account(root: str, name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"name": name, "homePage": root}}


def _form(agent: dict[str, Any], iri: str, name: str) -> ActorForm:
    """The texts before and after ``name``. If ``name`` is empty, the texts are complete without a name."""
    hash_text, xapi = json.dumps(agent), orjson.dumps(agent).decode()
    person = orjson.dumps({"id": iri, "type": "Person"}).decode()
    (hash_before, hash_after), (xapi_before, xapi_after), (person_before, person_after) = (
        (text, "") if not name else (text[: text.index(name)], text[text.index(name) + len(name) :])
        for text in (hash_text, xapi, person)
    )
    return ActorForm(hash_before, hash_after, xapi_before, xapi_after, iri.removesuffix(name), person_before, person_after, "")


def one_for_all(shown_as: str, hidden: str) -> Actor:
    """The actor that stands for everybody: an Agent or Group of xAPI, or a Person of Caliper or its IRI, as JSON. ``hidden`` tells
    persons apart in ids of statements."""
    actor = json.loads(shown_as)
    iri = str(actor.get("id", "") if isinstance(actor, dict) else actor)
    anonymous_id = str(uuid5(NAMESPACE_URL, iri))
    return Actor("", ActorForm(shown_as, f"-{hidden}", shown_as, "", iri, shown_as, "", anonymous_id, f"-{hidden}"))


ActorOf = Callable[["Event"], Actor | Refusal]
"""Finds the person of an event; a refusal says why there is none."""

CourseName = Callable[[str], str | None]
"""The display name of a course by its key; None when the site's table has none."""
