"""What many consumers cost an event: matching alone, parsing with matching, and from the line to the statements.

    python benchmarks/match.py [--lines N] [--courses N]

Consumers have distinct course filters (``match_params``, then ``access``, then one with all kinds of rules); events are spread
over as many courses, so that each event has one consumer. Times are the best of several runs, and given as ratios of the time
for one consumer that gets the same events.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from edx2lrs.transforms.config_types import Access, AccessRule, Consumer, Events, UserRule
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.records.parse import parse

CONSUMERS = (1, 10, 100, 1000)
ROUNDS = 7


def course(number: int) -> str:
    return f"course-v1:Org{number % 50}+C{number}+2026"


def lines(count: int, courses: int) -> list[bytes]:
    """``play_video`` as a browser sends it, of all courses in turn, each of one of 5,000 users."""
    return [line(course(number % courses), number * 7919 % 5000 + 1) for number in range(count)]


def line(course_id: str, user: int) -> bytes:
    record = {
        "name": "play_video",
        "event_type": "play_video",
        "event_source": "browser",
        "time": "2026-03-01T12:00:00.123456+00:00",
        "username": f"user{user}",
        "session": "a14139512d6e4f9c8ef21d29d1a6ab4c",
        "host": "lms.example.com",
        "ip": "192.0.2.1",
        "agent": "Mozilla/5.0",
        "page": f"https://lms.example.com/courses/{course_id}/courseware/",
        "referer": f"https://lms.example.com/courses/{course_id}/courseware/",
        "context": {"user_id": user, "course_id": course_id, "org_id": course_id[10:15], "path": "/event"},
        "event": json.dumps({"id": "0b9e39477cf34507a7a48f74be381fdd", "code": "3_yD_cEKoCk", "currentTime": 0, "duration": 195}),
    }
    return json.dumps(record).encode()


def by_match_params(count: int) -> list[Consumer]:
    return [consumer(number, match_params={"context.course_id": course(number)}) for number in range(count)]


def by_access(count: int) -> list[Consumer]:
    return [consumer(number, Access(courses=AccessRule(allow=[course(number)]))) for number in range(count)]


def by_all(count: int) -> list[Consumer]:
    access = [
        Access(
            courses=AccessRule(allow=[course(number)]),
            orgs=AccessRule(allow=[f"Org{number % 50}"]),
            users=UserRule(block=[f"staff{number}", 100_000 + number]),
            sites=AccessRule(allow=["lms.example.com"]),
            activity_types=AccessRule(block=[f"https://example.com/types/{number}"]),
        )
        for number in range(count)
    ]
    wanted = {"name": ["problem_check", "/_video$/"], "event_source": {"not": ["mobile"]}}
    return [consumer(number, each, match_params=wanted) for number, each in enumerate(access)]


def consumer(number: int, access: Any = "all", **options: Any) -> Consumer:
    return Consumer(name=f"c{number}", protocol="xapi", url="https://lrs.example.edu/xAPI", access=access, **options)


def best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def measured(match: Matcher, read: list[bytes]) -> tuple[float, float, float]:
    """Consumers an event; seconds of matching alone; seconds with parsing and filtering before it."""
    events = [event for event in map(parse, read) if isinstance(event, Event)]
    wanted = EventFilter(Events())

    def whole() -> None:
        for event in map(parse, read):
            if isinstance(event, Event) and wanted(event) is None:
                match(event)

    return sum(map(len, map(match, events))) / len(events), best(lambda: [match(event) for event in events]), best(whole)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--courses", type=int, default=0, help="courses of the events; default: as many as consumers")
    chosen = parser.parse_args(arguments)
    for name, consumers_of in (("match_params", by_match_params), ("access", by_access), ("all kinds of rules", by_all)):
        print(f"distinct courses by {name}: time per event as a ratio of that for 1 consumer")
        base: tuple[float, float, float] | None = None
        for count in CONSUMERS:
            read = lines(chosen.lines, chosen.courses or count)
            got, alone, whole = measured(Matcher(consumers_of(count)), read)
            _, base_alone, base_whole = base = base or (got, alone, whole)
            ratios = f"match {alone / base_alone:.2f}, parse + filter + match {whole / base_whole:.2f}"
            print(f"  {count:5} consumers, {got:.2f} of them an event: {ratios}; match is {alone / whole:.0%} of it")


if __name__ == "__main__":
    main()
