"""What both protocols share of forum events: the ids of threads and posts."""

from __future__ import annotations

from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.formats.texts import is_iri
from edx2lrs.transforms.mapping.rows import Unmappable


def post_id(value: object) -> str | None:
    """An id of the forum as text; a number where posts are numbered. 0 is none. Raises Unmappable."""
    if not value:
        return None
    if value is True:
        raise Unmappable(f"expected a text or a number, found {json_type(value)}")
    return str(value)


def thread_iri(root: str, value: object) -> str | None:
    """``Root/api/discussion/v1/threads/<id>``: where the LMS's own API has the thread."""
    return _in_the_api(root, "threads", value)


def message_iri(root: str, value: object) -> str | None:
    """``Root/api/discussion/v1/comments/<id>`` of a response or comment."""
    return _in_the_api(root, "comments", value)


def _in_the_api(root: str, kind: str, value: object) -> str | None:
    name = post_id(value)
    return iri_with(f"{root}/api/discussion/v1/{kind}/", name) if name else None


def iri_with(before: str, name: str) -> str:
    """An IRI that ends with a name from a record. Raises Unmappable for a name that no IRI can have."""
    if not is_iri(before + name):
        raise Unmappable("expected a part of an absolute IRI, found a text with spaces or other signs that none has", "invalid")
    return before + name
