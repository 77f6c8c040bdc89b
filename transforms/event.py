"""One tracking event in normal form, and its hash."""

from __future__ import annotations

import msgspec

from edx2lrs.transforms.fields import EventData, Scalar
from edx2lrs.transforms.formats.hashes import hash8


class Event(msgspec.Struct, gc=False):
    """One event in normal form.

    ``name`` is "" when the record has none. ``from_event_type``: the record had no name and ``event_type`` stands for it.
    ``data`` is None when no mapping knows the name (page requests, for one), or when the event came from a source that does not emit
    the name; then nothing but the name and the source is filled.
    ``context`` is what the family declares of the record's context, or None. ``time`` is canonical (``transforms.formats.times``).
    ``user_id`` is a primary key of the site's users, ``username`` a name: never the one in place of the other. Both are None for
    an anonymous visitor.
    """

    name: str
    from_event_type: bool = False
    time: str = ""
    source: Scalar = None
    session: Scalar = None
    referrer: Scalar = None
    user_id: int | None = None
    username: str | None = None
    course_id: str | None = None
    org_id: Scalar = None
    host: Scalar = None
    enterprise_uuid: Scalar = None
    context: msgspec.Struct | None = None
    data: EventData | None = None

    @property
    def is_of_nobody(self) -> bool:
        """Whether the event has neither a user nor a session."""
        return self.user_id is None and self.username is None and not self.session


def event_hash(event: Event) -> bytes:
    """8 bytes of the normal form. The same event has the same hash, whichever source the event came from."""
    return hash8(_encoder.encode(event))


_encoder = msgspec.json.Encoder(order="deterministic")
