"""Durations as a person writes them: ``60s``, ``0.2s``, ``100ms``, ``5m``, ``2h``, ``400d``, or seconds as a number."""

from __future__ import annotations

import math
import re

from edx2lrs.transforms.formats.unfit import UnfitError, kind_of

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PATTERN = rf"([0-9]+(\.[0-9]+)?)\s*({'|'.join(_UNITS)})"
_EXPECTED = "a duration above 0 such as 60s, 0.2s, 100ms, 5m"
SCHEMA = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": f"^{_PATTERN}$"}]}
"""The durations in JSON Schema."""


def seconds(value: object) -> float:
    """The seconds of a duration. Raises UnfitError."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        found, result = str(value)[:40], _finite(value)
    elif isinstance(value, str):
        match = re.fullmatch(_PATTERN, value)
        if match is None:
            raise UnfitError("text that is no duration", _EXPECTED)
        found, result = value[:40], _finite(match[1]) * _UNITS[match[3]]
    else:
        raise UnfitError(kind_of(value), _EXPECTED)
    if not 0 < result < math.inf:
        raise UnfitError(found, _EXPECTED)
    return result


def written(duration: float) -> str:
    """Seconds as a duration: ``0.2s``."""
    return f"{duration:g}s"


def _finite(number: str | int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
