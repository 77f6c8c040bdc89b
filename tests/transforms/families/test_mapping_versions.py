"""A mapping does not change by accident: the hash of what a family makes of its fixtures belongs to its version.

After a change on purpose, raise ``MAPPING_VERSION`` in the family's module and put the new hash here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parents[3] / "transforms" / "families"
GOLDEN = {
    ("xapi", "completion", 1): "62f442708dbbe799",
    ("xapi", "enrollment", 1): "e4a727407e11522d",
    ("xapi", "exam", 1): "ab215cc1e87bea58",
    ("xapi", "forum", 1): "c03e91d0ef2046be",
    ("xapi", "grading", 1): "e9de131991db148d",
    ("xapi", "video", 1): "1ec4b5105294a6a2",
    ("xapi", "problem", 1): "b321936f7e803517",
    ("xapi", "problem_progress", 1): "cc09c9ce065b28e4",
    ("xapi", "problem_help", 1): "cfd10c48da3b78b1",
    ("xapi", "navigation", 1): "353e9b8f13af4eda",
    ("caliper", "completion", 1): "d572d7f0b86c1f78",
    ("caliper", "enrollment", 2): "619a314ec5944ff4",
    ("caliper", "exam", 1): "54455482fafbd6d9",
    ("caliper", "forum", 1): "4ecdb1169b7e643c",
    ("caliper", "grading", 1): "b798f586d74eed11",
    ("caliper", "video", 1): "1f0c8461f748c77a",
    ("caliper", "problem", 1): "823caebd8175fea5",
    ("caliper", "problem_progress", 1): "2effc6a504d830f4",
    ("caliper", "problem_help", 1): "6e52c7c4b3508863",
    ("caliper", "navigation", 1): "e700180424882a67",
}


@pytest.mark.parametrize(("protocol", "family", "version"), GOLDEN)
def test_a_changed_mapping_has_a_new_version(translate: Callable[..., Any], protocol: str, family: str, version: int) -> None:
    assert version == import_module(f"edx2lrs.transforms.families.{family}.{protocol}").MAPPING_VERSION
    made = [
        translate(source, protocol)
        for path in sorted((FIXTURES / family / "examples").glob("*.json"))
        for source in json.loads(path.read_text(encoding="utf-8"))["sources"]
    ]
    found = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
    assert GOLDEN[protocol, family, version] == found
