"""Finished JSON: what generated functions put into a statement as it is."""

from __future__ import annotations

from typing import Annotated, Any

import orjson

Json = Annotated[bytes, "the JSON text of one value, in UTF-8"]
"""A mapping's function that declares it as its result is trusted with the text."""

json_text = orjson.dumps
"""A value as compact JSON. Raises TypeError for what JSON cannot hold."""


def remembered_json_text(value: Any) -> Json:
    """``json_text`` for a cache. orjson leaves each text in the block that it wrote it to, of 4 KiB; a copy is as long as it is."""
    return bytes(memoryview(json_text(value)))
