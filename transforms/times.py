"""The time of an event, in the one text form that statement ids are made of.

The form is UTC as Python's ``datetime.isoformat`` prints it: ``2023-05-23T13:53:13.460372+00:00``, six digits of fraction or,
when they are all 0, none. Whatever form a record's time has, the same instant gives the same text.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import aniso8601

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.json_type import json_type

_is_canonical = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(?!000000)\d{6})?\+00:00", re.ASCII).fullmatch
_HOUR_24 = re.compile(r"\d[T ]24(?::?00)*(?:[.,]0+)?(?![\d:])")


def canonical_time(value: object) -> str | Refusal:
    """The canonical text of ``value``: ISO 8601 text with a zone (``T`` or a space between date and time), or a number of seconds
    since 1970 (UTC). More than six digits of fraction are cut; ``T24:00:00`` is the beginning of the next day."""
    if type(value) is str:
        if _is_canonical(value):
            try:
                datetime.fromisoformat(value)  # is there such a day and hour?
                return value
            except ValueError:
                pass
        return _from_text(value)
    if type(value) is int or type(value) is float:
        return _from_seconds(value)
    return _bad_time(f"expected ISO 8601 text or a number of seconds, found {json_type(value)}")


def _from_text(text: str) -> str | Refusal:
    try:
        time = aniso8601.parse_datetime(text.replace(" ", "T", 1))
        if time.tzinfo is None:
            return _bad_time("expected a time with its zone (Z or an offset such as +00:00), found none")
        if _HOUR_24.search(text):
            time += timedelta(days=1)
        return str(time.astimezone(timezone.utc).isoformat())
    except (ValueError, OverflowError, NotImplementedError, AttributeError, TypeError):
        # aniso8601 raises all of these on text that is no time
        return _bad_time("expected ISO 8601 such as 2023-05-23T13:53:13.460372+00:00, found another text")


def _from_seconds(seconds: float) -> str | Refusal:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat()
    except (ValueError, OverflowError, OSError):
        return _bad_time("expected seconds since 1970, found a number outside the years 1 to 9999")


def _bad_time(message: str) -> Refusal:
    return Refusal("parse", "bad_time", f"timestamp: {message}")


def caliper_time(canonical: str) -> str:
    """The canonical text in Caliper's form (Caliper 1.2, section 2: ISO 8601 with milliseconds, UTC): cut, not rounded."""
    return f"{canonical[:19]}.{canonical[20:23] if canonical[19] == '.' else '000'}Z"
