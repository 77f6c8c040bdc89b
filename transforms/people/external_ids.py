"""Whom the site's table of external ids knows, as ``Actors`` asks for it. The table itself: ``io.external_ids``."""

from __future__ import annotations

from typing import Protocol


class ExternalIds(Protocol):
    """Looks persons up.

    A user id decides where the event has one. A username then counts only in rows that have no user id, so that nobody becomes
    the person of another id. Usernames are compared exactly, and a username of digits is never a user id.
    """

    def external_id(self, id_type: str, user_id: int | None, username: str | None) -> str | None:
        """The user's id of that type (``XAPI``, ``CALIPER``, ``LTI``); None when the table has none."""

    def user_id_of(self, username: str) -> int | None:
        """The user id of the row that has the username too; None when there is no such row."""

    def email(self, user_id: int | None, username: str | None) -> str | None:
        """The user's e-mail address; None when the table has none."""
