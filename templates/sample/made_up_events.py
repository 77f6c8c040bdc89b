"""Tracking events as an LMS logs them, in the shapes of the Open edX documentation ("Events in the Tracking Logs").

An endless stream; nothing is kept but one small visit per learner.
"""

from __future__ import annotations

import json
import random
from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from made_up_site import Course, Learner, Problem, Question, Site, Video

ROOT = "https://lms.example.com"
STAFF = 2
Fields = dict[str, Any]


class Chance:
    """Draws that are the same in every Python: all of them come from ``random.Random.random``."""

    def __init__(self, seed: str) -> None:
        self.share = random.Random(seed).random  # noqa: S311 (made-up data)

    def below(self, n: int) -> int:
        return int(self.share() * n)

    def of(self, options: tuple[Any, ...]) -> Any:
        return options[int(self.share() * len(options))]

    def hex32(self) -> str:
        return f"{int(self.share() * 2**52):013x}{int(self.share() * 2**52):013x}{int(self.share() * 2**24):06x}"


class Visit:
    """What a learner (None: an anonymous visitor) is at: session, course, video and place in it, tries at problems."""

    def __init__(self, chance: Chance, site: Site, learner: Learner | None) -> None:
        self.chance = chance
        self.learner = learner
        self._courses = site.courses
        self.tries: dict[str, int] = {}
        self.move()

    def move(self) -> None:
        """A new session, perhaps in another course."""
        self.session = self.chance.hex32()
        self.course: Course = self.chance.of(self._courses)
        self.video: Video = self.chance.of(self.course.videos)
        self.position = 0.0
        self.speed = "1.0"
        # what every event of this session has, so that it is put together once
        person = self.learner
        self.context: Fields = {
            "course_id": self.course.key,
            "course_user_tags": {},
            "user_id": person.user_id if person else None,
            "path": "/event",
            "org_id": self.course.org,
            "enterprise_uuid": "",
        }
        self.paths = _paths(self.course)
        self.page = f"{ROOT}/courses/{self.course.key}/courseware/{self.course.sequences[0]}/"
        self.request: Fields = {
            "username": person.username if person else "",
            "session": self.session,
            "ip": person.ip if person else "198.51.100.7",
            "agent": person.agent if person else "Mozilla/5.0 (compatible; ExampleBot/1.0)",
            "host": "lms.example.com",
            "referer": self.page,
            "accept_language": person.accept_language if person else "",
        }

    def usage_key(self, kind: str, block: str) -> str:
        return f"{self.course.prefix}+type@{kind}+block@{block}"


def _paths(course: Course) -> tuple[str, ...]:
    blocks = f"{course.prefix}+type@"
    return (
        f"/courses/{course.key}/courseware/{course.sequences[0]}/",
        f"/courses/{course.key}/xblock/{blocks}sequential+block@{course.sequences[1]}/handler/xmodule_handler/goto_position",
        f"/courses/{course.key}/progress",
        f"/api/courseware/course/{course.key}",
        f"/xblock/{blocks}vertical+block@{course.sequences[2]}",
        "/dashboard",
        "/api/user/v1/me",
        "/i18n.js",
        "/courses/",
    )


class Happening(NamedTuple):
    """An event before the line around it; ``event`` is the payload as the log has it; the others where a line is
    not the usual one."""

    name: str
    source: str
    event: Any
    path: str = "/event"
    page: str | None = None
    module: Fields | None = None
    name_missing: bool = False
    by_staff: bool = False


Maker = Callable[[Visit], Happening]


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


def _browser(name: str, event: Fields) -> Happening:
    return Happening(name, "browser", json.dumps(event))


# --- page requests

_BARE = json.dumps({"GET": {}, "POST": {}})
_POSITION = json.dumps({"GET": {}, "POST": {"position": ["2"]}})
_SEARCH = json.dumps({"GET": {"search": ["été"]}, "POST": {}})


def page_request(visit: Visit) -> Happening:
    """The line of the middleware: its name is the URL's path; old archives have it in event_type alone."""
    path = visit.chance.of(visit.paths)
    event = _POSITION if path.endswith("goto_position") else _SEARCH if path == "/courses/" else _BARE
    return Happening(path, "server", event, path, name_missing=visit.chance.share() < 0.05)


# --- video


def _at(visit: Visit, **more: Any) -> Fields:
    video = visit.video
    return {"duration": video.duration, "code": video.code, "id": video.block, **more}


def load_video(visit: Visit) -> Happening:
    visit.video, visit.position = visit.chance.of(visit.course.videos), 0.0
    return _browser("load_video", _at(visit))


def play_video(visit: Visit) -> Happening:
    return _browser("play_video", _at(visit, currentTime=visit.position))


def pause_video(visit: Visit) -> Happening:
    _go_on(visit)
    return _browser("pause_video", _at(visit, currentTime=visit.position))


def stop_video(visit: Visit) -> Happening:
    _go_on(visit)
    return _browser("stop_video", _at(visit, currentTime=visit.position))


def complete_video(visit: Visit) -> Happening:
    visit.position = visit.video.duration
    return _browser("complete_video", _at(visit, currentTime=visit.position))


def seek_video(visit: Visit) -> Happening:
    old, visit.position = visit.position, round(visit.chance.share() * visit.video.duration, 6)
    return _browser("seek_video", _at(visit, old_time=old, new_time=visit.position, type="onSlideSeek"))


def speed_change(visit: Visit) -> Happening:
    old, visit.speed = visit.speed, visit.chance.of(("0.50", "1.0", "1.25", "1.50", "2.0"))
    return _browser("speed_change_video", _at(visit, current_time=visit.position, old_speed=old, new_speed=visit.speed))


def captions(visit: Visit) -> Happening:
    name = visit.chance.of(
        (
            *("show_transcript", "hide_transcript", "video_show_cc_menu", "video_hide_cc_menu"),
            *("edx.video.closed_captions.shown", "edx.video.closed_captions.hidden"),
        )
    )
    return _browser(name, _at(visit, current_time=visit.position))


def mobile_video(visit: Visit) -> Happening:
    """The apps send the new names, without a page."""
    _go_on(visit)
    name = visit.chance.of(
        ("loaded", "played", "played", "paused", "stopped", "completed", "position.changed", "transcript.shown")
    )
    event = {
        "code": "mobile",
        "id": visit.video.block,
        "current_time": visit.position,
        "duration": visit.video.duration,
    }
    if name == "position.changed":
        event |= {"old_time": visit.position, "new_time": max(0.0, visit.position - 30), "requested_skip_interval": -30}
    return Happening(f"edx.video.{name}", "mobile", json.dumps(event), "/segmentio/event")


def _go_on(visit: Visit) -> None:
    visit.position = round(min(visit.video.duration, visit.position + 120 * visit.chance.share()), 6)


# --- problems


def problem_check_browser(visit: Visit) -> Happening:
    """The browser sends the form's text; the log has it as it is, or as JSON text of it."""
    problem: Problem = visit.chance.of(visit.course.problems)
    fields = [
        (f"input_{problem.block}_{question.suffix}{'[]' if isinstance(part, list) else ''}", part)
        for question in problem.questions
        for part in [visit.chance.of(question.answers)[0]]
    ]
    form = urlencode(fields, doseq=True)
    return Happening("problem_check", "browser", form if visit.chance.share() < 0.3 else json.dumps(form))


def problem_check_server(visit: Visit) -> Happening:
    problem: Problem = visit.chance.of(visit.course.problems)
    usage_key = visit.usage_key("problem", problem.block)
    visit.tries[usage_key] = attempts = visit.tries.get(usage_key, 0) + 1
    answers, submission, correct_map, grade = {}, {}, {}, 0
    for question in problem.questions:
        place = 0 if visit.chance.share() < 0.6 else visit.chance.below(len(question.answers))
        key, right = f"{problem.block}_{question.suffix}", place == 0
        grade += right
        answers[key] = question.answers[place][0]
        submission[key] = _submission(question, place)
        correct_map[key] = {
            "correctness": "correct" if right else "incorrect",
            "npoints": None,
            "msg": "",
            "hint": "",
            "hintmode": None,
            "queuestate": None,
            "answervariable": None,
        }
    state = {
        "seed": 1,
        "student_answers": {},
        "has_saved_answers": False,
        "correct_map": {},
        "input_state": {},
        "done": None,
    }
    event = {
        "state": state,
        "problem_id": usage_key,
        "answers": answers,
        "grade": grade,
        "max_grade": len(problem.questions),
        "correct_map": correct_map,
        "success": "correct" if grade == len(problem.questions) else "incorrect",
        "attempts": attempts,
    }
    if visit.chance.share() > 0.05:  # old versions did not log it
        event["submission"] = submission
    path = f"/courses/{visit.course.key}/xblock/{usage_key}/handler/xmodule_handler/problem_check"
    module = {"display_name": problem.name, "usage_key": usage_key}
    return Happening("problem_check", "server", event, path, "x_module", module)


def _submission(question: Question, place: int) -> Fields:
    return {
        "question": question.text,
        "answer": question.answers[place][1],
        "response_type": question.response_type,
        "input_type": question.input_type,
        "correct": place == 0,
        "variant": "",
        "group_label": "",
    }


def showanswer(visit: Visit) -> Happening:
    return _on_problem(visit, "showanswer", lambda key: {"problem_id": key})


def hint(visit: Visit) -> Happening:
    name = "edx.problem.hint.demandhint_displayed"
    return _on_problem(
        visit, name, lambda key: {"module_id": key, "hint_index": 0, "hint_len": 2, "hint_text": "Nächster"}
    )


def problem_graded(visit: Visit) -> Happening:
    """Browser events whose payload is a list."""
    problem: Problem = visit.chance.of(visit.course.problems)
    return Happening("problem_graded", "browser", json.dumps([f"input_{problem.block}_2_1=choice_1", "<div>…</div>"]))


def _on_problem(visit: Visit, name: str, payload: Callable[[str], Fields]) -> Happening:
    problem: Problem = visit.chance.of(visit.course.problems)
    key = visit.usage_key("problem", problem.block)
    module = {"display_name": problem.name, "usage_key": key}
    return Happening(
        name, "server", payload(key), f"/courses/{visit.course.key}/xblock/{key}/handler", "x_module", module
    )


# --- enrolment and grades


def enrollment(visit: Visit) -> Happening:
    name = visit.chance.of(("activated", "activated", "deactivated", "mode_changed"))
    mode = visit.chance.of(("audit", "verified", "honor"))
    event = {"course_id": visit.course.key, "user_id": _user_id(visit), "mode": mode}
    return Happening(f"edx.course.enrollment.{name}", "server", event, "/change_enrollment")


def course_grade(visit: Visit) -> Happening:
    name = visit.chance.of(("passed.first_time", "now_passed", "now_failed"))
    event = {
        "course_id": visit.course.key,
        "user_id": _user_id(visit),
        "event_transaction_id": visit.chance.hex32(),
        "event_transaction_type": "edx.grades.problem.submitted",
    }
    return Happening(f"edx.course.grade.{name}", "server", event, f"/courses/{visit.course.key}/xblock/")


def grade_calculated(visit: Visit) -> Happening:
    event = {
        "course_id": visit.course.key,
        "user_id": _user_id(visit),
        "percent_grade": round(visit.chance.share(), 2),
        "letter_grade": visit.chance.of(("Pass", "")),
        "course_edited_timestamp": "2024-03-01T09:00:00+00:00",
        "grading_policy_hash": "2VIw",
    }
    return Happening("edx.grades.course.grade_calculated", "server", event, f"/courses/{visit.course.key}/xblock/")


def _user_id(visit: Visit) -> int | None:
    return visit.learner.user_id if visit.learner else None


# --- the rest of a log: what has a mapping in other families, and what has none


def navigation(visit: Visit) -> Happening:
    block = visit.usage_key("sequential", visit.course.sequences[1])
    name = visit.chance.of(("next_selected", "previous_selected", "tab_selected"))
    event = {"current_tab": 2, "id": block, "tab_count": 5, "widget_placement": "top"}
    if name == "tab_selected":
        event["target_tab"] = 1 + visit.chance.below(5)
    return _browser(f"edx.ui.lms.sequence.{name}", event)


def link(visit: Visit) -> Happening:
    return _browser(
        "edx.ui.lms.link_clicked", {"current_url": visit.page, "target_url": f"https://{quote('fr')}.example.org/été"}
    )


def outline(visit: Visit) -> Happening:
    target = {"target_name": "Week 1: Départ", "target_url": visit.page, "widget_placement": "toc"}
    return _browser("edx.ui.lms.outline.selected", target)


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


def exam(visit: Visit) -> Happening:
    event = {
        "exam_id": 1,
        "exam_content_id": visit.usage_key("sequential", visit.course.sequences[1]),
        "exam_name": "Mid-term",
        "exam_default_time_limit_mins": 90,
        "attempt_id": 9,
        "attempt_code": "6F1A4B6C-7A20-4E0C-A4C0-9D3F4E9E1B55",
        "attempt_started_at": "2024-03-11T09:00:00+00:00",
        "attempt_event_elapsed_time_secs": 12.5,
    }
    name = visit.chance.of(("created", "submitted"))
    return Happening(f"edx.special_exam.timed.attempt.{name}", "server", event, "/api/edx_proctoring/v1/")


def completion(visit: Visit) -> Happening:
    event = {
        "block_id": visit.usage_key("html", visit.course.sequences[2]),
        "completion": 1.0,
        "course_id": visit.course.key,
    }
    return Happening("edx.completion.block_completion.changed", "server", event, "/event")


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
    return _browser(name, {"id": visit.usage_key("vertical", visit.course.sequences[2])})


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


def enrolled_by_staff(visit: Visit) -> Happening:
    """The user of the context is the one who enrols, that of the payload the one who is enrolled."""
    path = f"/courses/{visit.course.key}/instructor/api/students_update_enrollment"
    return enrollment(visit)._replace(path=path, by_staff=True)


FAMILIES: tuple[tuple[float, Maker], ...] = (
    (5.0, play_video),
    (4.0, pause_video),
    (2.0, load_video),
    (1.5, seek_video),
    (1.0, stop_video),
    (0.6, complete_video),
    (0.6, speed_change),
    (0.8, captions),
    (1.0, mobile_video),
    (3.0, problem_check_browser),
    (3.0, problem_check_server),
    (1.0, enrollment),
    (0.3, enrolled_by_staff),
    (0.3, course_grade),
)
REST: tuple[tuple[float, Maker], ...] = (
    (2.0, navigation),
    (1.5, problem_graded),
    (1.5, unmapped),
    (1.0, completion),
    (0.8, grade_calculated),
    (0.6, showanswer),
    (0.6, forum),
    (0.5, link),
    (0.4, outline),
    (0.4, nameless),
    (0.3, hint),
    (0.2, exam),
)
ANONYMOUS: tuple[tuple[float, Maker], ...] = (
    (30.0, page_request),
    (1.0, load_video),
    (1.0, play_video),
    (1.0, unmapped),
)
MIXES = {
    "typical": ((44.0, page_request), *FAMILIES, *REST),
    "dense": FAMILIES,
}
