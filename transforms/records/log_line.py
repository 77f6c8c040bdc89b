"""Finds the event's JSON object in a line of a log, after any prefix of a logger.

Learners write texts inside an event. So an object inside a broken event is never taken for an event. An object counts only if the
text before the object is no piece of JSON, and only white space follows the object.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from edx2lrs.transforms.failure import Refusal

_OBJECT_START = re.compile(r'\{(?=[ \t]*["}])')
_JSON_PUNCTUATION = re.compile(r'"[ \t]*[:,\]}]')
_is_not_space = re.compile(r"\S").search
OBJECTS_IN_A_PREFIX = 100
"""A logger writes no more objects before an event."""
_TOO_LARGE = 10**30
_KEYS_OF_AN_EVENT = frozenset({"name", "event", "event_type", "data"})


def _integer(digits: str) -> int | float:
    """A substitute for a number beyond the range of every declared field: Python refuses to convert 5,000 digits."""
    if len(digits) <= 20:
        return int(digits)
    return _TOO_LARGE if len(digits) <= 308 else math.inf


_decoder = json.JSONDecoder(parse_int=_integer)


def lenient_object(line: bytes) -> dict[str, Any] | Refusal:
    """The JSON object at the end of ``line``, as Python's ``json`` reads the object. NaN, Infinity and half surrogate pairs pass,
    and the caller judges these values. If a key comes twice, the last value wins."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Refusal("parse", "not_utf8", f"byte {error.start + 1} of the line is not UTF-8")
    position = 0
    for _ in range(OBJECTS_IN_A_PREFIX):
        start = _OBJECT_START.search(text, position)
        if start is None:
            break
        read = object_at(text, start.start(), text[position : start.start()])
        if isinstance(read, Refusal):
            return read
        found, position = read
        if not _is_not_space(text, position):
            return found
        if not _KEYS_OF_AN_EVENT.isdisjoint(found):
            return Refusal("parse", "not_json", "text follows the JSON object of the line; expected one object and nothing after it")
    return Refusal("parse", "not_json", "no JSON object in the line; expected one event, after a log prefix or alone")


def object_at(text: str, start: int, before: str) -> tuple[dict[str, Any], int] | Refusal:
    """The JSON object that begins at ``start``, and where the object ends. ``before``: the text of the logger in front of the
    object."""
    if _JSON_PUNCTUATION.search(before) or before.count("}") > before.count("{"):
        return Refusal("parse", "not_json", "the line begins inside of a JSON object: its beginning is missing")
    try:
        found, end = _decoder.raw_decode(text, start)
    except RecursionError:
        return Refusal("parse", "too_deep", "arrays or objects are nested too deeply")
    except ValueError as error:
        where = f"byte {len(text[: getattr(error, 'pos', 0)].encode(errors='replace')) + 1}"
        return Refusal("parse", "not_json", f"the JSON object of the line is broken or cut off at {where}")
    return found, end


def lenient_value(text: str) -> Any:
    """The value of a JSON text. Raises ValueError or RecursionError if the text is no JSON."""
    return _decoder.decode(text)
