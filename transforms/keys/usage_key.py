"""Keys of blocks ("usage keys"), and the names that blocks have within their course.

| Course | Its blocks |
|---|---|
| ``course-v1:ORG+COURSE+RUN`` | ``block-v1:ORG+COURSE+RUN+type@video+block@NAME`` |
| ``ccx-v1:ORG+COURSE+RUN+ccx@1`` | ``ccx-block-v1:ORG+COURSE+RUN+ccx@1+type@video+block@NAME`` |
| ``library-v1:ORG+LIBRARY`` | ``lib-block-v1:ORG+LIBRARY+type@video+block@NAME`` |
| ``lib:ORG:LIBRARY`` | ``lb:ORG:LIBRARY:video:NAME`` |
| ``ORG/COURSE/RUN`` (until 2014) | ``i4x://ORG/COURSE/video/NAME``, in pages ``i4x-ORG-COURSE-video-NAME`` |
"""

from __future__ import annotations

import re
from typing import NamedTuple

from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.keys.course_key import LONGEST, NO_DOTS, ORG, PART, STATE, normal_course_key, org_of

_TYPE_AND_NAME = r"\+type@[^\s/?#+@]+\+block@[^\s/?#+]+"
_USAGE_KEY = re.compile(
    rf"block-v1:(?P<course>{ORG}\+{PART}\+{PART}){STATE}{_TYPE_AND_NAME}"
    rf"|ccx-block-v1:(?P<ccx>{ORG}\+{PART}\+{PART}){STATE}(?P<number>\+ccx@[0-9]+){_TYPE_AND_NAME}"
    rf"|lib-block-v1:(?P<library>{ORG}\+{PART}){STATE}{_TYPE_AND_NAME}"
    rf"|lb:(?P<lib>{ORG}:{ORG}):[^\s/?#+:]+:[^\s/?#+:]+"
    rf"|i4x://(?P<old>{NO_DOTS}{ORG}/{NO_DOTS}{ORG})/[^\s/?#]+/[^\s/?#]+"
)
_NAMESPACES = {"course": "course-v1:", "ccx": "ccx-v1:", "library": "library-v1:", "lib": "lib:"}
_BLOCKS = {"course-v1": "block-v1", "ccx-v1": "ccx-block-v1", "library-v1": "lib-block-v1"}
_STATE = re.compile(STATE + r"(?=\+(?:type|ccx)@)")
_NO_WORD = re.compile(r"[^\w-]")
_is_name = re.compile(r"[^\s/?#+]+").fullmatch


class UsageKey(NamedTuple):
    """``course``: the key of the block's course; None for an old-style key, which has no run. ``old_course``: ORG/COURSE of such a
    key."""

    course: str | None
    org: str | None
    old_course: str | None = None


Shown = tuple[str | None, str | None]
"""The course of a key and its organisation; None for what cannot be told."""


def usage_key(text: str) -> UsageKey | None:
    """The usage key that ``text`` is; None for every other text."""
    return _usage_key(text) if len(text) <= LONGEST else None


@remembered(16_384)  # a site has few blocks, and many events about each
def _usage_key(text: str) -> UsageKey | None:
    found = _USAGE_KEY.fullmatch(text)
    if found is None:
        return None
    if found["old"]:
        return UsageKey(None, found["old"].partition("/")[0], found["old"])
    kind = next(name for name in _NAMESPACES if found[name])
    course = f"{_NAMESPACES[kind]}{found[kind]}{found['number'] or ''}"
    return UsageKey(course, org_of(course))


def normal_usage_key(text: str) -> str:
    """The usage key in the form that statements show: without branch and version. Every other text stays."""
    return _STATE.sub("", text, 1) if usage_key(text) else text


def key_of_block(course_key: str, block_type: str, name: str) -> str | None:
    """The usage key of a block that the event names. ``name``: the block's name in the course, the id that an old-style block has in
    pages (it says the block's type too), or a whole usage key. None if ``course_key`` is no key."""
    name = name.strip()
    if usage_key(name):
        return normal_usage_key(name)
    course = normal_course_key(course_key)
    if course is None:
        return None
    if course.startswith("lib:"):
        return f"lb:{course.removeprefix('lib:')}:{block_type}:{name}"
    if "+" not in course:
        org, number, _ = course.split("/")
        before = next((before for before in _in_pages(org, number) if name.startswith(before)), None)
        if before is not None and "-" in name[len(before) :]:
            block_type, _, name = name[len(before) :].partition("-")
        return f"i4x://{org}/{number}/{block_type}/{name}"
    namespace, _, rest = course.partition(":")
    return f"{_BLOCKS[namespace]}:{rest}+type@{block_type}+block@{name}"


def _in_pages(org: str, number: str) -> tuple[str, str]:
    """How the id of a block begins in pages: with ``_`` for each sign that an id of HTML cannot have; or with these signs."""
    before = f"i4x-{org}-{number}-"
    return _NO_WORD.sub("_", before), before


def _org_and_number(course_key: str) -> tuple[str, str]:
    parts = re.split("[+/:]", course_key)
    return (parts[0], parts[1]) if "/" in course_key else (parts[1], parts[2])


def shown_by_block(text: str, course_key: str | None) -> Shown | None:
    """The course that a statement shows by a block's key or name, if it is another course than the event's: ``course_key``, in normal
    form. None: no other course. An old-style key has no run: its course is the event's if organisation and number are. A text that is
    neither a key nor a name may show anything."""
    return _shown_by_block(text, course_key) if len(text) <= LONGEST else (None, None)


@remembered(16_384)
def _shown_by_block(text: str, course_key: str | None) -> Shown | None:
    text = text.strip()
    key = usage_key(text)
    org, number = _org_and_number(course_key) if course_key else ("", "")
    if key is not None:
        is_own = key.course == course_key if key.course else f"{org}/{number}" == key.old_course
        return None if is_own else (key.course, key.org)
    if text.startswith("i4x-") and not text.startswith(_in_pages(org, number)):
        return None, None
    return None if _is_name(text) else (None, None)
