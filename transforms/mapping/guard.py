"""The last check of a finished statement: a statement that its receiver would refuse is never sent. The check is cheap, since every
statement passes here.

Mappings make every required property, and parts that many statements share (actors, courses) were checked when they were made. The
guard checks values that depend on a record, by their place in the statement, while the statement is printed: identifiers and
scores. Numbers are finite since ``parse`` and ``transforms.mapping.values``. The complete rules are in ``transforms.validation``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite
from typing import Any

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.json_text import Json, json_text, remembered_json_text
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.formats.texts import is_iri

Check = Callable[[Any], Json]
"""Looks at a value and gives it as JSON. Raises Invalid."""


class Invalid(Exception):
    """A value that its standard does not allow at its place. ``instead``: what is left of the value."""

    def __init__(self, path: str, expected: str, clause: str, instead: dict[str, float] | None = None):
        super().__init__(path)
        self.refusal = Refusal("guard", "invalid", f"{path}: expected {expected} ({clause})")
        self.cause = self.refusal.cause
        self.instead = instead


def iri(path: str, clause: str, expected: str = "an absolute IRI", is_one: Callable[[str], bool] = is_iri) -> Check:
    """The check of an identifier: an absolute IRI (RFC 3987)."""

    @remembered(16_384)  # a site has few activities, and many statements about each
    def checked_iri(value: Any) -> Json:
        if not isinstance(value, str) or not is_one(value):
            raise Invalid(path, expected, clause)
        return remembered_json_text(value)

    return checked_iri


def is_activity_id(text: str) -> bool:
    """An IRI that all LRSs accept: Learning Locker accepts no ``-``, ``+`` and ``.`` in a scheme, which links may have."""
    return is_iri(text) and text.partition(":")[0].isalnum()


def score(value: dict[str, float]) -> Json:
    """xAPI 1.0.3, 2.4.5.1: ``scaled`` from -1 to 1, ``raw`` from ``min`` to ``max``; all finite. Of another score, ``raw`` is left."""
    usual = len(value) == 4 and -1 <= value["scaled"] <= 1 and -inf < value["min"] <= value["raw"] <= value["max"] < inf
    if not usual:
        _judge(value)
    return json_text(value)


def _judge(value: dict[str, float]) -> None:
    clause = "xAPI 1.0.3, 2.4.5.1"
    scaled, raw = value.get("scaled"), value.get("raw")
    low, high = value.get("min", -inf), value.get("max", inf)
    points = {"raw": raw} if raw is not None and isfinite(raw) else None
    if not all(map(isfinite, value.values())):
        raise Invalid("result.score", "finite numbers", clause, points)
    if scaled is not None and not -1 <= scaled <= 1:
        raise Invalid("result.score.scaled", "a number from -1 to 1", clause, points)
    if raw is not None and not low <= raw <= high:
        raise Invalid("result.score.raw", "a number from min to max", clause, points)
    if not low < high:
        raise Invalid("result.score.max", "a number above min", clause, points)


def activities(path: str) -> Check:
    """The check of context activities (xAPI 1.0.3, 2.4.6.2): the id of each activity is an IRI."""
    check = iri(f"{path}.id", "xAPI 1.0.3, 2.4.4.1")

    def checked_activities(value: Any) -> Json:
        for activity in value if isinstance(value, list) else [value]:
            check(activity.get("id"))
        return json_text(value)

    return checked_activities


def entity(path: str) -> Check:
    """The check of a Caliper entity (Caliper 1.2, Identifiers): its id is an IRI. The entity is an object, or the IRI alone."""
    check = iri(f"{path}.id", "Caliper 1.2, Identifiers")

    def checked_entity(value: Any) -> Json:
        check(value.get("id") if isinstance(value, dict) else value)
        return json_text(value)

    return checked_entity


XAPI_CHECKS: dict[tuple[str, ...], Check] = {
    ("object", "id"): iri("object.id", "xAPI 1.0.3, 2.4.4.1", "an absolute IRI, its scheme of letters and digits", is_activity_id),
    ("result", "score"): score,
    ("context", "contextActivities", "grouping"): activities("context.contextActivities.grouping"),
    ("context", "contextActivities", "other"): activities("context.contextActivities.other"),
    ("context", "contextActivities", "category"): activities("context.contextActivities.category"),
}
CALIPER_CHECKS: dict[tuple[str, ...], Check] = {
    ("object", "id"): iri("object.id", "Caliper 1.2, Identifiers"),
    ("target",): entity("target"),
    ("target", "id"): iri("target.id", "Caliper 1.2, Identifiers"),
    ("generated", "id"): iri("generated.id", "Caliper 1.2, Identifiers"),
    ("referrer",): entity("referrer"),
}
