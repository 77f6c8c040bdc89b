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

FIXTURES = Path(__file__).parent / "fixtures"
GOLDEN = {
    ("xapi", "enrollment", 1): "2b829bc8e52e2e12",
    ("xapi", "video", 1): "df0719f776ef41f2",
    ("xapi", "problem", 1): "080344bffd53d486",
    ("caliper", "enrollment", 1): "3d6848daf7b21cb6",
    ("caliper", "video", 1): "cb711f88d7fd2cde",
    ("caliper", "problem", 1): "b6d9e835f597d41c",
}


@pytest.mark.parametrize(("protocol", "family", "version"), GOLDEN)
def test_a_changed_mapping_has_a_new_version(translate: Callable[..., Any], protocol: str, family: str, version: int) -> None:
    assert version == import_module(f"edx2lrs.transforms.{protocol}.{family}").MAPPING_VERSION
    made = [
        translate(source, protocol)
        for path in sorted((FIXTURES / family).glob("*.json"))
        for source in json.loads(path.read_text(encoding="utf-8"))["sources"]
    ]
    found = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
    assert GOLDEN[protocol, family, version] == found
