"""The rest of a log: page requests, forums, and what has no mapping."""

from __future__ import annotations

import json

from made_up_families import load_video, play_video
from made_up_site import Problem
from made_up_visit import Happening, Maker, Visit, browser_event

_BARE = json.dumps({"GET": {}, "POST": {}})
_POSITION = json.dumps({"GET": {}, "POST": {"position": ["2"]}})
_SEARCH = json.dumps({"GET": {"search": ["été"]}, "POST": {}})


def page_request(visit: Visit) -> Happening:
    """The line of the middleware: its name is the URL's path; old archives have it in event_type alone."""
    path = visit.chance.of(visit.paths)
    event = _POSITION if path.endswith("goto_position") else _SEARCH if path == "/courses/" else _BARE
    return Happening(path, "server", event, path, name_missing=visit.chance.share() < 0.05)


def problem_graded(visit: Visit) -> Happening:
    """Browser events whose payload is a list."""
    problem: Problem = visit.chance.of(visit.course.problems)
    return Happening("problem_graded", "browser", json.dumps([f"input_{problem.block}_2_1=choice_1", "<div>…</div>"]))


def unmapped(visit: Visit) -> Happening:
    name = visit.chance.of(
        (
            "problem_show",
            "page_close",
            "edx.bookmark.added",
            "textbook.pdf.page.navigated",
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
    (1.5, problem_graded),
    (1.5, unmapped),
    (0.4, nameless),
)
ANONYMOUS: tuple[tuple[float, Maker], ...] = (
    (30.0, page_request),
    (1.0, load_video),
    (1.0, play_video),
    (1.0, unmapped),
)
