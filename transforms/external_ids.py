"""The site's table of external ids in memory: the pseudonyms that the LMS itself gave its users."""

from __future__ import annotations

import sys
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One row of the table. ``user_id`` or ``username`` is there; ``type`` is in upper case."""

    user_id: int | None
    username: str | None
    type: str
    external_id: str | None
    email: str | None


class Lookup(Protocol):
    """What actors are made from; ``ExternalIds`` keeps it in memory.

    A user id decides where the event has one. A username then counts only in rows that have no user id, so that nobody
    becomes the person of another id. Usernames are compared exactly, and one of digits is never a user id.
    """

    def external_id(self, id_type: str, user_id: int | None, username: str | None) -> str | None:
        """The user's id of that type (``XAPI``, ``CALIPER``, ``LTI``); None when the table has none."""

    def email(self, user_id: int | None, username: str | None) -> str | None:
        """The user's e-mail address; None when the table has none."""


class ConflictError(ValueError):
    """Two rows that cannot both be true. ``column`` is the one in which they differ."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(column)


class ExternalIds:
    """A table in dicts: some 250 bytes for each row. Filled with ``add``, then only read."""

    def __init__(self) -> None:
        self.rows = 0
        self._ids: dict[str, _People] = {}
        self._emails = _People()

    @property
    def types(self) -> frozenset[str]:
        """The types of id that some row has."""
        return frozenset(self._ids)

    @property
    def has_emails(self) -> bool:
        """Whether some row has an e-mail address."""
        return not self._emails.empty

    def add(self, row: Row) -> None:
        """Takes a row in. Raises ConflictError when another row gives the same user another id of the type, or
        another address."""
        self.rows += 1
        if row.external_id is not None:
            people = self._ids.setdefault(sys.intern(row.type), _People())
            if not people.add(row.user_id, row.username, row.external_id):
                raise ConflictError("external_user_id")
        if row.email is not None and not self._emails.add(row.user_id, row.username, row.email):
            raise ConflictError("email")

    def external_id(self, id_type: str, user_id: int | None, username: str | None) -> str | None:
        """See ``Lookup``."""
        people = self._ids.get(id_type)
        return people.get(user_id, username) if people else None

    def email(self, user_id: int | None, username: str | None) -> str | None:
        """See ``Lookup``."""
        return self._emails.get(user_id, username)


class _People:
    """A text for each person, by user id and by username."""

    def __init__(self) -> None:
        self._by_id: dict[int, str] = {}
        self._by_name: dict[str, str] = {}
        self._only_names: set[str] = set()

    @property
    def empty(self) -> bool:
        return not self._by_id and not self._by_name

    def add(self, user_id: int | None, username: str | None, text: str) -> bool:
        """False when the person has another text already."""
        if user_id is not None and self._by_id.setdefault(user_id, text) != text:
            return False
        if username is None:
            return True
        if user_id is None and username not in self._by_name:
            self._only_names.add(username)
        elif user_id is not None:
            self._only_names.discard(username)
        return self._by_name.setdefault(username, text) == text

    def get(self, user_id: int | None, username: str | None) -> str | None:
        if user_id is None:
            return self._by_name.get(username) if username is not None else None
        text = self._by_id.get(user_id)
        return self._by_name[username] if text is None and username in self._only_names and username else text
