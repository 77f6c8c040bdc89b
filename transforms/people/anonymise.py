"""From the user of an event to the person that a consumer sees: by the site's external ids, or by a keyed hash."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from edx2lrs.transforms.config_types import ActorOptions
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.people.actor import Actor, account_actor, mailbox_actor, one_for_all
from edx2lrs.transforms.people.external_ids import ExternalIds

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

REMEMBERED = 16_384
"""Persons that one ``Actors`` keeps made: about 1 kB each."""


class Actors:
    """Finds the actor of an event; see ``transforms.people.actor.ActorOf``.

    Refusals have stage ``translate`` and cause ``unknown_user`` (not in the table), ``no_email`` (in no row of the
    table, or the address is none) or ``no_actor`` (neither user nor session, or an anonymous visitor without the
    key)."""

    def __init__(self, options: ActorOptions, root_url: str, table: ExternalIds | None, key: bytes | None) -> None:
        """``table`` may be None for kind ``hmac``; ``key``, the consumer's own or the site's, only where no id is made by HMAC.

        Raises ValueError when the kind needs what is not there.
        """
        needs_key = options.kind == "hmac" or options.unknown == "hmac"
        if options.kind != "hmac" and table is None:
            raise ValueError(f"actor.id: {options.kind} needs lms.external_ids")
        if needs_key and not key:
            raise ValueError("HMAC ids need lms.id_key")
        self._options = options
        self._root = root_url
        self._table = table
        self._key = key
        self._by_id: dict[int, Actor] = {}  # persons whom the user id alone identifies
        self._known = remembered(REMEMBERED)(self._find)
        self._visitors = remembered(REMEMBERED)(self._visitor)
        self.session_of: Callable[[str], str | None] | None = None
        """What a consumer sees of a session: nothing where one actor stands for everybody; with a key of its own, another id for each
        session, and another than other consumers see. None: the session's own id."""
        if options.shown_as is not None:
            self.session_of = _no_session
        elif options.key:
            self.session_of = remembered(REMEMBERED)(self._session)

    def at(self, root_url: str) -> Actors:
        """The same persons at another site."""
        return Actors(self._options, root_url, self._table, self._key)

    def __call__(self, event: Event) -> Actor | Refusal:
        """The event's person: its user, else the session of an anonymous visitor. The user id wins over the
        username."""
        user_id, username = event.user_id, event.username
        by_id = self._by_id.get(user_id) if user_id else None
        if by_id is not None:  # nearly always
            return by_id
        if user_id or username:
            return self._known(user_id, username)
        if not event.session:
            return Refusal("translate", "no_actor", "neither a user nor a session; expected one of user_id, username, session")
        return self._visitors(str(event.session))

    def _session(self, session: str) -> str:
        return self._keyed_id(f"session-id:{session}")

    def _find(self, user_id: int | None, username: str | None) -> Actor | Refusal:
        by_id = self._found(user_id, None) if user_id else None
        if user_id and isinstance(by_id, Actor):
            if len(self._by_id) >= REMEMBERED:
                self._by_id.clear()
            self._by_id[user_id] = by_id = self._shown(by_id)
            return by_id
        found = self._found(user_id, username)
        if isinstance(found, Refusal) and self._options.unknown == "hmac":
            found = self._hashed_user(user_id, username)
        return found if isinstance(found, Refusal) else self._shown(found)

    def _shown(self, found: Actor) -> Actor:
        """The person, or the one actor that stands for everybody. The key then keeps the ids of two persons' statements apart, and
        nobody can find the person of an id by trying all persons."""
        if self._options.shown_as is None:
            return found
        return one_for_all(self._options.shown_as, self._keyed_id(f"statements:{found.hash_text}") if self._key else "")

    def _found(self, user_id: int | None, username: str | None) -> Actor | Refusal:
        """The user's entry in the table. Without a table, every user is found."""
        options = self._options
        if options.kind == "hmac" or self._table is None:
            return self._hashed_user(user_id, username)
        if options.kind == "external_id":
            external_id = self._table.external_id(options.type, user_id, username)
            message = f"the table of external ids has no {options.type} id of this user"
            return account_actor(self._root, external_id) if external_id else Refusal("translate", "unknown_user", message)
        return _by_email(options, self._table.email(user_id, username))

    def _visitor(self, session: str) -> Actor | Refusal:
        """An anonymous visitor; only the session tells visitors apart."""
        if self._key is None:
            return Refusal("translate", "no_actor", "an anonymous visitor; they are told apart by lms.id_key, which is not set")
        return self._shown(self._hashed(f"session:{session}"))

    def _hashed_user(self, user_id: int | None, username: str | None) -> Actor:
        return self._hashed(f"id:{user_id}" if user_id else f"name:{username}")

    def _hashed(self, subject: str) -> Actor:
        return account_actor(self._root, self._keyed_id(subject))

    def _keyed_id(self, subject: str) -> str:
        assert self._key is not None
        text = f"{self._options.type}:{subject}".encode("utf-8", "surrogatepass")
        return str(uuid8(hmac.digest(self._key, text, hashlib.sha256)[:16]))


def _no_session(_: str) -> None:
    return None


def _by_email(options: ActorOptions, email: str | None) -> Actor | Refusal:
    """xAPI 1.0.3, 2.4.2.3: mbox, or the SHA-1 of the mailto IRI. The SHA-1 of the bare address only if the site wants the hash of
    erb."""
    address = (email or "").removeprefix("mailto:")
    if address.count("@") != 1 or not address.isprintable() or " " in address:
        return Refusal("translate", "no_email", "the table of external ids has no e-mail address of this user")
    if options.kind == "mbox":
        return mailbox_actor("mbox", f"mailto:{address}")
    hashed = address if options.sha1_of == "address" else f"mailto:{address}"
    return mailbox_actor("mbox_sha1sum", hashlib.sha1(hashed.encode(), usedforsecurity=False).hexdigest())


def uuid8(data: bytes) -> uuid.UUID:
    """The 16 bytes as a UUID of version 8, the version for ids of an application's own making (RFC 9562, 5.8)."""
    number = int.from_bytes(data, "big")
    number = number & ~(0xF << 76) | 8 << 76
    return uuid.UUID(int=number & ~(0x3 << 62) | 0x2 << 62)
