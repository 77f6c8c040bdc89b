"""The discussion forum as Caliper events (Caliper 1.2, Forum Profile; General Profile for what that has no action for).

The choices: ``docs/decisions/0010-caliper-for-events-that-had-none.md``."""

from __future__ import annotations

from collections.abc import Callable

from edx2lrs.transforms.families.forum.shared import iri_with, message_iri, post_id, thread_iri
from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import OF_COURSE, CaliperMapping, EventMapping, is_part_of
from edx2lrs.transforms.mapping.rows import Constant, Derived, Row, Rows, Unmappable, VariantMapping

MAPPING_VERSION = 2

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
    return {"id": iri_with(f"{root}/courses/{course_key}/discussion/forum/", name), "type": terms.FORUM}


def place_of_message(root: str, discussion: object, course_key: str | None, topic: object) -> Entity | None:
    """The thread of a response or comment, in its topic; the topic alone where the record does not say which thread."""
    thread, in_topic = thread_iri(root, discussion), forum(root, course_key, topic)
    if thread is None:
        return in_topic
    return {"id": thread, "type": terms.THREAD, "isPartOf": in_topic} if in_topic else {"id": thread, "type": terms.THREAD}


def opening_of(root: str, discussion: object) -> Entity | None:
    """What a response replies to: the message that began the thread."""
    return _message(opening_iri(root, discussion))


def commented_response(root: str, response: object) -> Entity | None:
    """What a comment replies to: a response."""
    return _message(message_iri(root, response))


def _message(iri: str | None) -> Entity | None:
    return {"id": iri, "type": terms.MESSAGE} if iri else None


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
        Constant((*place, "type"), terms.THREAD),
        Row((*place, "name"), "data.title", free_text="title"),
        Row((*place, "isPartOf"), ("site.root", "course_id", "data.commentable_id"), forum),
    )


def message_at(*place: str) -> Rows:
    """A response or comment as the entity at ``place``."""
    where = ("site.root", "data.discussion.id", "course_id", "data.commentable_id")
    return (
        Row((*place, "id"), ("site.root", "data.id"), message_iri, required=True),
        Constant((*place, "type"), terms.MESSAGE),
        Row((*place, "isPartOf"), where, place_of_message),
    )


REPORTED = "reported"
OF_THE_COURSE: Rows = (Row(("group",), "course.id", is_part_of), *OF_COURSE)
IN_FORUM_PROFILE: Rows = (Constant(("profile",), terms.FORUM_PROFILE), *OF_THE_COURSE)
IN_GENERAL_PROFILE: Rows = (Constant(("profile",), terms.GENERAL_PROFILE), *OF_THE_COURSE)

NEW_THREAD: Rows = (
    *IN_FORUM_PROFILE,
    Row(("object", "id"), ("site.root", "data.id"), opening_iri, required=True),
    Constant(("object", "type"), terms.MESSAGE),
    *thread_at("object", "isPartOf"),
    Row(("object", "isPartOf", "extensions", "threadType"), "data.thread_type"),
)
RESPONSE: Rows = (*IN_FORUM_PROFILE, *message_at("object"), Row(("object", "replyTo"), ("site.root", "data.discussion.id"), opening_of))
COMMENT: Rows = (
    *IN_FORUM_PROFILE,
    *message_at("object"),
    Row(("object", "replyTo"), ("site.root", "data.response.id"), commented_response),
)
VIEWED_THREAD: Rows = (*IN_FORUM_PROFILE, *thread_at("object"))
ABOUT_A_THREAD: Rows = (*IN_GENERAL_PROFILE, *thread_at("object"))
ABOUT_A_MESSAGE: Rows = (*IN_GENERAL_PROFILE, *message_at("object"))


def reported(about: Rows, report: Callable[..., str | None], iri: Callable[..., str | None]) -> Rows:
    """A report of a thread or message: the mark that the thread or message then has."""
    return (
        *about,
        Row(("generated", "id"), ("site.root", "data.id"), report, required=True),
        Constant(("generated", "type"), terms.TAG_ANNOTATION),
        Row(("generated", "annotator"), "actor.person"),
        Row(("generated", "annotated"), ("site.root", "data.id"), iri),
        Constant(("generated", "tags"), [REPORTED]),
    )


def report_taken_back(report: Callable[..., str | None], annotated: Rows) -> Rows:
    """The mark of a report is removed from what it stood on."""
    return (
        *IN_GENERAL_PROFILE,
        Row(("object", "id"), ("site.root", "data.id"), report, required=True),
        Constant(("object", "type"), terms.TAG_ANNOTATION),
        *annotated,
        Constant(("object", "tags"), [REPORTED]),
    )


def vote_taken_back(vote: Callable[..., str | None], annotated: Rows) -> Rows:
    """A vote is removed from what the person voted on."""
    return (
        *IN_GENERAL_PROFILE,
        Row(("object", "id"), ("site.root", "data.id", "actor.anonymous_id"), vote, required=True),
        Constant(("object", "type"), terms.ANNOTATION),
        Row(("object", "annotator"), "actor.person"),
        *annotated,
    )


REPORT_OF_A_THREAD = reported(ABOUT_A_THREAD, report_of_thread, thread_iri)
REPORT_OF_A_MESSAGE = reported(ABOUT_A_MESSAGE, report_of_message, message_iri)
THREAD_REPORT_TAKEN_BACK = report_taken_back(report_of_thread, thread_at("object", "annotated"))
MESSAGE_REPORT_TAKEN_BACK = report_taken_back(report_of_message, message_at("object", "annotated"))
THREAD_VOTE_TAKEN_BACK = vote_taken_back(vote_on_thread, thread_at("object", "annotated"))
RESPONSE_VOTE_TAKEN_BACK = vote_taken_back(vote_on_message, message_at("object", "annotated"))
VOTE = Derived(("data.vote_value", "data.undo_vote"), vote)
THREAD_VOTES = {
    "up": EventMapping(terms.EVENT, terms.LIKED, ABOUT_A_THREAD),
    "down": EventMapping(terms.EVENT, terms.DISLIKED, ABOUT_A_THREAD),
    "taken_back": EventMapping(terms.EVENT, terms.REMOVED, THREAD_VOTE_TAKEN_BACK),
}
RESPONSE_VOTES = {
    "up": EventMapping(terms.EVENT, terms.LIKED, ABOUT_A_MESSAGE),
    "down": EventMapping(terms.EVENT, terms.DISLIKED, ABOUT_A_MESSAGE),
    "taken_back": EventMapping(terms.EVENT, terms.REMOVED, RESPONSE_VOTE_TAKEN_BACK),
}

MAPPINGS: dict[str, CaliperMapping] = {
    "edx.forum.thread.created": EventMapping(terms.MESSAGE_EVENT, terms.POSTED, NEW_THREAD),
    "edx.forum.thread.viewed": EventMapping(terms.VIEW_EVENT, terms.VIEWED, VIEWED_THREAD),
    "edx.forum.thread.edited": EventMapping(terms.EVENT, terms.MODIFIED, ABOUT_A_THREAD),
    "edx.forum.thread.deleted": EventMapping(terms.EVENT, terms.DELETED, ABOUT_A_THREAD),
    "edx.forum.thread.reported": EventMapping(terms.EVENT, terms.TAGGED, REPORT_OF_A_THREAD),
    "edx.forum.thread.unreported": EventMapping(terms.EVENT, terms.REMOVED, THREAD_REPORT_TAKEN_BACK),
    "edx.forum.thread.voted": VariantMapping(VOTE, THREAD_VOTES),
    "edx.forum.response.created": EventMapping(terms.MESSAGE_EVENT, terms.POSTED, RESPONSE),
    "edx.forum.response.edited": EventMapping(terms.EVENT, terms.MODIFIED, ABOUT_A_MESSAGE),
    "edx.forum.response.deleted": EventMapping(terms.EVENT, terms.DELETED, ABOUT_A_MESSAGE),
    "edx.forum.response.reported": EventMapping(terms.EVENT, terms.TAGGED, REPORT_OF_A_MESSAGE),
    "edx.forum.response.unreported": EventMapping(terms.EVENT, terms.REMOVED, MESSAGE_REPORT_TAKEN_BACK),
    "edx.forum.response.voted": VariantMapping(VOTE, RESPONSE_VOTES),
    "edx.forum.comment.created": EventMapping(terms.MESSAGE_EVENT, terms.POSTED, COMMENT),
    "edx.forum.comment.edited": EventMapping(terms.EVENT, terms.MODIFIED, ABOUT_A_MESSAGE),
    "edx.forum.comment.deleted": EventMapping(terms.EVENT, terms.DELETED, ABOUT_A_MESSAGE),
    "edx.forum.comment.reported": EventMapping(terms.EVENT, terms.TAGGED, REPORT_OF_A_MESSAGE),
    "edx.forum.comment.unreported": EventMapping(terms.EVENT, terms.REMOVED, MESSAGE_REPORT_TAKEN_BACK),
}
