"""The discussion forum as Caliper events (Caliper 1.2, Forum Profile; General Profile for what that has no action for).

The choices: ``docs/decisions/0010-caliper-for-events-that-had-none.md``."""

from __future__ import annotations

from edx2lrs.transforms.families.forum.shared import iri_with, message_iri, post_id, thread_iri
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, CaliperMapping, EventMapping, is_part_of
from edx2lrs.transforms.mapping.caliper_vocabulary import (
    ANNOTATION,
    DELETED,
    DISLIKED,
    EVENT,
    FORUM,
    FORUM_PROFILE,
    GENERAL_PROFILE,
    LIKED,
    MESSAGE,
    MESSAGE_EVENT,
    MODIFIED,
    POSTED,
    REMOVED,
    TAG_ANNOTATION,
    TAGGED,
    THREAD,
    VIEW_EVENT,
    VIEWED,
)
from edx2lrs.transforms.mapping.rows import Constant, Derived, Row, Rows, Unmappable, VariantMapping

MAPPING_VERSION = 1

Entity = dict[str, object]


def opening_iri(root: str, thread: object) -> str | None:
    """The message that begins a thread: ``<thread>#message``. Open edX has one id for both."""
    return _part_of(thread_iri(root, thread), "message")


def report_of_thread(root: str, thread: object) -> str | None:
    """The mark that a reported thread has: ``<thread>#reported``."""
    return _part_of(thread_iri(root, thread), "reported")


def report_of_message(root: str, message: object) -> str | None:
    """The mark that a reported response or comment has: ``<message>#reported``."""
    return _part_of(message_iri(root, message), "reported")


def vote_on_thread(root: str, thread: object, person: str) -> str | None:
    """A person's vote on a thread: ``<thread>#vote-<id>``."""
    return _part_of(thread_iri(root, thread), f"vote-{person}")


def vote_on_message(root: str, message: object, person: str) -> str | None:
    """A person's vote on a response: ``<message>#vote-<id>``."""
    return _part_of(message_iri(root, message), f"vote-{person}")


def _part_of(iri: str | None, fragment: str) -> str | None:
    return iri_with(f"{iri}#", fragment) if iri else None


def forum(root: str, course_key: str | None, topic: object) -> Entity | None:
    """The topic of the course's forum, under the address that it has in Open edX."""
    name = post_id(topic)
    if not course_key or not name:
        return None
    return {"id": iri_with(f"{root}/courses/{course_key}/discussion/forum/", name), "type": FORUM}


def place_of_message(root: str, discussion: object, course_key: str | None, topic: object) -> Entity | None:
    """The thread of a response or comment, in its topic; the topic alone where the record does not say which thread."""
    thread, in_topic = thread_iri(root, discussion), forum(root, course_key, topic)
    if thread is None:
        return in_topic
    return {"id": thread, "type": THREAD, "isPartOf": in_topic} if in_topic else {"id": thread, "type": THREAD}


def opening_of(root: str, discussion: object) -> Entity | None:
    """What a response replies to: the message that began the thread."""
    iri = opening_iri(root, discussion)
    return {"id": iri, "type": MESSAGE} if iri else None


def commented_response(root: str, response: object) -> Entity | None:
    """What a comment replies to: a response."""
    iri = message_iri(root, response)
    return {"id": iri, "type": MESSAGE} if iri else None


def vote(value: object, undo: object) -> str:
    """``up``, ``down`` or ``taken_back``. Raises Unmappable for another vote."""
    if undo is True:
        return "taken_back"
    if value in ("up", "down"):
        return str(value)
    raise Unmappable("data.vote_value: expected up or down, found another value", "out_of_range")


def thread_at(*place: str) -> Rows:
    """A thread as the entity at ``place``."""
    return (
        Row((*place, "id"), ("site.root", "data.id"), thread_iri, required=True),
        Constant((*place, "type"), THREAD),
        Row((*place, "name"), "data.title", free_text="title"),
        Row((*place, "isPartOf"), ("site.root", "course_id", "data.commentable_id"), forum),
    )


def message_at(*place: str) -> Rows:
    """A response or comment as the entity at ``place``."""
    where = ("site.root", "data.discussion.id", "course_id", "data.commentable_id")
    return (
        Row((*place, "id"), ("site.root", "data.id"), message_iri, required=True),
        Constant((*place, "type"), MESSAGE),
        Row((*place, "isPartOf"), where, place_of_message),
    )


REPORTED = "reported"
OF_THE_COURSE: Rows = (Row(("group",), "course.id", is_part_of), *IN_COURSE)
IN_FORUM_PROFILE: Rows = (Constant(("profile",), FORUM_PROFILE), *OF_THE_COURSE)
IN_GENERAL_PROFILE: Rows = (Constant(("profile",), GENERAL_PROFILE), *OF_THE_COURSE)

NEW_THREAD: Rows = (
    *IN_FORUM_PROFILE,
    Row(("object", "id"), ("site.root", "data.id"), opening_iri, required=True),
    Constant(("object", "type"), MESSAGE),
    *thread_at("object", "isPartOf"),
    Row(("object", "isPartOf", "extensions", "threadType"), "data.thread_type"),
)
RESPONSE: Rows = (
    *IN_FORUM_PROFILE,
    *message_at("object"),
    Row(("object", "replyTo"), ("site.root", "data.discussion.id"), opening_of),
)
COMMENT: Rows = (
    *IN_FORUM_PROFILE,
    *message_at("object"),
    Row(("object", "replyTo"), ("site.root", "data.response.id"), commented_response),
)
VIEWED_THREAD: Rows = (*IN_FORUM_PROFILE, *thread_at("object"))
ABOUT_A_THREAD: Rows = (*IN_GENERAL_PROFILE, *thread_at("object"))
ABOUT_A_MESSAGE: Rows = (*IN_GENERAL_PROFILE, *message_at("object"))
REPORT_OF_A_THREAD: Rows = (
    *ABOUT_A_THREAD,
    Row(("generated", "id"), ("site.root", "data.id"), report_of_thread, required=True),
    Constant(("generated", "type"), TAG_ANNOTATION),
    Row(("generated", "annotator"), "actor.person"),
    Row(("generated", "annotated"), ("site.root", "data.id"), thread_iri),
    Constant(("generated", "tags"), [REPORTED]),
)
REPORT_OF_A_MESSAGE: Rows = (
    *ABOUT_A_MESSAGE,
    Row(("generated", "id"), ("site.root", "data.id"), report_of_message, required=True),
    Constant(("generated", "type"), TAG_ANNOTATION),
    Row(("generated", "annotator"), "actor.person"),
    Row(("generated", "annotated"), ("site.root", "data.id"), message_iri),
    Constant(("generated", "tags"), [REPORTED]),
)
THREAD_REPORT_TAKEN_BACK: Rows = (
    *IN_GENERAL_PROFILE,
    Row(("object", "id"), ("site.root", "data.id"), report_of_thread, required=True),
    Constant(("object", "type"), TAG_ANNOTATION),
    *thread_at("object", "annotated"),
    Constant(("object", "tags"), [REPORTED]),
)
MESSAGE_REPORT_TAKEN_BACK: Rows = (
    *IN_GENERAL_PROFILE,
    Row(("object", "id"), ("site.root", "data.id"), report_of_message, required=True),
    Constant(("object", "type"), TAG_ANNOTATION),
    *message_at("object", "annotated"),
    Constant(("object", "tags"), [REPORTED]),
)
THREAD_VOTE_TAKEN_BACK: Rows = (
    *IN_GENERAL_PROFILE,
    Row(("object", "id"), ("site.root", "data.id", "actor.anonymous_id"), vote_on_thread, required=True),
    Constant(("object", "type"), ANNOTATION),
    Row(("object", "annotator"), "actor.person"),
    *thread_at("object", "annotated"),
)
RESPONSE_VOTE_TAKEN_BACK: Rows = (
    *IN_GENERAL_PROFILE,
    Row(("object", "id"), ("site.root", "data.id", "actor.anonymous_id"), vote_on_message, required=True),
    Constant(("object", "type"), ANNOTATION),
    Row(("object", "annotator"), "actor.person"),
    *message_at("object", "annotated"),
)
VOTE = Derived(("data.vote_value", "data.undo_vote"), vote)
THREAD_VOTES = {
    "up": EventMapping(EVENT, LIKED, ABOUT_A_THREAD),
    "down": EventMapping(EVENT, DISLIKED, ABOUT_A_THREAD),
    "taken_back": EventMapping(EVENT, REMOVED, THREAD_VOTE_TAKEN_BACK),
}
RESPONSE_VOTES = {
    "up": EventMapping(EVENT, LIKED, ABOUT_A_MESSAGE),
    "down": EventMapping(EVENT, DISLIKED, ABOUT_A_MESSAGE),
    "taken_back": EventMapping(EVENT, REMOVED, RESPONSE_VOTE_TAKEN_BACK),
}

MAPPINGS: dict[str, CaliperMapping] = {
    "edx.forum.thread.created": EventMapping(MESSAGE_EVENT, POSTED, NEW_THREAD),
    "edx.forum.thread.viewed": EventMapping(VIEW_EVENT, VIEWED, VIEWED_THREAD),
    "edx.forum.thread.edited": EventMapping(EVENT, MODIFIED, ABOUT_A_THREAD),
    "edx.forum.thread.deleted": EventMapping(EVENT, DELETED, ABOUT_A_THREAD),
    "edx.forum.thread.reported": EventMapping(EVENT, TAGGED, REPORT_OF_A_THREAD),
    "edx.forum.thread.unreported": EventMapping(EVENT, REMOVED, THREAD_REPORT_TAKEN_BACK),
    "edx.forum.thread.voted": VariantMapping(VOTE, THREAD_VOTES),
    "edx.forum.response.created": EventMapping(MESSAGE_EVENT, POSTED, RESPONSE),
    "edx.forum.response.edited": EventMapping(EVENT, MODIFIED, ABOUT_A_MESSAGE),
    "edx.forum.response.deleted": EventMapping(EVENT, DELETED, ABOUT_A_MESSAGE),
    "edx.forum.response.reported": EventMapping(EVENT, TAGGED, REPORT_OF_A_MESSAGE),
    "edx.forum.response.unreported": EventMapping(EVENT, REMOVED, MESSAGE_REPORT_TAKEN_BACK),
    "edx.forum.response.voted": VariantMapping(VOTE, RESPONSE_VOTES),
    "edx.forum.comment.created": EventMapping(MESSAGE_EVENT, POSTED, COMMENT),
    "edx.forum.comment.edited": EventMapping(EVENT, MODIFIED, ABOUT_A_MESSAGE),
    "edx.forum.comment.deleted": EventMapping(EVENT, DELETED, ABOUT_A_MESSAGE),
    "edx.forum.comment.reported": EventMapping(EVENT, TAGGED, REPORT_OF_A_MESSAGE),
    "edx.forum.comment.unreported": EventMapping(EVENT, REMOVED, MESSAGE_REPORT_TAKEN_BACK),
}
