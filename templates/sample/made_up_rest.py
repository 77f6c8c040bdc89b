"""The rest of a log: page requests, what has a mapping in other families, and what has none."""

from __future__ import annotations

import json
from collections.abc import Callable

from made_up_families import load_video, play_video
from made_up_site import Problem
from made_up_visit import Fields, Happening, Maker, Visit, browser_event

_BARE = json.dumps({"GET": {}, "POST": {}})
_POSITION = json.dumps({"GET": {}, "POST": {"position": ["2"]}})
_SEARCH = json.dumps({"GET": {"search": ["été"]}, "POST": {}})


def page_request(visit: Visit) -> Happening:
    """The line of the middleware: its name is the URL's path; old archives have it in event_type alone."""
    path = visit.chance.of(visit.paths)
    event = _POSITION if path.endswith("goto_position") else _SEARCH if path == "/courses/" else _BARE
    return Happening(path, "server", event, path, name_missing=visit.chance.share() < 0.05)


def navigation(visit: Visit) -> Happening:
    block = visit.usage_key("sequential", visit.course.sequences[1])
    name = visit.chance.of(("next_selected", "previous_selected", "tab_selected"))
    event = {"current_tab": 2, "id": block, "tab_count": 5, "widget_placement": "top"}
    if name == "tab_selected":
        event["target_tab"] = 1 + visit.chance.below(5)
    return browser_event(f"edx.ui.lms.sequence.{name}", event)


def link(visit: Visit) -> Happening:
    return browser_event("edx.ui.lms.link_clicked", {"current_url": visit.page, "target_url": "https://fr.example.org/été"})


def outline(visit: Visit) -> Happening:
    target = {"target_name": "Week 1: Départ", "target_url": visit.page, "widget_placement": "toc"}
    return browser_event("edx.ui.lms.outline.selected", target)


def problem_graded(visit: Visit) -> Happening:
    """Browser events whose payload is a list."""
    problem: Problem = visit.chance.of(visit.course.problems)
    return Happening("problem_graded", "browser", json.dumps([f"input_{problem.block}_2_1=choice_1", "<div>…</div>"]))


def showanswer(visit: Visit) -> Happening:
    return _on_problem(visit, "showanswer", lambda key: {"problem_id": key})


def hint(visit: Visit) -> Happening:
    name = "edx.problem.hint.demandhint_displayed"
    return _on_problem(visit, name, lambda key: {"module_id": key, "hint_index": 0, "hint_len": 2, "hint_text": "Nächster"})


def _on_problem(visit: Visit, name: str, payload: Callable[[str], Fields]) -> Happening:
    problem: Problem = visit.chance.of(visit.course.problems)
    key = visit.usage_key("problem", problem.block)
    module = {"display_name": problem.name, "usage_key": key}
    return Happening(name, "server", payload(key), f"/courses/{visit.course.key}/xblock/{key}/handler", "x_module", module)


def forum(visit: Visit) -> Happening:
    name = visit.chance.of(("thread.created", "thread.viewed", "response.created", "comment.created", "thread.voted"))
    number = visit.chance.hex32()[:24]
    event: Fields = {
        "id": number,
        "title": "Où est la réponse?",
        "body": "…",
        "commentable_id": "course",
        "thread_type": "question",
    }
    if name != "thread.created":
        event["discussion"] = {"id": visit.chance.hex32()[:24]}
    return Happening(f"edx.forum.{name}", "server", event, "/api/discussion/v1/threads/")


def unmapped(visit: Visit) -> Happening:
    name = visit.chance.of(
        (
            "problem_show",
            "page_close",
            "edx.bookmark.added",
            "textbook.pdf.page.navigated",
            "edx.video.language_menu.shown",
        )
    )
    return browser_event(name, {"id": visit.usage_key("vertical", visit.course.sequences[2])})


def nameless(visit: Visit) -> Happening:
    """XBlock events of some years, and old browser events: the name is in event_type alone."""
    if visit.chance.share() < 0.5:
        return play_video(visit)._replace(name_missing=True)
    event = {
        "block_id": visit.usage_key("drag-and-drop-v2", visit.course.sequences[2]),
        "item_id": 2,
        "is_correct": True,
    }
    return Happening("edx.drag_and_drop_v2.item.dropped", "server", event, page="x_module", name_missing=True)


REST: tuple[tuple[float, Maker], ...] = (
    (2.0, navigation),
    (1.5, problem_graded),
    (1.5, unmapped),
    (0.6, showanswer),
    (0.6, forum),
    (0.5, link),
    (0.4, outline),
    (0.4, nameless),
    (0.3, hint),
)
ANONYMOUS: tuple[tuple[float, Maker], ...] = (
    (30.0, page_request),
    (1.0, load_video),
    (1.0, play_video),
    (1.0, unmapped),
)
