"""Video, problems and enrolment in a made-up visit: what the browser, the apps and the server log of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from made_up_site import Problem, Question
from made_up_visit import Fields, Happening, Maker, Visit, browser_event


def load_video(visit: Visit) -> Happening:
    visit.video, visit.position = visit.chance.of(visit.course.videos), 0.0
    return browser_event("load_video", _at(visit))


def play_video(visit: Visit) -> Happening:
    return browser_event("play_video", _at(visit, currentTime=visit.position))


def pause_video(visit: Visit) -> Happening:
    _go_on(visit)
    return browser_event("pause_video", _at(visit, currentTime=visit.position))


def stop_video(visit: Visit) -> Happening:
    _go_on(visit)
    return browser_event("stop_video", _at(visit, currentTime=visit.position))


def complete_video(visit: Visit) -> Happening:
    visit.position = visit.video.duration
    return browser_event("complete_video", _at(visit, currentTime=visit.position))


def seek_video(visit: Visit) -> Happening:
    old, visit.position = visit.position, round(visit.chance.share() * visit.video.duration, 6)
    return browser_event("seek_video", _at(visit, old_time=old, new_time=visit.position, type="onSlideSeek"))


def speed_change(visit: Visit) -> Happening:
    old, visit.speed = visit.speed, visit.chance.of(("0.50", "1.0", "1.25", "1.50", "2.0"))
    return browser_event("speed_change_video", _at(visit, current_time=visit.position, old_speed=old, new_speed=visit.speed))


def captions(visit: Visit) -> Happening:
    name = visit.chance.of(
        (
            *("show_transcript", "hide_transcript", "video_show_cc_menu", "video_hide_cc_menu"),
            *("edx.video.closed_captions.shown", "edx.video.closed_captions.hidden"),
        )
    )
    return browser_event(name, _at(visit, current_time=visit.position))


def language_menu(visit: Visit) -> Happening:
    """Which language was chosen is known when the menu is hidden again."""
    if visit.chance.share() < 0.5:
        return browser_event("edx.video.language_menu.shown", _at(visit))
    return browser_event("edx.video.language_menu.hidden", _at(visit, language=visit.chance.of(("en", "fr", "de"))))


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


def _at(visit: Visit, **more: Any) -> Fields:
    video = visit.video
    return {"duration": video.duration, "code": video.code, "id": video.block, **more}


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


def enrollment(visit: Visit) -> Happening:
    name = visit.chance.of(("activated", "activated", "deactivated", "mode_changed"))
    mode = visit.chance.of(("audit", "verified", "honor"))
    event = {"course_id": visit.course.key, "user_id": user_id(visit), "mode": mode}
    return Happening(f"edx.course.enrollment.{name}", "server", event, "/change_enrollment")


def enrolled_by_staff(visit: Visit) -> Happening:
    """The user of the context is the one who enrols, that of the payload the one who is enrolled."""
    path = f"/courses/{visit.course.key}/instructor/api/students_update_enrollment"
    return enrollment(visit)._replace(path=path, by_staff=True)


def course_grade(visit: Visit) -> Happening:
    name = visit.chance.of(("passed.first_time", "now_passed", "now_failed"))
    event = {
        "course_id": visit.course.key,
        "user_id": user_id(visit),
        "event_transaction_id": visit.chance.hex32(),
        "event_transaction_type": "edx.grades.problem.submitted",
    }
    return Happening(f"edx.course.grade.{name}", "server", event, f"/courses/{visit.course.key}/xblock/")


def user_id(visit: Visit) -> int | None:
    return visit.learner.user_id if visit.learner else None


FAMILIES: tuple[tuple[float, Maker], ...] = (
    (5.0, play_video),
    (4.0, pause_video),
    (2.0, load_video),
    (1.5, seek_video),
    (1.0, stop_video),
    (0.6, complete_video),
    (0.6, speed_change),
    (0.8, captions),
    (0.2, language_menu),
    (1.0, mobile_video),
    (3.0, problem_check_browser),
    (3.0, problem_check_server),
    (1.0, enrollment),
    (0.3, enrolled_by_staff),
    (0.3, course_grade),
)
