"""Tracking records of every event in every shape, and seeded mutations of them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from edx2lrs.transforms.families.problem.events import ProblemContext
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS

COURSES = [
    "course-v1:edX+DemoX+2020",
    "course-v1:UnivÉ+Bio.1+2021_T1",
    "ccx-v1:o+c+r+ccx@1",
    "library-v1:edX+L",
    "edX/DemoX/2012",
]
PROBLEM = "block-v1:edX+DemoX+2020+type@problem+block@aa"
SEQUENCE = "block-v1:edX+DemoX+2020+type@sequential+block@bb"
VALUES: list[Any] = [
    None, "", "x", "été ☃ 😀", "5", "12.5", "2023", 0, 1, -1, 5, 2.5, -3.25, 1e20, 0.0004, 90061, True, False,
    [], {}, ["a", "b"], {"k": "v"}, "a b", "correct", "incorrect", "browser", "server",
]  # fmt: skip
TIMES: list[Any] = [
    "2023-05-23T13:53:13+00:00", "2023-05-23T13:53:13.460372Z", "2023-05-23T13:53:13.000000+00:00",
    "2023-05-23T19:23:13.460372+05:30", "2023-05-23 13:53:13+00:00", "2023-05-23T13:53:13", "2023-05-23T24:00:00Z",
    "2023-05-23T13:53:13.1234567+00:00", "20230523T135313Z", 1684849993, 1684849993.5, "May 23 2023 10:00 UTC",
    None, "", "nonsense",
]  # fmt: skip


def _payload(name: str, random_: random.Random) -> Any:
    family = SOURCE_EVENTS[name].family
    if family == "enrollment":
        data: dict[str, Any] = {"course_id": COURSES[0], "user_id": 7, "mode": random_.choice(["audit", "verified", ""])}
        if "grade" in name:
            del data["mode"]
        return data
    if family == "video":
        moment = random_.choice(["currentTime", "current_time"])
        data = {"id": random_.choice(["0b9e39477cf34507a7a48f74be381fdd", "vidéo-1"]), "code": "html5", "duration": 195.6}
        if name == "speed_change_video":
            data |= {"old_speed": "1.0", "new_speed": "1.50", moment: 3.25}
        elif name in ("seek_video", "edx.video.position.changed"):
            data |= {"old_time": 12.3456, "new_time": 90061, "type": "onSlideSeek"}
        else:
            data[moment] = random_.choice([0.25, 12.3456, 3600, 195])
        return data | {"language": "fr"} if name == "edx.video.language_menu.hidden" else data
    if family == "forum":
        return _post(name, random_)
    if family in ("grading", "completion", "exam"):
        return _progress(name, random_)
    if family == "navigation":
        return _way(name, random_)
    if family in ("problem_help", "problem_progress"):
        return _about_a_problem(name, random_)
    return _submission(random_)


def _progress(name: str, random_: random.Random) -> dict[str, Any]:
    about = {"course_id": COURSES[0], "user_id": random_.choice([7, "7"])} if random_.random() < 0.5 else {}
    if "special_exam" in name:
        return about | {
            "exam_content_id": SEQUENCE, "exam_name": random_.choice(["Mid-term", "Prüfung"]), "exam_default_time_limit_mins": 90,
            "attempt_code": "6F1A4B6C-7A20-4E0C-A4C0-9D3F4E9E1B55", "attempt_id": 9, "attempt_user_id": 8,
            "attempt_started_at": "2023-05-23T12:53:13.460372+00:00", "attempt_completed_at": None,
            "attempt_event_elapsed_time_secs": random_.choice([0, 1.5, 3600]), "exam_is_active": True,
        }  # fmt: skip
    if "subsection" in name:
        earned, possible = random_.choice([(0, 4), (3, 4.0), (4, 4), (2.5, 3), (0, 0), (None, 2), (1, None)])
        return about | {"block_id": SEQUENCE, "weighted_total_earned": earned, "weighted_total_possible": possible}
    if "grades.course" in name:
        letter = random_.choice(["B", "", None, "été"])
        return about | {"percent_grade": random_.choice([0, 0.83, 1, 0.07]), "letter_grade": letter}
    return about | {"block_id": SEQUENCE, "block_type": "html", "completion": random_.choice([0, 1, 1.0, 0.5, 0.07, 0.29])}


def _post(name: str, random_: random.Random) -> dict[str, Any]:
    post = {"id": random_.choice(["64d2f1a0c1", "1", "été"]), "commentable_id": "course", "category_id": "course", "body": "…"}
    if ".thread." in name:
        post |= {"title": random_.choice(["Où est la réponse?", ""]), "thread_type": random_.choice(["question", "discussion"])}
    elif name.endswith(".created"):
        post |= {"discussion": {"id": "5f2a1b3c"}, "response": {"id": "5f2a1c9e"}}
    if name.endswith(".voted"):
        post |= {"vote_value": random_.choice(["up", "down"]), "undo_vote": random_.choice([True, False])}
    return post


def _path_of_post(post: dict[str, Any], random_: random.Random) -> str:
    api, page = "/api/discussion/v1/threads/", "/courses/course-v1:edX+DemoX+2020/discussion/threads/"
    return random_.choice([api, f"{api}{post['id']}/", page + post["id"], f"{page}{post['id']}/upvote", "/"])


def _way(name: str, random_: random.Random) -> dict[str, Any]:
    relative = random_.choice(["/about", "#answers", "courses/x", "//cdn.example.com/x"])
    target = random_.choice(["https://fr.example.org/été?a=1#b", "https://lms.example.com/", "javascript:void(0)", relative])
    link = {"current_url": "https://lms.example.com/courses/x", "target_url": target, "target_name": "Départ"}
    steps = {"id": SEQUENCE, "tab_count": random_.choice([5, "5"]), "current_tab": random_.choice([0, 2])}
    if name.endswith("tab_selected") or random_.random() < 0.5:
        steps["target_tab"] = 4
    if name.endswith("sequence.outline.selected"):
        return random_.choice([link, steps, {**link, **steps}])
    return steps if ".sequence." in name else link


def _about_a_problem(name: str, random_: random.Random) -> dict[str, Any]:
    about = {random_.choice(["problem_id", "module_id"]): PROBLEM, "course_id": COURSES[0]}
    if random_.random() < 0.1:
        about |= {"problem_id": PROBLEM, "module_id": SEQUENCE}
    if name.endswith("demandhint_displayed"):
        about |= {"hint_index": random_.choice([0, 1, "1"]), "hint_len": 2, "hint_text": "…"}
    elif name == "edx.grades.problem.submitted":
        possible = random_.choice([4, 2.5, 0])
        about |= {"weighted_earned": random_.choice([0, 1, 2]) if possible else 0, "weighted_possible": possible}
    return about


def _submission(random_: random.Random) -> dict[str, Any]:
    questions = [
        {"question": "Which?", "answer": ["one", "zwei ü"], "response_type": "choiceresponse", "correct": True, "variant": ""},
        {
            "question": "",
            "answer": "12.5",
            "response_type": "numericalresponse",
            "correct": False,
            "input_type": "formulaequationinput",
        },
        {"question": "Say é", "answer": 'é "quoted"', "response_type": "stringresponse", "correct": ""},
        {"question": "Odd", "answer": {"a": [1]}, "response_type": "customresponse", "correct": True},
    ]
    count = random_.choice([0, 1, 1, 1, 2, 3])
    possible = random_.choice([2, 2, 2, 2, 2.5, 0])
    return {
        "problem_id": PROBLEM, "attempts": random_.choice([1, 2, 3]), "success": random_.choice(["correct", "incorrect"]),
        "grade": possible and random_.choice([0, 1, 2]), "max_grade": possible,
        "answers": {"aa_2_1": ["choice_0"]}, "correct_map": {"aa_2_1": {"npoints": None}},
        "state": {"seed": 1, "input_state": {"aa_2_1": {}}},
        "submission": {f"aa_{n + 2}_1": questions[(n + count) % len(questions)] for n in range(count)},
    }  # fmt: skip


def record(name: str, random_: random.Random) -> dict[str, Any]:
    """A usual record in one of the shapes: log line (payload as an object or as JSON text), live event, event bus."""
    browser = name == "problem_check" and random_.random() < 0.4
    payload: Any = "input_aa_2_1=choice_0&input_aa_3_1=x" if browser else _payload(name, random_)
    source = "browser" if browser or name in ("play_video", "pause_video") else "server"
    course = random_.choice(COURSES) if random_.random() < 0.3 else COURSES[0]
    context: dict[str, Any] = {"user_id": 5, "course_id": course, "org_id": "edX", "path": "/event"}
    if SOURCE_EVENTS[name].context is ProblemContext and not browser and (name == "problem_check" or random_.random() < 0.5):
        context["module"] = {"display_name": "Täst", "usage_key": PROBLEM}
    if SOURCE_EVENTS[name].family == "forum":
        context["path"] = _path_of_post(payload, random_)
        if random_.random() < 0.05:
            context["asides"] = {"thread_type": "x", "vote_value": "x"}
    where = {"username": "bob", "session": "a1b2", "referer": "https://lms.example.com/courses/x?a=1", "event_source": source}
    time = "2023-05-23T13:53:13.460372+00:00"
    shape = random_.choice(["object", "text", "live", "bus"])
    if shape in ("object", "text"):
        event = json.dumps(payload) if shape == "text" and not isinstance(payload, str) else payload
        return {
            "name": name,
            "context": context,
            **where,
            "ip": "1.2.3.4",
            "event": event,
            "time": time,
            "event_type": name,
            "page": None,
        }
    context |= where
    if shape == "live":
        return {"name": name, "timestamp": time, "data": payload, "context": context}
    return {"name": name, "timestamp": time, "data": json.dumps(payload), "context": json.dumps(context)}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _decoded(rec: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The record with its JSON texts as values, and which they were."""
    texts = []
    for key in ("event", "data", "context"):
        if isinstance(rec.get(key), str) and rec[key].startswith("{"):
            rec[key] = json.loads(rec[key])
            texts.append(key)
    return rec, texts


def mutated(rec: dict[str, Any], random_: random.Random) -> dict[str, Any]:
    """``rec`` with one or two values replaced or left out."""
    rec, texts = _decoded(copy.deepcopy(rec))
    for _ in range(random_.choice([1, 1, 2])):
        path = random_.choice(list(_places(rec)))
        if path == ("name",):
            continue
        target: Any = rec
        for key in path[:-1]:
            target = target.get(key) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            continue
        if random_.random() < 0.25:
            target.pop(path[-1], None)
        elif path[-1] in ("time", "timestamp"):
            target[path[-1]] = random_.choice(TIMES)
        else:
            target[path[-1]] = copy.deepcopy(random_.choice(VALUES))
    for key in texts:
        if key in rec and not isinstance(rec[key], str):
            rec[key] = json.dumps(rec[key])
    return rec


def records(count: int, seed: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Pairs of a record and whether it was mutated; a third are as they come."""
    random_ = random.Random(seed)
    names = [*SOURCE_EVENTS, *["problem_check"] * 12]
    for n in range(count):
        rec = record(names[n % len(names)], random_)
        change = random_.random() < 0.67
        yield (mutated(rec, random_) if change else rec), change
