"""Keys of courses and libraries.

| Key | |
|---|---|
| ``course-v1:ORG+COURSE+RUN`` | a course |
| ``ccx-v1:ORG+COURSE+RUN+ccx@1`` | a custom course: another course than the one that it was made of |
| ``library-v1:ORG+LIBRARY``, ``lib:ORG:LIBRARY`` | a library |
| ``ORG/COURSE/RUN`` | a course (until 2014) |

A key may also have a branch and a version (``+branch@draft+version@5f...``): they name a state of the same course.
"""

from __future__ import annotations

import re

from edx2lrs.transforms.formats.remembered import remembered

LONGEST = 500
"""Characters of a key. A longer text is no key, so that no expression sees it and nobody remembers it."""
ORG = r"[\w\-~.]+"
PART = r"[\w\-~.:]+"
STATE = rf"(?:\+branch@{PART})?(?:\+version@[a-f0-9]+)?"
NO_DOTS = r"(?!\.\.?(?:/|\Z))"
_COURSE_KEY = re.compile(
    rf"(course-v1:{ORG}\+{PART}\+{PART}){STATE}"
    rf"|(ccx-v1:{ORG}\+{PART}\+{PART}){STATE}(\+ccx@[0-9]+)"
    rf"|(library-v1:{ORG}\+{PART}){STATE}"
    rf"|(lib:{ORG}:{ORG})"
    rf"|({NO_DOTS}{ORG}/{NO_DOTS}{ORG}/{NO_DOTS}{ORG})"
)
_ORG = re.compile(rf"(?:course-v1|ccx-v1|library-v1|lib):({ORG})|({ORG})/")


def normal_course_key(text: str) -> str | None:
    """The key in ``text`` in the form that rules compare and statements show: without white space around the key, without branch and
    version. None if ``text`` is no key of a course or library."""
    return _normal(text) if len(text) <= LONGEST else None


@remembered(4096)  # a site has few courses
def _normal(text: str) -> str | None:
    found = _COURSE_KEY.fullmatch(text.strip())
    return "".join(filter(None, found.groups())) if found else None


def org_of(course_key: str) -> str | None:
    """The organisation of a course or library; None if ``course_key`` is no key."""
    key = normal_course_key(course_key)
    found = _ORG.match(key) if key else None
    return found[1] or found[2] if found else None


def is_library_key(course_key: str) -> bool:
    """Whether the key is the key of a library."""
    return course_key.startswith(("library-v1:", "lib:"))
