from __future__ import annotations

import json
from typing import Any

import pytest

from edx2lrs.transforms.mapping.guard import CALIPER_CHECKS, XAPI_CHECKS, Invalid

SCORE = ("result", "score")
OBJECT_ID = ("object", "id")
GROUPING = ("context", "contextActivities", "grouping")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (SCORE, {"min": 0.0, "max": 2.0, "raw": 2.0, "scaled": 1.0}),
        (SCORE, {"min": 0.0}),
        (OBJECT_ID, "urn:uuid:1"),
        (OBJECT_ID, "https://x/é"),
        (GROUPING, [{"id": "https://x/1"}]),
    ],
)
def test_what_is_valid_passes_as_json(place: tuple[str, ...], value: Any) -> None:
    assert json.loads(XAPI_CHECKS[place](value)) == value


@pytest.mark.parametrize(
    ("place", "value", "clause"),
    [
        (OBJECT_ID, "/relative", "2.4.4.1"),
        (OBJECT_ID, "https://x/a b", "2.4.4.1"),
        (OBJECT_ID, "https://x/\x00", "2.4.4.1"),
        (OBJECT_ID, "http://[bad]/x", "2.4.4.1"),
        (OBJECT_ID, "svn+ssh://x/y", "2.4.4.1"),
        (OBJECT_ID, 5, "2.4.4.1"),
        (GROUPING, [{"id": "https://x/1"}, {"id": "bare"}], "2.4.4.1"),
        (GROUPING, {}, "2.4.4.1"),
        (SCORE, {"scaled": 1.5}, "2.4.5.1"),
        (SCORE, {"scaled": float("nan")}, "2.4.5.1"),
        (SCORE, {"min": 0.0, "raw": -1.0}, "2.4.5.1"),
        (SCORE, {"max": 1.0, "raw": 2.0}, "2.4.5.1"),
        (SCORE, {"min": 0.0, "max": 0.0}, "2.4.5.1"),
    ],
)
def test_what_is_broken_is_refused_with_the_clause(place: tuple[str, ...], value: Any, clause: str) -> None:
    with pytest.raises(Invalid) as caught:
        XAPI_CHECKS[place](value)
    assert clause in caught.value.refusal.message
    assert (caught.value.refusal.stage, caught.value.refusal.cause) == ("guard", "invalid")


@pytest.mark.parametrize(
    ("place", "value"), [(("referrer",), {"id": "no iri"}), (("referrer",), "no iri"), (OBJECT_ID, "no iri")]
)
def test_caliper_entities_have_iris(place: tuple[str, ...], value: Any) -> None:
    with pytest.raises(Invalid, match=place[0]):
        CALIPER_CHECKS[place](value)
