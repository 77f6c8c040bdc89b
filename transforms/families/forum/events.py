"""The discussion forum. A thread has responses, a response has comments.

Fields as the LMS writes them (``lms/djangoapps/discussion``, "Discussion Forum Events" in the Open edX documentation)."""

from __future__ import annotations

import msgspec

from edx2lrs.transforms.event_sources import SITE
from edx2lrs.transforms.fields import BlockKey, EventData, Link, Scalar, SourceEvent, Text


class ForumContext(msgspec.Struct, gc=False):
    """``path`` is that of the request: the forum's own API, or pages of older versions."""

    path: Link = None


class Post(msgspec.Struct, gc=False):
    """The thread, or the response, that something was written in reply to."""

    id: BlockKey = None


class ForumData(EventData, gc=False):
    """``id`` is that of the thread, response or comment; ``commentable_id`` is the topic, the part of the forum that it is in;
    ``discussion`` is the thread of a response or comment."""

    id: BlockKey = None
    title: Text = None
    commentable_id: BlockKey = None
    discussion: Post | None = None


class ForumThreadData(ForumData, gc=False):
    """A new thread. ``thread_type`` is ``question`` or ``discussion``."""

    thread_type: Scalar = None


class ForumCommentData(ForumData, gc=False):
    """A new comment, on ``response``."""

    response: Post | None = None


class ForumVoteData(ForumData, gc=False):
    """``vote_value`` is ``up`` or ``down``; with ``undo_vote`` the vote is taken back."""

    vote_value: Scalar = None
    undo_vote: Scalar = None


_POST = SourceEvent("forum", ForumData, ForumContext, sources=SITE)
_VOTE = SourceEvent("forum", ForumVoteData, ForumContext, sources=SITE)

EVENTS = {
    "edx.forum.thread.created": SourceEvent("forum", ForumThreadData, ForumContext, sources=SITE),
    "edx.forum.thread.viewed": SourceEvent("forum", ForumData, ForumContext, sources=(*SITE, "mobile")),
    "edx.forum.thread.edited": _POST,
    "edx.forum.thread.deleted": _POST,
    "edx.forum.thread.reported": _POST,
    "edx.forum.thread.unreported": _POST,
    "edx.forum.thread.voted": _VOTE,
    "edx.forum.response.created": _POST,
    "edx.forum.response.edited": _POST,
    "edx.forum.response.deleted": _POST,
    "edx.forum.response.reported": _POST,
    "edx.forum.response.unreported": _POST,
    "edx.forum.response.voted": _VOTE,
    "edx.forum.comment.created": SourceEvent("forum", ForumCommentData, ForumContext, sources=SITE),
    "edx.forum.comment.edited": _POST,
    "edx.forum.comment.deleted": _POST,
    "edx.forum.comment.reported": _POST,
    "edx.forum.comment.unreported": _POST,
}
