"""The time of an event, in the text form from which statement ids are made.

The form is UTC as Python's ``datetime.isoformat`` prints a time: ``2023-05-23T13:53:13.460372+00:00``. The fraction has six digits;
a fraction of 0 is left out. The same instant gives the same text, whatever form the record's time has.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import aniso8601

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.json_text import Json
from edx2lrs.transforms.formats.json_type import json_type

_is_usual = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{3}|\.\d{6})?(?:Z|\+\d\d:\d\d|-(?!00:00)\d\d:\d\d)", re.ASCII
).fullmatch
_LONGEST = 100  # characters
_HOUR_24 = re.compile(r"\d[T ]24(?::?00)*(?:[.,]0+)?(?![\d:])")


def canonical_time(value: object) -> str | Refusal:
    """The canonical text of ``value``: ISO 8601 text with a zone (``T`` or a space between date and time), or a number of seconds
    since 1970 (UTC). More than six digits of fraction are cut; ``T24:00:00`` is the beginning of the next day.
    None and "" are refused as ``no_time``, all else as ``bad_time``."""
    if type(value) is str and value:
        # Every sign that is no digit stands where the canonical form has it; the first slice takes all separators before the fraction.
        if (value[4:20:3] == "--T::." and value[26:] == "+00:00" and value[20:26] != "000000") or (
            value[4:20:3] == "--T::+" and value[19:] == "+00:00"
        ):
            try:
                datetime.fromisoformat(value)  # only digits between the separators, and such a day and hour
                return value
            except ValueError:
                pass
        elif value[4:20:3] == "--T::." and value[26:] == "Z" and value[20:26] != "000000":
            try:
                datetime.fromisoformat(value[:26])
                return f"{value[:26]}+00:00"
            except ValueError:
                pass
        return _from_usual_text(value) or _from_text(value)
    if value is None or value == "":
        return Refusal("parse", "no_time", "timestamp and time are missing; expected one of them")
    if type(value) is int or type(value) is float:
        return _from_seconds(value)
    return _bad_time(f"expected ISO 8601 text or a number of seconds, found {json_type(value)}")


def _from_usual_text(text: str) -> str | None:
    """The result of ``_from_text``, ten times as fast. None for a text that only ``_from_text`` can judge."""
    if not _is_usual(text):
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).isoformat()
    except (ValueError, OverflowError):
        return None


def _from_text(text: str) -> str | Refusal:
    if len(text) > _LONGEST:
        return _bad_time("expected ISO 8601 such as 2023-05-23T13:53:13.460372+00:00, found a long text")
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


def caliper_time(canonical: str) -> Json:
    """The canonical text in Caliper's form (Caliper 1.2, section 2: ISO 8601 with milliseconds, UTC): cut, not rounded."""
    return f'"{canonical[:23]}Z"'.encode() if canonical[19] == "." else f'"{canonical[:19]}.000Z"'.encode()
