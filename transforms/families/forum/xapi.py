"""The discussion forum as xAPI statements about discussions."""

from __future__ import annotations

from typing import Any

from edx2lrs.transforms.families.forum.shared import post_id, thread_iri
from edx2lrs.transforms.mapping import xapi_vocabulary as terms
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Row, Rows
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import context_extension, definition

MAPPING_VERSION = 2


def discussion_iri(root: str, path: str | None, value: object) -> str | None:
    """``Root<path>/<id>``, where ``path`` is that of the request, without the id where the id is a whole part of the path."""
    name = post_id(value)
    if not path or not name:
        return None
    parts = ["" if part == name else part for part in path.strip().rstrip("/").split("/")]
    return f"{root}{'/'.join(parts).rstrip('/')}/{name}"


def grouping(root: str, discussion: object) -> list[dict[str, Any]] | None:
    """The thread that a response or comment is in (xAPI 1.0.3, 2.4.6.2)."""
    thread = thread_iri(root, discussion)
    return [{"id": thread, "objectType": "Activity", "definition": {"type": terms.DISCUSSION}}] if thread else None


ABOUT_THE_DISCUSSION: Rows = (
    Row(("object", "id"), ("site.root", "context.path", "data.id"), discussion_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), terms.DISCUSSION),
    Row((*definition("name"), "en"), "data.title", free_text="title"),
    *IN_COURSE,
    Row(("context", "contextActivities", "grouping"), ("site.root", "data.discussion.id"), grouping),
)


def said(extension: str, source: str) -> Rows:
    """What the event says of the discussion: ``acrossx/extensions/type`` is an extension of activities."""
    return (
        Row((*definition("extensions"), extension), source, dialects=STANDARD),
        Row(context_extension(extension), source, dialects=AS_ERB),
    )


NEW_THREAD: Rows = (*ABOUT_THE_DISCUSSION, *said(terms.THREAD_TYPE, "data.thread_type"))
VOTE: Rows = (*ABOUT_THE_DISCUSSION, *said(terms.VOTE_VALUE, "data.vote_value"))

MAPPINGS = {
    "edx.forum.thread.created": StatementMapping(terms.POSTED, NEW_THREAD),
    "edx.forum.thread.viewed": StatementMapping(terms.VIEWED, ABOUT_THE_DISCUSSION),
    "edx.forum.thread.edited": StatementMapping(terms.EDITED, ABOUT_THE_DISCUSSION),
    "edx.forum.thread.deleted": StatementMapping(terms.DELETED, ABOUT_THE_DISCUSSION),
    "edx.forum.thread.reported": StatementMapping(terms.REPORTED, ABOUT_THE_DISCUSSION),
    "edx.forum.thread.unreported": StatementMapping(terms.UNREPORTED, ABOUT_THE_DISCUSSION),
    "edx.forum.thread.voted": StatementMapping(terms.VOTED, VOTE),
    "edx.forum.response.created": StatementMapping(terms.POSTED, ABOUT_THE_DISCUSSION),
    "edx.forum.response.edited": StatementMapping(terms.EDITED, ABOUT_THE_DISCUSSION),
    "edx.forum.response.deleted": StatementMapping(terms.DELETED, ABOUT_THE_DISCUSSION),
    "edx.forum.response.reported": StatementMapping(terms.REPORTED, ABOUT_THE_DISCUSSION),
    "edx.forum.response.unreported": StatementMapping(terms.UNREPORTED, ABOUT_THE_DISCUSSION),
    "edx.forum.response.voted": StatementMapping(terms.VOTED, VOTE),
    "edx.forum.comment.created": StatementMapping(terms.POSTED, ABOUT_THE_DISCUSSION),
    "edx.forum.comment.edited": StatementMapping(terms.EDITED, ABOUT_THE_DISCUSSION),
    "edx.forum.comment.deleted": StatementMapping(terms.DELETED, ABOUT_THE_DISCUSSION),
    "edx.forum.comment.reported": StatementMapping(terms.REPORTED, ABOUT_THE_DISCUSSION),
    "edx.forum.comment.unreported": StatementMapping(terms.UNREPORTED, ABOUT_THE_DISCUSSION),
}
