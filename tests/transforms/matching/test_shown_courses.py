"""A consumer of one course never gets a statement that shows a key of another course, wherever the key stands in the record."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from edx2lrs.pipeline.reference.examples_site import ROOT, translator_of_examples
from edx2lrs.transforms.config_types import Access, AccessRule, Consumer, Lms, Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.examples import examples_of, read_example
from edx2lrs.transforms.families.mappings import PROTOCOLS
from edx2lrs.transforms.families.packages import packages
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.matching.match_reasons import reasons
from edx2lrs.transforms.matching.shown_courses import site_hosts
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator

A, B = "course-v1:OrgA+CA+RA", "course-v1:OrgB+CB+RB"
HOSTS = site_hosts(Lms(root_url=ROOT))
SOURCES = [source for package in packages() for path in examples_of(package) for source in read_example(path).sources[:1]]
FREE_TEXTS = {
    "title", "exam_name", "target_name", "display_name", "question", "answer", "answers", "response_type", "mode", "letter_grade",
    "thread_type", "vote_value", "language", "session", "name", "event_type", "username", "success", "attempt_code", "old_speed",
    "new_speed", "host", "attempts", "attempt_started_at", "attempt_completed_at",
}
"""What people write, and words that are no keys: statements show them as texts."""
SPELLINGS = {
    "block": "block-v1:OrgB+CB+RB+type@problem+block@x",
    "branch": "block-v1:OrgB+CB+RB+branch@draft+type@problem+block@x",
    "version": "block-v1:OrgB+CB+RB+version@5f3a+type@problem+block@x",
    "custom course": "ccx-block-v1:OrgB+CB+RB+ccx@1+type@problem+block@x",
    "library": "lib-block-v1:OrgB+Lib+type@problem+block@x",
    "old": "i4x://OrgB/CB/problem/x",
    "id in a page": "i4x-OrgB-CB-problem-x",
    "course": B,
    "course of a course": f"course-v1:{B}",
    "path": f"/courses/{B}/courseware/",
    "old path": "/courses/OrgB/CB/RB/info",
    "escaped path": "/courses/course-v1%3AOrgB%2BCB%2BRB/",
    "link": f"{ROOT}/courses/{B}/courseware/",
    "page that activates": f"{ROOT}/courses/{A}/?activate_block_id=block-v1%3AOrgB%2BCB%2BRB%2Btype%40problem%2Bblock%40x",
    "dots": f"x/../../{B}",
    "own, then dots": f"block-v1:OrgA+CA+RA+type@problem+block@x/../{B}",
    "own, then a fragment": f"block-v1:OrgA+CA+RA+type@problem+block@x#{B}",
    "own, then a query": f"block-v1:OrgA+CA+RA+type@problem+block@x?{B}",
    "own, then a space": f"block-v1:OrgA+CA+RA+type@problem+block@x\u00a0{B}",
    "white space": "\n block-v1:OrgB+CB+RB+type@problem+block@x \t",
    "form": "input_block-v1:OrgB+CB+RB+type@problem+block@x_2_1=choice_0",
}


@cache
def translator(protocol: Protocol) -> Translator:
    return translator_of_examples(protocol)


def consumer(protocol: Protocol, **access: Any) -> Consumer:
    return Consumer(name="c", protocol=protocol, url="https://x", access=Access(**access))


def consumers(protocol: Protocol) -> list[Consumer]:
    of_b = [B, "ccx-v1:OrgB+CB+RB+ccx@1", "library-v1:OrgB+Lib", "OrgB/CB/RB"]
    rules = (AccessRule(allow=[A]), AccessRule(allow=["/OrgA/"]), AccessRule(block=of_b))
    orgs = (AccessRule(allow=["OrgA"]), AccessRule(block=["OrgB"]))
    return [*(consumer(protocol, courses=rule) for rule in rules), *(consumer(protocol, orgs=rule) for rule in orgs)]


def of_course_a(source: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(source)
    for before, after in (("course-v1:edX+DemoX+2020", A), ("block-v1:edX+DemoX+2020", "block-v1:OrgA+CA+RA"), ("edX", "OrgA")):
        text = text.replace(before, after)
    record: dict[str, Any] = json.loads(text)
    record["context"]["course_id"] = A
    part = "event" if "event" in record else "data"
    if isinstance(record[part], str) and record[part][:1] == "{":
        record[part] = json.loads(record[part])
    return record


def texts(value: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The ways to the texts of a record that may hold a key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in FREE_TEXTS and (*way, key) != ("context", "course_id"):
                yield from texts(inner, (*way, key))
    elif isinstance(value, str) and way[-1] not in ("time", "timestamp"):
        yield way


def put(record: dict[str, Any], way: tuple[str, ...], text: str) -> dict[str, Any]:
    changed = copy.deepcopy(record)
    part = changed
    for step in way[:-1]:
        part = part[step]
    part[way[-1]] = text
    return changed


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("source", SOURCES, ids=[source["name"] for source in SOURCES])
def test_no_statement_shows_another_course(source: dict[str, Any], protocol: Protocol) -> None:
    record = of_course_a(source)
    rules = consumers(protocol)
    match = Matcher(rules, HOSTS)
    for way in texts(record):
        for name, text in SPELLINGS.items():
            event = parse(json.dumps(put(record, way, text)).encode())
            if not isinstance(event, Event) or not match(event):
                continue
            made = translator(protocol).translate(event)
            shown = [statement.body for statement in made if b"OrgB" in statement.body] if isinstance(made, tuple) else []
            assert not shown, (name, ".".join(way), match(event))


@pytest.mark.parametrize("source", SOURCES, ids=[source["name"] for source in SOURCES])
def test_a_consumer_keeps_all_events_of_its_course(source: dict[str, Any]) -> None:
    event = parse(json.dumps(source).encode())
    assert isinstance(event, Event)
    if event.course_id:
        rules = [consumer("xapi", courses=AccessRule(allow=[event.course_id])), consumer("xapi", orgs=AccessRule(allow=["edX"]))]
        assert Matcher(rules, HOSTS)(event) == (0, 1), [reasons(event, rule, HOSTS) for rule in rules]


WHITE_SPACE = ["{}\n", "\r\n{}", " {}\t", "\u00a0{}\u2028"]


@pytest.mark.parametrize("around", WHITE_SPACE, ids=map(ascii, WHITE_SPACE))
@pytest.mark.parametrize("source", SOURCES, ids=[source["name"] for source in SOURCES])
def test_white_space_around_keys_is_none_of_them(source: dict[str, Any], around: str) -> None:
    """The consumer gets the event, and the statements are those of the record without white space."""
    record = of_course_a(source)
    spaced = put(record, ("context", "course_id"), around.format(A))
    part = "event" if "event" in record else "data"
    for field in ("id", "problem_id", "module_id", "block_id", "exam_content_id", "course_id"):
        if isinstance(spaced[part], dict) and isinstance(spaced[part].get(field), str) and not source["name"].startswith("edx.forum"):
            spaced = put(spaced, (part, field), around.format(spaced[part][field]))
    plain, event = (parse(json.dumps(each).encode()) for each in (record, spaced))
    assert isinstance(plain, Event)
    assert isinstance(event, Event)
    for protocol in PROTOCOLS:
        assert Matcher(consumers(protocol), HOSTS)(event) == Matcher(consumers(protocol), HOSTS)(plain)
        assert translator(protocol).translate(event) == translator(protocol).translate(plain)


def test_a_wish_is_about_a_key_without_white_space() -> None:
    line = b'{"name":"play_video","event":{"id":"abc\\n"},"time":"2026-01-01T00:00:00Z","context":{"course_id":"%b\\n"}}' % A.encode()
    wish = {"data.id": "abc", "context.course_id": A}
    event = parse(line)
    assert isinstance(event, Event)
    assert Matcher([Consumer(name="c", protocol="xapi", url="https://x", access="all", match_params=wish)])(event) == (0,)


LIBRARY = "lib-block-v1:OrgB+Lib+type@problem+block@x"


@pytest.mark.parametrize(
    ("access", "gets"),
    [
        ({"courses": AccessRule(allow=[A])}, False),
        ({"courses": AccessRule(allow=[A, "library-v1:OrgB+Lib"])}, True),
        ({"courses": AccessRule(allow=[A]), "library_blocks": "open"}, True),
        ({"orgs": AccessRule(block=["OrgB"])}, False),
        ({"orgs": AccessRule(block=["OrgB"]), "library_blocks": "open"}, True),
        ({"courses": AccessRule(allow=[f"{A}+branch@draft"]), "library_blocks": "open"}, True),
    ],
)
def test_blocks_of_libraries(access: dict[str, Any], gets: bool) -> None:
    line = {"name": "showanswer", "event": {"problem_id": LIBRARY}, "time": "2026-01-01T00:00:00Z", "context": {"course_id": A}}
    event = parse(json.dumps(line).encode())
    assert isinstance(event, Event)
    assert bool(Matcher([consumer("xapi", **access)])(event)) is gets


@pytest.mark.parametrize("host", ["another.site", "lms.example.com.another.site"])
def test_a_link_to_another_site_shows_no_course_of_ours(host: str) -> None:
    data = {"target_url": f"https://{host}/courses/{B}/", "current_url": f"{ROOT}/courses/{A}/"}
    line = {"name": "edx.ui.lms.link_clicked", "event": data, "time": "2026-01-01T00:00:00Z", "context": {"course_id": A}}
    event = parse(json.dumps(line).encode())
    assert isinstance(event, Event)
    assert Matcher(consumers("xapi"), HOSTS)(event) == (0, 1, 2, 3, 4)
