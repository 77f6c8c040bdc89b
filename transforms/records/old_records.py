"""What records of former years have at other places, or under other names, than records of today.

| Records before | |
|---|---|
| 15 Jun 2013 | a time without a zone: UTC |
| 23 Oct 2013 | no context: the address of the page names the course |
| Dec 2014 | mobile apps name a video by ``module_id`` (``SourceEvent.old_fields``) |
| 3 May 2016 | ``seq_goto``, ``seq_next`` and ``seq_prev``, with ``old`` and ``new`` for the tabs |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.times import canonical_time
from edx2lrs.transforms.keys.course_key import normal_course_key
from edx2lrs.transforms.keys.links import course_in
from edx2lrs.transforms.keys.usage_key import usage_key

_has_no_zone = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?", re.ASCII).fullmatch


def time_of_log(refused: Refusal, time: object, timestamp: object) -> str | Refusal:
    """The canonical time of a log line whose time was refused: the log's times are UTC, also where they do not say so."""
    without_zone = timestamp is None and type(time) is str and len(time) < 30 and _has_no_zone(time)
    return canonical_time(f"{time}+00:00") if without_zone else refused


def with_new_names(payload: Any, old_fields: Mapping[str, str]) -> Any:
    """The payload with the names of today for fields that have an old name."""
    if not isinstance(payload, dict):
        return payload
    missing = {new: payload[old] for old, new in old_fields.items() if old in payload and payload.get(new) in (None, "")}
    return {**payload, **missing} if missing else payload


def course_elsewhere(record: Mapping[str, Any], context: Any, payload: Any, keys: Iterable[object]) -> str | None:
    """The course of a record whose context names no course: from the payload, else from the address of the page, else from the usage
    ``keys`` in the payload."""
    if isinstance(payload, dict) and isinstance(payload.get("course_id"), str):
        named = normal_course_key(payload["course_id"])
        if named:
            return named
    for place in (record, context):
        page = place.get("page") if isinstance(place, dict) else None
        found = course_in(page) if isinstance(page, str) else None
        if found:
            return found
    blocks = (usage_key(key) for key in keys if isinstance(key, str))
    return next((block.course for block in blocks if block and block.course), None)
