"""The discussion forum in a made-up visit: what the server logs of threads, responses and comments."""

from __future__ import annotations

from made_up_visit import ROOT, Fields, Happening, Maker, Visit

_TITLES = ("Où est la réponse?", "Homework 2: off by one?", "Who is in Prague? 😀", "Frage zu Übung 3", "typo in lecture 4")
_TOPICS = (("course", "General"), ("6e51dd8f181b44ffa6d91303a287ed3f", "Week 1 / Feedback"))
_OF_THREADS = ("created", *("viewed",) * 12, "edited", "deleted", "reported", "unreported", *("voted",) * 3)
_OF_RESPONSES = (*("created",) * 4, "edited", "deleted", "reported", "unreported", *("voted",) * 3)
_OF_COMMENTS = (*("created",) * 4, "edited", "deleted", "reported", "unreported")


def thread(visit: Visit) -> Happening:
    action = visit.chance.of(_OF_THREADS)
    number = visit.chance.below(len(_TITLES))
    event: Fields = {"id": _id(visit, "a", number), **_about(visit, action)}
    if action in ("created", "reported", "unreported"):
        event |= {"thread_type": visit.chance.of(("question", "discussion")), "group_id": None}
    if action not in ("edited", "voted"):
        event |= {"title": _TITLES[number], "title_truncated": False}
    return _logged(visit, "thread", action, event)


def response(visit: Visit) -> Happening:
    action = visit.chance.of(_OF_RESPONSES)
    event: Fields = {"id": _id(visit, "b", visit.chance.below(40)), **_about(visit, action)}
    if action == "created":
        event["discussion"] = {"id": _id(visit, "a", visit.chance.below(len(_TITLES)))}
    return _logged(visit, "response", action, event)


def comment(visit: Visit) -> Happening:
    action = visit.chance.of(_OF_COMMENTS)
    event: Fields = {"id": _id(visit, "c", visit.chance.below(80)), **_about(visit, action)}
    if action == "created":
        event["discussion"] = {"id": _id(visit, "a", visit.chance.below(len(_TITLES)))}
        event["response"] = {"id": _id(visit, "b", visit.chance.below(40))}
    return _logged(visit, "comment", action, event)


def _id(visit: Visit, kind: str, number: int) -> str:
    """A post of this course, the same one for everybody."""
    return f"{visit.course.sequences[0][:19]}{kind}{number:04x}"


def _about(visit: Visit, action: str) -> Fields:
    topic, name = visit.chance.of(_TOPICS)
    about: Fields = {
        "commentable_id": topic,
        "category_id": topic,
        "category_name": name,
        "url": f"{ROOT}/discussions/",
        "user_forums_roles": ["Student"],
        "user_course_roles": [],
    }
    if action == "voted":
        return about | {"target_username": "ada", "undo_vote": visit.chance.share() < 0.2, "vote_value": "up"}
    if action == "created":
        return about | {"body": "J'ai essayé, mais …", "truncated": False, "options": {"followed": True}}
    if action == "viewed":
        return about | {"target_username": "ada", "from_mfe_sidebar": False}
    return about | {"target_username": "ada", "own_content": visit.chance.share() < 0.5, "edit_reason": None}


def _logged(visit: Visit, kind: str, action: str, event: Fields) -> Happening:
    """The request goes to the forum's API or, in older versions, to a page that has the id inside its path."""
    places = "threads" if kind == "thread" else "comments"
    path = f"/api/discussion/v1/{places}/"
    if action != "created":
        path = f"{path}{event['id']}/"
        if visit.chance.share() < 0.2:
            word = {"viewed": "", "voted": "/upvote", "edited": "/update", "deleted": "/delete"}.get(action, "/flagAbuse")
            path = f"/courses/{visit.course.key}/discussion/{places}/{event['id']}{word}"
    return Happening(f"edx.forum.{kind}.{action}", "server", event, path)


FORUM: tuple[tuple[float, Maker], ...] = (
    (1.0, thread),
    (0.4, response),
    (0.2, comment),
)
