"""Tracking events as an LMS logs them, in the shapes of the Open edX documentation ("Events in the Tracking Logs").

An endless stream; nothing is kept but one small visit per learner.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

from made_up_families import FAMILIES
from made_up_forum import FORUM
from made_up_grades import GRADES
from made_up_navigation import NAVIGATION
from made_up_problem_events import PROBLEM_EVENTS
from made_up_rest import ANONYMOUS, REST, page_request
from made_up_site import Site
from made_up_visit import Chance, Fields, Happening, Maker, Visit

STAFF = 2
MIXES = {
    "typical": ((44.0, page_request), *FAMILIES, *FORUM, *GRADES, *NAVIGATION, *PROBLEM_EVENTS, *REST),
    "dense": (*FAMILIES, *FORUM, *GRADES, *NAVIGATION, *PROBLEM_EVENTS),
}


def stream(seed: str, site: Site, mix: str) -> Iterator[Fields]:
    """Log lines as objects, without end and without a time. ``mix``: ``typical`` or ``dense``."""
    chance = Chance(f"{mix} {seed}")
    visits = [Visit(chance, site, learner) for learner in site.learners]
    visitors = tuple(Visit(chance, site, None) for _ in range(3))
    makers, bounds, total = _table(MIXES[mix])
    anonymous, bounds_of_anonymous, total_of_anonymous = _table(ANONYMOUS)
    share_of_anonymous = 0.06 if mix == "typical" else 0.0
    while True:
        if chance.share() < share_of_anonymous:
            visit = chance.of(visitors)
            make = anonymous[bisect(bounds_of_anonymous, chance.share() * total_of_anonymous)]
        else:
            visit = visits[chance.below(len(visits))]
            make = makers[bisect(bounds, chance.share() * total)]
        if chance.share() < 0.03:
            visit.move()
        yield _line(visit, make(visit))


def _table(mix: tuple[tuple[float, Maker], ...]) -> tuple[list[Maker], list[float], float]:
    bounds = list(accumulate(weight for weight, _ in mix))
    return [maker for _, maker in mix], bounds, bounds[-1]


def _line(visit: Visit, what: Happening) -> Fields:
    context = visit.context
    if what.path != "/event":
        context = {**context, "path": what.path}
    if what.module is not None:
        context = {**context, "module": what.module, "asides": {}}
    if what.by_staff:
        context = {**context, "user_id": STAFF}
    line: Fields = {} if what.name_missing else {"name": what.name}
    line["context"] = context
    line.update(visit.request)
    if what.by_staff:
        line["username"] = "staff"
    line["event"] = what.event
    line["time"] = None  # its place; the log fills it in
    line["event_type"] = what.name
    line["event_source"] = what.source
    line["page"] = what.page if what.source == "server" else visit.page
    return line
