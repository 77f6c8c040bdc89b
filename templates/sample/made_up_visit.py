"""A visit to the made-up site, and what happens in it, before there is a line of a log around it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from made_up_site import Course, Learner, Site, Video

ROOT = "https://lms.example.com"
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


def browser_event(name: str, event: Fields) -> Happening:
    return Happening(name, "browser", json.dumps(event))
