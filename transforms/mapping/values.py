"""How single values become values of statements, in the same way for every event and protocol."""

from __future__ import annotations

import json
import math
from typing import Any

from edx2lrs.transforms.formats.json_text import Json
from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.mapping.rows import Unmappable

_SUCCESS = {"correct": True, "partially-correct": True, "true": True, "1": True, "incorrect": False, "false": False, "0": False}
_json_text = json.JSONEncoder(ensure_ascii=False).encode
_quoted = json.encoder.encode_basestring


def number(value: object) -> int | float:
    """A finite number, unchanged. Every other value is refused."""
    if type(value) is int or type(value) is float:
        return value
    raise Unmappable(f"expected a number, found {json_type(value)}")


def seconds(value: object) -> float:
    """Seconds, from a number (finite, as ``parse`` gives it), a text with a number (``"12.5"``), or a boolean as 0 or 1."""
    try:
        read = float(value)  # type: ignore[arg-type]  # what float() does not take is refused
    except (ValueError, TypeError, OverflowError):
        raise Unmappable(f"expected a number of seconds, found {json_type(value)}") from None
    if not math.isfinite(read):
        raise Unmappable("expected a finite number of seconds, found a text for infinity or NaN", "not_finite")
    return read


def milliseconds(value: object) -> Json:
    """Seconds with three decimals, rounded."""
    return b"%.3f" % (value if type(value) is float else seconds(value))


def milliseconds_of_aspects(value: object) -> Json:
    """As ``milliseconds``, for the SQL of Aspects (``Decimal32(2)``). Raises Unmappable from ten million seconds on: such a statement
    spoils the whole block of an insert."""
    if abs(value if type(value) is float else seconds(value)) >= 9_999_999.99:
        raise Unmappable("expected a position below 9,999,999.99 seconds, which Aspects needs, found another", "unfit_for_aspects")
    return milliseconds(value)


def success(value: object) -> bool | None:
    """Whether an answer was right; None if the record does not say. ``correct`` is a word of Open edX, or a boolean."""
    if value is None or type(value) is bool:
        return value
    if type(value) is str:
        return _SUCCESS.get(value.lower())
    return bool(value)


def response_text(value: object) -> str | None:
    """An answer as one text, the form that xAPI has for answers (1.0.3, section 2.4.5). An answer that is no text becomes JSON."""
    if value is None or value == "":
        return None
    if type(value) is str:
        return value
    if type(value) is list and set(map(type, value)) == {str}:  # the encoder would say the same, slower
        return f"[{', '.join(map(_quoted, value))}]"
    return _json_text(value)


def absolute(root: str, path: str, value: Any) -> str | None:
    """``Root/path/value``; None without a value."""
    return None if value is None or value == "" else f"{root}/{path}/{value}"


def first(*values: Any) -> Any:
    """The first value that is not missing."""
    for value in values:
        if value is not None and value != "":
            return value
    return None
