"""Finding the event's JSON object in a line of a log, whatever a logger put before it.

A learner decides about texts inside of an event. So no object inside of a broken one is ever taken for an event: an object counts
only when what is before it is no piece of JSON and nothing but white space follows it.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from edx2lrs.transforms.failure import Refusal

_OBJECT_START = re.compile(r'\{(?=[ \t]*["}])')
_JSON_PUNCTUATION = re.compile(r'"[ \t]*[:,\]}]')
_TOO_LARGE = 10**30
_KEYS_OF_AN_EVENT = frozenset({"name", "event", "event_type", "data"})


def _integer(digits: str) -> int | float:
    """Stand-ins for numbers beyond every declared field's range: Python refuses to convert 5,000 digits."""
    if len(digits) <= 20:
        return int(digits)
    return _TOO_LARGE if len(digits) <= 308 else math.inf


_decoder = json.JSONDecoder(parse_int=_integer)


def lenient_object(line: bytes) -> dict[str, Any] | Refusal:
    """The JSON object at the end of ``line``, as Python's ``json`` reads it: NaN, Infinity and lone surrogates are let through
    (for the caller to judge), of duplicate keys the last wins."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Refusal("parse", "not_utf8", f"byte {error.start + 1} of the line is not UTF-8")
    position = 0
    while start := _OBJECT_START.search(text, position):
        before = text[position : start.start()]
        if _JSON_PUNCTUATION.search(before) or before.count("}") > before.count("{"):
            return Refusal("parse", "not_json", "the line begins inside of a JSON object: its beginning is missing")
        try:
            found, end = _decoder.raw_decode(text, start.start())
        except RecursionError:
            return Refusal("parse", "too_deep", "arrays or objects are nested too deeply")
        except ValueError as error:
            where = f"byte {len(text[: getattr(error, 'pos', 0)].encode(errors='replace')) + 1}"
            return Refusal("parse", "not_json", f"the JSON object of the line is broken or cut off at {where}")
        if not text[end:].strip():
            return found if isinstance(found, dict) else _no_object()
        if not _KEYS_OF_AN_EVENT.isdisjoint(found):
            return Refusal(
                "parse", "not_json", "text follows the JSON object of the line; expected one object and nothing after it"
            )
        position = end  # a small object within the logger's prefix
    return _no_object()


def _no_object() -> Refusal:
    return Refusal("parse", "not_json", "no JSON object in the line; expected one event, after a log prefix or alone")


def lenient_value(text: str) -> Any:
    """The value of a JSON text; raises ValueError or RecursionError when it is none."""
    return _decoder.decode(text)
