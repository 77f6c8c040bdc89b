"""Who gets an event: what consumers ask for, what they may see, and many of them at once."""

from __future__ import annotations

import random
import re
import time
from typing import Any

import pytest

from edx2lrs.transforms.config_types import Access, AccessRule, Consumer, UserRule
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.enrollment.events import EnrollmentData
from edx2lrs.transforms.families.problem.events import ProblemCheckData
from edx2lrs.transforms.keys.course_key import normal_course_key, org_of
from edx2lrs.transforms.matching.event_paths import declared_paths, structured_paths
from edx2lrs.transforms.matching.masks import LONGEST_TESTED
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.records.parse import parse

COURSE = "course-v1:edX+DemoX+2026"


def event(**fields: Any) -> Event:
    return Event(**{"name": "problem_check", "course_id": COURSE, "org_id": "edX", "data": ProblemCheckData()} | fields)


def enrollment(in_context: str | None = COURSE, **data: Any) -> Event:
    return event(name="edx.course.enrollment.activated", course_id=in_context, data=EnrollmentData(**data))


def consumer(access: Access | str = "all", **match_params: Any) -> Consumer:
    params = {path.replace("__", "."): value for path, value in match_params.items()}
    return Consumer(name="c", protocol="xapi", url="https://x", access=access, match_params=params)  # type: ignore[arg-type]


def gets(one: Consumer, what: Event) -> bool:
    return Matcher([one])(what) == (0,)


VALUES = {
    "literal": ("edX", "edX", True),
    "a literal is no part": ("edX", "edX2", False),
    "a literal matches itself": ("course-v1:edX+DemoX+2026", "course-v1:edX+DemoX+2026", True),
    "with case": ("edx", "edX", False),
    "list": (["MITx", "edX"], "edX", True),
    "list without it": (["MITx", "HarvardX"], "edX", False),
    "regex is searched for": ("/d/", "edX", True),
    "regex is anchored as written": ("/^d/", "edX", False),
    "regex in a list": (["MITx", "/X$/"], "edX", True),
    "a slash alone is a literal": ("/", "/", True),
    "nothing": ("edX", None, False),
    "empty": ("/.*/", "", False),
    "regex on nothing": ("/.*/", None, False),
    "number": (5, 5, True),
    "number by value": (5, 5.0, True),
    "float": (0.5, 0.5, True),
    "number is no text": (5, "5", False),
    "text is no number": ("5", 5, False),
    "true": (True, True, True),
    "true is not 1": (True, 1, False),
    "1 is not true": (1, True, False),
    "false is not 0": (False, 0, False),
    "0": (0, 0, True),
    "false is not nothing": (False, None, False),
    "regex on a number": ("/5/", 5, False),
    "list value": ("edX", ["edX"], False),
    "mapping value": ("edX", {"edX": 1}, False),
    "not": ({"not": ["edX"]}, "MITx", True),
    "not it": ({"not": ["edX"]}, "edX", False),
    "not one of several": ({"not": ["MITx", "/^ed/"]}, "edX", False),
    "not, by value": ({"not": [1]}, True, True),
    "not, without a value": ({"not": ["edX"]}, None, False),
    "not, empty": ({"not": ["edX"]}, "", False),
    "not, of a list": ({"not": ["edX"]}, ["MITx"], False),
    "not, or a value": ([{"not": ["/X$/"]}, "edX"], "edX", True),
    "not, or another value": ([{"not": ["/X$/"]}, "edX"], "FunX", False),
    "not, or nothing": ([{"not": ["edX"]}, {"exists": False}], None, True),
    "exists": ({"exists": True}, 0, True),
    "false exists": ({"exists": True}, False, True),
    "a list exists": ({"exists": True}, [], True),
    "nothing exists not": ({"exists": True}, None, False),
    "empty text exists not": ({"exists": True}, "", False),
    "exists not": ({"exists": False}, None, True),
    "exists not, empty text": ({"exists": False}, "", True),
    "exists not, but is there": ({"exists": False}, 0, False),
    "exists not, but a list is there": ({"exists": False}, {}, False),
}


@pytest.mark.parametrize(("wanted", "value", "expected"), VALUES.values(), ids=VALUES.keys())
def test_values(wanted: Any, value: Any, expected: bool) -> None:
    what = event(data=ProblemCheckData(grade=value))
    assert [gets(consumer(data__grade=wanted), what) for _ in range(2)] == [expected, expected]


def test_equal_values_of_other_types_are_not_mixed_up_by_the_memory() -> None:
    matcher = Matcher([consumer(data__grade=1), consumer(data__grade=True), consumer(data__grade="1")])
    values = [1, True, "1", 1.0, True, 1]
    assert [matcher(event(data=ProblemCheckData(grade=value))) for value in values] == [(0,), (1,), (2,), (0,), (1,), (0,)]


PATHS = {
    "name": "problem_check",
    "event_source": "server",
    "context.event_source": "server",
    "session": "s1",
    "context.session": "s1",
    "username": "ann",
    "context.username": "ann",
    "referer": "https://x/",
    "context.referer": "https://x/",
    "context.user_id": 5,
    "context.course_id": COURSE,
    "context.org_id": "edX",
    "context.module.usage_key": "block-v1:edX+DemoX+2026+type@problem+block@p",
    "host": "lms.example.com",
    "context.host": "lms.example.com",
    "context.enterprise_uuid": "0f8a6b2e-3a5c-4b8e-9a55-0c6a0d6f1e10",
    "data.problem_id": "p",
    "data.attempts": 3,
    "data.answers": "a",
}
LOG_LINE = (
    b'{"name": "problem_check", "host": "lms.example.com", "event_source": "server", "session": "s1",'
    b' "username": "ann", "referer": "https://x/",'
    b' "time": "2023-05-23T13:53:13Z", "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2026", "org_id": "edX",'
    b' "enterprise_uuid": "0f8a6b2e-3a5c-4b8e-9a55-0c6a0d6f1e10",'
    b' "module": {"usage_key": "block-v1:edX+DemoX+2026+type@problem+block@p"}},'
    b' "event": {"problem_id": "p", "attempts": 3, "answers": "a"}}'
)
LIVE_EVENT = (
    b'{"name": "problem_check", "timestamp": "2023-05-23T13:53:13Z", "context": {"user_id": 5, "host": "lms.example.com",'
    b' "enterprise_uuid": "0f8a6b2e-3a5c-4b8e-9a55-0c6a0d6f1e10"}, "data": {}}'
)


@pytest.mark.parametrize(("path", "value"), PATHS.items())
def test_paths_of_a_log_line(path: str, value: Any) -> None:
    what = parse(LOG_LINE)
    assert isinstance(what, Event)
    assert gets(consumer(**{path: value}), what)
    assert not gets(consumer(**{path: "other"}), what)


def test_every_declared_path_can_be_asked_of_every_event() -> None:
    assert set(PATHS) <= set(declared_paths())
    for path in declared_paths():
        assert Matcher([consumer(**{path: "no such value"})])(Event("play_video")) == ()


def test_host_and_enterprise_of_a_live_event() -> None:
    what = parse(LIVE_EVENT)
    assert isinstance(what, Event)
    for path in ("host", "context.host", "context.enterprise_uuid"):
        assert gets(consumer(**{path: PATHS[path]}), what)


def test_objects_and_arrays_can_be_asked_whether_they_are_there() -> None:
    assert {"context.module", "data.submission"} <= structured_paths()
    submitted = event(data=ProblemCheckData(submission={}))
    assert gets(consumer(data__submission={"exists": True}), submitted)
    assert not gets(consumer(data__submission={"exists": True}), event())
    assert gets(consumer(data__submission={"exists": False}), event())


def test_a_path_that_no_event_has_is_an_error() -> None:
    with pytest.raises(KeyError):
        Matcher([consumer(context__orgid="x")])


def test_all_paths_have_to_match() -> None:
    one = consumer(name="problem_check", context__org_id="edX", data__attempts=3)
    assert gets(one, event(data=ProblemCheckData(attempts=3)))
    assert not gets(one, event(data=ProblemCheckData(attempts=4)))
    assert not gets(one, event(data=EnrollmentData()))
    assert not gets(one, event(org_id=None, data=ProblemCheckData(attempts=3)))


def courses(allow: list[str] | None = None, block: list[str] | None = None) -> Access:
    return Access(courses=AccessRule(allow=allow, block=block or []))


def orgs(allow: list[str] | None = None, block: list[str] | None = None) -> Access:
    return Access(orgs=AccessRule(allow=allow, block=block or []))


RIGHTS = {
    "all": ("all", event(), True),
    "all, without course": ("all", event(course_id=None), True),
    "course": (courses([COURSE]), event(), True),
    "another course": (courses(["course-v1:edX+Other+2026"]), event(), False),
    "no course": (courses([COURSE]), event(course_id=None), False),
    "no course, any is allowed": (courses(block=["x"]), event(course_id=None), False),
    "empty course, any is allowed": (courses(block=["x"]), event(course_id=""), False),
    "no course allowed": (courses([]), event(), False),
    "blocked course": (courses(block=[COURSE]), event(), False),
    "another is blocked": (courses(block=["course-v1:edX+Other+2026"]), event(), True),
    "block wins": (courses(["/DemoX/"], [COURSE]), event(), False),
    "course by regex": (courses([r"/^course-v1:edX\+/"]), event(), True),
    "org": (orgs(["edX"]), event(), True),
    "another org": (orgs(["MITx"]), event(), False),
    "org of the key, not of the context": (orgs(["MITx"]), event(org_id="MITx"), False),
    "org without org_id": (orgs(["edX"]), event(org_id=None), True),
    "org_id without course": (orgs(["edX"]), event(course_id=None), False),
    "org, unreadable key": (orgs(block=["MITx"]), event(course_id="nonsense"), False),
    "blocked org": (orgs(block=["edX"]), event(), False),
    "org is no part": (orgs(["ed"]), event(), False),
    "both rules": (Access(courses=AccessRule(allow=["/2026/"]), orgs=AccessRule(allow=["edX"])), event(), True),
    "one of two rules": (Access(courses=AccessRule(allow=["/2026/"]), orgs=AccessRule(allow=["MITx"])), event(), False),
    "no rules": (Access(), event(), False),
    "the payload's course too": (orgs(["edX"]), enrollment(course_id="course-v1:MITx+1+1"), False),
    "the payload's course alone": (orgs(["edX"]), enrollment(None, course_id=COURSE), True),
    "the payload's course, the same": (orgs(["edX"]), enrollment(course_id=COURSE), True),
    "a text in the payload that is no key": (orgs(["edX"]), enrollment(course_id=f"{COURSE}/../course-v1:MITx+1+1"), False),
}


@pytest.mark.parametrize(("access", "what", "expected"), RIGHTS.values(), ids=RIGHTS.keys())
def test_access(access: Access | str, what: Event, expected: bool) -> None:
    assert gets(consumer(access), what) is expected


VIDEO = "https://w3id.org/xapi/video/activity-type/video"
PROBLEM = "http://adlnet.gov/expapi/activities/cmi.interaction"


def rule(allow: list[Any] | None = None, block: list[Any] | None = None) -> dict[str, Any]:
    return {"allow": allow, "block": block or []}


def users(allow: list[Any] | None = None, block: list[Any] | None = None) -> Access:
    return Access(users=UserRule(**rule(allow, block)))


def other(field: str, allow: list[str] | None = None, block: list[str] | None = None) -> Access:
    return Access(**{field: AccessRule(**rule(allow, block))})


ANN = {"user_id": 5, "username": "ann"}
MORE_RIGHTS = {
    "user by name": (users(["ann"]), event(**ANN), True),
    "user by id": (users([5]), event(**ANN), True),
    "user by regex": (users(["/^a/"]), event(**ANN), True),
    "another user": (users(["bob", 6]), event(**ANN), False),
    "an id is no name": (users(["5"]), event(**ANN), False),
    "nobody": (users(["ann"]), event(), False),
    "nobody, some are blocked": (users(block=["bob"]), event(), False),
    "another is blocked": (users(block=["bob", 6]), event(**ANN), True),
    "blocked by name": (users(block=["ann"]), event(**ANN), False),
    "blocked by id": (users(block=[5]), event(**ANN), False),
    "blocked by id, allowed by name": (users(["ann"], [5]), event(**ANN), False),
    "blocked by id, only the name is known": (users(block=[5]), event(username="ann"), False),
    "blocked by name, only the id is known": (users(block=["ann"]), event(user_id=6), False),
    "allowed by id, only the id is known": (users([5]), event(user_id=5), True),
    "site": (other("sites", ["a.example.com"]), event(host="a.example.com"), True),
    "site, with case": (other("sites", ["A.example.com"]), event(host="a.Example.com"), True),
    "site by regex": (other("sites", [r"/\.example\.com$/"]), event(host="a.EXAMPLE.com"), True),
    "another site": (other("sites", ["b.example.com"]), event(host="a.example.com"), False),
    "no host": (other("sites", block=["b.example.com"]), event(), False),
    "a host that is no text": (other("sites", block=["b.example.com"]), event(host=5), False),
    "blocked site": (other("sites", block=["a.example.com"]), event(host="A.example.com"), False),
    "enterprise": (other("enterprises", ["e-1"]), event(enterprise_uuid="E-1"), True),
    "another enterprise": (other("enterprises", ["e-1"]), event(enterprise_uuid="e-2"), False),
    "no enterprise": (other("enterprises", ["/./"]), event(), False),
    "activity type": (other("activity_types", [PROBLEM]), event(), True),
    "activity type by regex": (other("activity_types", ["/interaction$/"]), event(), True),
    "another activity type": (other("activity_types", [VIDEO]), event(), False),
    "blocked activity type": (other("activity_types", block=[PROBLEM]), event(), False),
    "another is blocked, of types": (other("activity_types", block=[VIDEO]), event(), True),
    "no mapping, so no type": (other("activity_types", block=[VIDEO]), event(name="unheard.of"), False),
    "all rules have to pass": (
        Access(orgs=AccessRule(allow=["edX"]), users=UserRule(allow=["ann"]), sites=AccessRule(allow=["a"])),
        event(**ANN, host="b"),
        False,
    ),
    "all rules pass": (
        Access(orgs=AccessRule(allow=["edX"]), users=UserRule(allow=["ann"]), sites=AccessRule(allow=["a"])),
        event(**ANN, host="a"),
        True,
    ),
}


@pytest.mark.parametrize(("access", "what", "expected"), MORE_RIGHTS.values(), ids=MORE_RIGHTS.keys())
def test_further_access(access: Access, what: Event, expected: bool) -> None:
    assert [gets(consumer(access), what) for _ in range(2)] == [expected, expected]


def test_activity_types_are_those_of_the_consumers_own_protocol() -> None:
    by_iri, by_term = other("activity_types", [PROBLEM]), other("activity_types", ["Attempt"])
    access = [by_iri, by_term, by_iri, by_term]
    protocols = ["xapi", "xapi", "caliper", "caliper"]
    consumers = [
        Consumer(name="c", protocol=protocol, url="https://x", access=each)  # type: ignore[arg-type]
        for protocol, each in zip(protocols, access, strict=True)
    ]
    assert Matcher(consumers)(event(source="server")) == (0, 3)
    assert Matcher(consumers)(event(source="browser")) == (0,)  # an Assessment


def test_whoever_asks_for_more_than_it_may_see_does_not_get_it() -> None:
    assert not gets(consumer(orgs(["MITx"]), context__org_id="edX"), event())


ORGS = {
    "course-v1:edX+DemoX+2026": "edX",
    "ccx-v1:edX+DemoX+2026+ccx@1": "edX",
    "library-v1:edX+Lib": "edX",
    "lib:edX:slug": "edX",
    "edX/DemoX/2026": "edX",
    "course-v1:+DemoX+2026": None,
    "course-v1:edX": None,
    "course-v2:edX+DemoX+2026": None,
    "edX/DemoX": None,
    "/DemoX/2026": None,
    "https://x/y": None,
    "": None,
}


@pytest.mark.parametrize(("course_id", "org"), ORGS.items())
def test_the_org_of_a_course_key(course_id: str, org: str | None) -> None:
    assert org_of(course_id) == org


def test_a_rule_that_crashes_lets_the_event_through_to_nobody() -> None:
    class Trap:
        @property
        def course_id(self) -> str:
            raise RuntimeError

    matcher = Matcher([consumer(), consumer(orgs(["edX"]))])
    with pytest.raises(RuntimeError):
        matcher(Trap())  # type: ignore[arg-type]


def naive(one: Consumer, what: Event) -> bool:
    """The rules as they read, one after the other."""

    def found(pattern: Any, value: Any) -> bool:
        if isinstance(pattern, str) and len(pattern) > 1 and pattern[0] == pattern[-1] == "/":
            return isinstance(value, str) and bool(re.search(pattern[1:-1], value))
        return bool(pattern == value)

    def passes(rule: AccessRule | None, value: str | None) -> bool:
        if rule is None:
            return True
        if not value or any(found(pattern, value) for pattern in rule.block):
            return False
        return rule.allow is None or any(found(pattern, value) for pattern in rule.allow)

    fields = {"name": what.name, "context.course_id": what.course_id, "context.org_id": what.org_id, "username": what.username}
    asked = all(
        fields[path] not in (None, "")
        and any(found(pattern, fields[path]) for pattern in (wanted if isinstance(wanted, list) else [wanted]))
        for path, wanted in one.match_params.items()
    )
    if one.access == "all":
        return asked
    rules = one.access.courses, one.access.orgs
    if rules == (None, None):
        return False
    return asked and passes(rules[0], normal_course_key(what.course_id or "")) and passes(rules[1], org_of(what.course_id or ""))


def test_many_consumers_at_once_get_what_each_alone_would_get() -> None:
    chance = random.Random(7)
    orgs_there = ["edX", "MITx", "HarvardX", "Delft"]
    courses_there = [f"course-v1:{org}+C{i}+R" for org in orgs_there for i in range(5)] + ["nonsense", "", None]
    names = ["problem_check", "play_video", "pause_video"]

    def some(values: list[Any]) -> list[Any]:
        values = [value for value in values if value]
        return chance.choice([[chance.choice(values)], chance.sample(values, 2), [f"/{chance.choice(values)[-3:].strip('+')}/"]])

    def rule(values: list[Any]) -> AccessRule | None:
        allow = chance.choice([None, some(values)])
        block = chance.choice([[], some(values)])
        return chance.choice([None, AccessRule(allow=allow, block=block)])

    consumers = []
    for _ in range(300):
        params = {
            "name": some(names),
            "context.course_id": some(courses_there),
            "context.org_id": some(orgs_there),
            "username": "u1",
        }
        params = {path: wanted for path, wanted in params.items() if chance.random() < 0.3}
        access = chance.choice(["all", Access(courses=rule(courses_there), orgs=rule(orgs_there))])
        consumers.append(consumer(access, **params))
    matcher = Matcher(consumers)
    got = 0
    for _ in range(500):
        what = Event(
            chance.choice(names),
            course_id=chance.choice(courses_there),
            org_id=chance.choice([*orgs_there, None]),
            username=chance.choice(["u1", "u2", None]),
        )
        expected = tuple(index for index, one in enumerate(consumers) if naive(one, what))
        assert matcher(what) == expected
        got += len(expected)
    assert got > 1000


LONG = "https://a.edu.x.org/" + "x" * LONGEST_TESTED


@pytest.mark.parametrize(
    ("wish", "gets_it"),
    [
        ("/edu/", False),
        (LONG, True),
        ({"not": "/edu/"}, False),
        ({"not": "/nothing of it/"}, False),
        ({"not": "other"}, True),
        ({"exists": True}, True),
    ],
)
def test_no_expression_looks_at_a_long_text(wish: Any, gets_it: bool) -> None:
    assert gets(consumer(referer=wish), event(referrer=LONG)) is gets_it


@pytest.mark.parametrize(
    ("rule", "gets_it"),
    [
        (UserRule(allow=["/./"]), False),
        (UserRule(allow=[LONG]), True),
        (UserRule(block=["/nothing of it/"]), False),
        (UserRule(block=["other"]), True),
    ],
)
def test_a_rule_lets_no_long_text_through_that_its_expressions_cannot_judge(rule: UserRule, gets_it: bool) -> None:
    assert gets(consumer(Access(users=rule)), event(username=LONG)) is gets_it


def test_an_expression_of_the_configuration_takes_no_minutes() -> None:
    start = time.process_time()
    assert not gets(consumer(referer="/.*\\.edu.*\\.org$/"), event(referrer=".edu" * 2_000))
    assert time.process_time() - start < 1


def test_who_may_see_an_event_is_decided_apart_from_who_wants_it() -> None:
    consumers = [consumer(), consumer(orgs(["MITx"])), consumer(name="pause_video"), consumer(orgs(["MITx"]), name="play_video")]
    decision = Matcher(consumers).decide(event())
    assert (decision.consumers, decision.entitled) == ((0,), (0, 2))
