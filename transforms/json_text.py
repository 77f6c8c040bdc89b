"""Finished JSON as text: what generated functions put into a statement as it is."""

from __future__ import annotations

from typing import Annotated, Any

import orjson

Json = Annotated[str, "the JSON text of one value"]
"""A mapping's function that declares it as its result is trusted with the text."""


def json_text(value: Any) -> Json:
    """``value`` as compact JSON. Raises TypeError (orjson) for what JSON cannot hold."""
    return orjson.dumps(value).decode()
