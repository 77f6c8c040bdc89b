"""Scores (xAPI 1.0.3, 2.4.5.1)."""

from __future__ import annotations

from edx2lrs.transforms.mapping.values import number


def score(grade: object, max_grade: object) -> dict[str, float]:
    """The score of ``grade`` points of ``max_grade``, without ``max`` (which must be greater than ``min``) if that is 0."""
    earned = float(grade) if type(grade) is float or type(grade) is int else _number(grade)
    possible = float(max_grade) if type(max_grade) is float or type(max_grade) is int else _number(max_grade)
    if earned is not None and possible is not None and possible > 0:  # nearly always
        return {"min": 0.0, "max": possible, "raw": earned, "scaled": earned / possible}
    made = {"min": 0.0}
    if possible is not None and possible > 0:
        made["max"] = possible
    if earned is not None:
        made["raw"] = earned
        if possible is not None:
            made["scaled"] = 0.0
    return made


def _number(value: object) -> float | None:
    return None if value is None or value == "" else float(number(value))
