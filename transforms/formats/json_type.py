"""How messages call the types of JSON values."""

from __future__ import annotations

_NAMES = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null", int: "a number", float: "a number"}


def json_type(value: object) -> str:
    """The JSON name of a Python value's type, with its article."""
    return _NAMES.get(type(value), type(value).__name__)
