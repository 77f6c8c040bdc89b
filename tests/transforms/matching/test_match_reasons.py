"""Why a consumer gets an event: the same verdict as the matcher's, in words without the event's values."""

from __future__ import annotations

import random
from typing import Any

from edx2lrs.transforms.config_types import Access, AccessRule, Consumer, UserRule
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.enrollment.events import EnrollmentData
from edx2lrs.transforms.families.problem.events import Module, ProblemCheckData, ProblemContext
from edx2lrs.transforms.families.video.events import VideoMomentData
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.matching.match_reasons import reasons

COURSES = ["course-v1:edX+DemoX+2026", "course-v1:MITx+6.00x+2026", "edX/DemoX/2012", "nonsense", "", None]
TYPES = ["https://w3id.org/xapi/video/activity-type/video", "http://adlnet.gov/expapi/activities/course", "VideoObject", "/ss/"]
LITERALS = {
    "name": ["problem_check", "play_video", "/video/", "/^edx\\./"],
    "context.course_id": [*COURSES[:3], "/edX/"],
    "context.org_id": ["edX", 7, "/^M/"],
    "context.user_id": [5, 6, "5", 5.0],
    "username": ["ann", "5", "/n$/"],
    "host": ["a.example.com", "/example/"],
    "context.enterprise_uuid": ["E-1"],
    "data.grade": [1, 1.0, True, 0, "1", "/1/"],
    "data.problem_id": ["p", "/p/"],
    "data.answers": ["a"],
    "context.module.display_name": ["Cells"],
}


def some_wish(chance: random.Random, values: list[Any]) -> Any:
    one: Any = chance.choice(values)
    exists = {"exists": chance.random() < 0.5}
    return chance.choice([one, [one, chance.choice(values)], {"not": one}, {"not": [one]}, exists, [{"not": one}, one]])


def some_rule(chance: random.Random, values: list[Any]) -> Any:
    def some() -> list[Any]:
        return chance.sample(values, chance.randrange(1, len(values)))

    kind = UserRule if any(isinstance(value, int) for value in values) else AccessRule
    return chance.choice([None, kind(allow=some()), kind(block=some()), kind(allow=some(), block=some()), kind(allow=[])])


def some_consumer(chance: random.Random) -> Consumer:
    access = Access(
        courses=some_rule(chance, [each for each in COURSES if each] + ["/DemoX/"]) if chance.random() < 0.4 else None,
        orgs=some_rule(chance, ["edX", "MITx", "/X$/"]) if chance.random() < 0.4 else None,
        users=some_rule(chance, ["ann", "bob", 5, 6, "/a/"]) if chance.random() < 0.4 else None,
        sites=some_rule(chance, ["A.example.com", "b.example.com", "/EXAMPLE/", "/example/"]) if chance.random() < 0.2 else None,
        enterprises=some_rule(chance, ["e-1", "E-2"]) if chance.random() < 0.2 else None,
        activity_types=some_rule(chance, TYPES) if chance.random() < 0.2 else None,
    )
    wishes = {path: some_wish(chance, values) for path, values in LITERALS.items() if chance.random() < 0.15}
    may_see: Any = chance.choice(["all", access, access])
    protocol: Any = chance.choice(["xapi", "caliper"])
    return Consumer(name="c", protocol=protocol, url="https://x", access=may_see, match_params=wishes)


def some_event(chance: random.Random) -> Event:
    one = chance.choice
    name = one(["problem_check", "play_video", "edx.course.enrollment.activated", "unheard.of"])
    data: Any = {
        "problem_check": ProblemCheckData(
            problem_id=one(["p", "", None]),
            grade=one([0, 1, 1.0, True, "1", None]),
            answers=one(["a", "", None, ["a"], {"a": 1}]),
        ),
        "play_video": VideoMomentData(id="v"),
        "edx.course.enrollment.activated": EnrollmentData(course_id=one([*COURSES, 5])),
    }.get(name)
    return Event(
        name,
        course_id=one(COURSES),
        org_id=one(["edX", "MITx", 7, None]),
        user_id=one([5, 6, None]),
        username=one(["ann", "bob", "5", None]),
        host=one(["a.example.com", "B.Example.com", 5, "", None]),
        enterprise_uuid=one(["e-1", "E-1", "e-2", None]),
        source=one(["server", "browser"]),
        context=ProblemContext(module=one([None, Module(display_name="Cells")])) if name == "problem_check" else None,
        data=data,
    )


def test_the_reasons_agree_with_the_matcher() -> None:
    chance = random.Random(11)
    consumers = [some_consumer(chance) for _ in range(200)]
    matcher = Matcher(consumers)
    got = 0
    for _ in range(100):
        event = some_event(chance)
        expected = tuple(n for n, one in enumerate(consumers) if all(reason.passes for reason in reasons(event, one)))
        assert matcher(event) == expected
        got += len(expected)
    assert 500 < got < 15_000


def test_each_rule_says_why_and_no_value_is_told() -> None:
    event = Event("problem_check", course_id=COURSES[0], username="ann", data=ProblemCheckData(grade=0.25))
    consumer = Consumer(
        name="c",
        protocol="xapi",
        url="https://x",
        access=Access(orgs=AccessRule(allow=["MITx"]), users=UserRule(block=[5])),
        match_params={"data.grade": [1, "/x/"], "name": {"exists": True}, "data.attempts": {"not": 3}},
    )
    said = {reason.rule: (reason.passes, reason.why) for reason in reasons(event, consumer)}
    assert said == {
        "access.users": (False, "block goes by user id, and the event has none"),
        "access.orgs": (False, "allow lacks the event's organisation"),
        "match_params.data.grade": (False, "wanted 1 or /x/; found a number, which does not fit"),
        "match_params.name": (True, "wanted any value; found a text, which fits"),
        "match_params.data.attempts": (False, "wanted a value that is not 3; found nothing, which does not fit"),
    }


def test_an_access_that_opens_nothing_says_so() -> None:
    closed = Consumer(name="c", protocol="xapi", url="https://x", access=Access())
    assert [(reason.rule, reason.passes) for reason in reasons(Event("play_video"), closed)] == [("access", False)]
