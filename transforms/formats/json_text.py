"""Finished JSON, which generated functions put into a statement without change."""

from __future__ import annotations

from typing import Annotated, Any

import orjson

Json = Annotated[bytes, "the JSON text of one value, in UTF-8"]
"""A mapping's function that declares it as its result is trusted with the text."""

json_text = orjson.dumps
"""A value as compact JSON. Raises TypeError for what JSON cannot hold."""


def remembered_json_text(value: Any) -> Json:
    """``json_text`` for a cache. orjson keeps each text in a block of 4 KiB; a copy takes only the length of the text."""
    return bytes(memoryview(json_text(value)))
