"""The examples of families: events, and the statements that the events become."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import orjson

from edx2lrs.transforms.config_types import Dialect, Protocol
from edx2lrs.transforms.families.packages import Package, module_of


class Example(NamedTuple):
    """One file: an event in the shapes in which it comes (``sources``), and its statements in the dialects standard and erb."""

    path: Path
    sources: list[dict[str, Any]]
    statements: dict[Dialect, dict[Protocol, list[dict[str, Any]]]]

    @property
    def name(self) -> str:
        """The event's name: that of the file, without what stands in brackets (``problem_check (browser).json``)."""
        return name_of(self.path)


def examples_of(package: Package) -> list[Path]:
    """The files of a package's folder ``examples``, sorted by the event's name. None where the package came without examples."""
    module = module_of(package, "events")
    folder = Path((module and module.__file__) or "").parent / "examples"
    return sorted(folder.glob("*.json"), key=lambda path: path.stem)


def name_of(path: Path) -> str:
    return path.stem.split(" (")[0]


def read_example(path: Path) -> Example:
    found = orjson.loads(path.read_bytes())
    standard: dict[Protocol, list[dict[str, Any]]] = {"xapi": found["xapi"], "caliper": found["caliper"]}
    return Example(path, found["sources"], {"standard": standard, "erb": found.get("erb", standard)})
