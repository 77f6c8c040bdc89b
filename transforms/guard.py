"""The last look at a finished statement: what a receiver would refuse is never sent. Cheap, since every statement passes here.

Mappings make what is required anyway, and what is the same for many statements (actors, courses) was checked when it was made.
The guard looks at what depends on a record's own values: identifiers and scores. Numbers are finite since ``parse`` and
``transforms.values``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf, isfinite
from typing import Any

from edx2lrs.transforms.failure import Refusal

_well_formed = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f-\x9f]+").fullmatch


@lru_cache(16_384)  # a site has few activities, and many statements about each
def _is_iri(text: str) -> bool:
    """RFC 3987: a scheme, then none of the characters that an IRI cannot have."""
    return _well_formed(text) is not None


def guard_xapi(statement: dict[str, Any]) -> Refusal | None:
    """Why ``statement`` is no valid xAPI 1.0.3, or None."""
    if not _is_iri(statement["object"]["id"]):
        return _broken("object.id", "an absolute IRI", "xAPI 1.0.3, 2.4.4.1")
    score = statement["result"].get("score") if "result" in statement else None
    return None if score is None or _is_usual(score) else _guard_score(score)


def _is_usual(score: dict[str, float]) -> bool:
    """Whether a score has all four numbers, as nearly always, and these are right."""
    return len(score) == 4 and -1 <= score["scaled"] <= 1 and -inf < score["min"] <= score["raw"] <= score["max"] < inf


def _guard_score(score: dict[str, float]) -> Refusal | None:
    clause = "xAPI 1.0.3, 2.4.5.1"
    scaled, raw = score.get("scaled"), score.get("raw")
    for value in score.values():
        if not isfinite(value):
            return _broken("result.score", "finite numbers", clause)
    if scaled is not None and not -1 <= scaled <= 1:
        return _broken("result.score.scaled", "a number from -1 to 1", clause)
    if raw is not None and not score.get("min", raw) <= raw <= score.get("max", raw):
        return _broken("result.score.raw", "a number from min to max", clause)
    return None


def guard_caliper(event: dict[str, Any]) -> Refusal | None:
    """Why ``event`` is no valid Caliper 1.2, or None."""
    for part in ("actor", "object", "session"):
        entity = event.get(part)
        if entity is not None and not _is_iri(entity["id"]):
            return _broken(f"{part}.id", "an absolute IRI", "Caliper 1.2, 3.3")
    return None


def _broken(path: str, expected: str, clause: str) -> Refusal:
    return Refusal("guard", "invalid", f"{path}: expected {expected} ({clause})")
