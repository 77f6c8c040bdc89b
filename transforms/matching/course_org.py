"""The organisation that runs a course, from the course key."""

from __future__ import annotations

from functools import lru_cache

_PLUS_KEYS = ("course-v1:", "ccx-v1:", "library-v1:")


@lru_cache(4096)
def org_of(course_id: str) -> str | None:
    """The organisation of ``course-v1:ORG+COURSE+RUN``, ``ccx-v1:ORG+COURSE+RUN+ccx@1``, ``library-v1:ORG+LIBRARY``,
    ``lib:ORG:LIBRARY`` or the old ``ORG/COURSE/RUN``; None when the text is none of these."""
    org = ""
    if course_id.startswith(_PLUS_KEYS):
        org, plus, _ = course_id.partition(":")[2].partition("+")
        org = org if plus else ""
    elif course_id.startswith("lib:"):
        org, colon, _ = course_id.removeprefix("lib:").partition(":")
        org = org if colon else ""
    elif course_id.count("/") == 2 and ":" not in course_id:
        org = course_id.partition("/")[0]
    return org or None
