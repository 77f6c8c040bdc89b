"""What else is logged of problems in a made-up visit: answers and hints shown, points, and problems done in an app."""

from __future__ import annotations

import json

from made_up_families import user_id
from made_up_site import Problem
from made_up_visit import Fields, Happening, Maker, Visit

_HINTS = ("Nächster Schritt: teilen", "Think of the nucleus.")


def showanswer(visit: Visit) -> Happening:
    name, key = _problem(visit)
    return _by_the_block(visit, "showanswer", name, key, {"problem_id": key})


def hint(visit: Visit) -> Happening:
    name, key = _problem(visit)
    index = visit.chance.below(len(_HINTS))
    event = {"module_id": key, "hint_index": index, "hint_len": len(_HINTS), "hint_text": _HINTS[index]}
    return _by_the_block(visit, "edx.problem.hint.demandhint_displayed", name, key, event)


def points(visit: Visit) -> Happening:
    _, key = _problem(visit)
    possible = visit.chance.of((1, 2, 4, 0))
    event = {
        "user_id": user_id(visit),
        "course_id": visit.course.key,
        "problem_id": key,
        "event_transaction_id": visit.chance.hex32(),
        "event_transaction_type": "edx.grades.problem.submitted",
        "weighted_earned": visit.chance.below(possible + 1),
        "weighted_possible": possible,
    }
    return Happening("edx.grades.problem.submitted", "server", event, f"/courses/{visit.course.key}/xblock/{key}/handler")


def completed(visit: Visit) -> Happening:
    _, key = _problem(visit)
    return Happening("edx.problem.completed", "mobile", json.dumps({"problem_id": key}), "/segmentio/event")


def _problem(visit: Visit) -> tuple[str, str]:
    problem: Problem = visit.chance.of(visit.course.problems)
    return problem.name, visit.usage_key("problem", problem.block)


def _by_the_block(visit: Visit, name: str, title: str, key: str, event: Fields) -> Happening:
    path = f"/courses/{visit.course.key}/xblock/{key}/handler/xmodule_handler/problem_show"
    return Happening(name, "server", event, path, "x_module", {"display_name": title, "usage_key": key})


PROBLEM_EVENTS: tuple[tuple[float, Maker], ...] = (
    (0.6, showanswer),
    (0.4, hint),
    (2.0, points),
    (0.2, completed),
)
