"""The import graph of the product: imports go down only, and nothing imports itself by a detour.

Every import counts: those inside of functions and those under ``TYPE_CHECKING`` too."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("transforms", "io", "pipeline")
"""From the bottom up: a file imports files of its own floor and of the floors below."""
ROOMS_OF_TRANSFORMS = (
    ("auth", "event_sources"),
    ("causes", "config_types", "counters", "fields"),
    ("failure",),
    ("formats",),
    ("keys",),
    ("event", "validation"),
    ("people",),
    ("mapping",),
    ("families",),
    ("records",),
    ("matching", "packing", "privacy"),
    ("translate",),
    ("library", "site_translator"),
    ("__init__",),
)
"""The files and folders of ``transforms/`` from the bottom up: a room imports only rooms of the lines above it."""

Graph = Mapping[str, frozenset[str]]


def names(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every module of the product by its import name."""
    for path in sorted(folder.rglob("*.py")):
        parts = ("edx2lrs", *path.relative_to(ROOT).with_suffix("").parts)
        yield ".".join(parts).removesuffix(".__init__"), path


MODULES = {name: path for floor in FLOORS for name, path in names(ROOT / floor)}


def imported(path: Path) -> Iterator[str]:
    """The modules of the product that a file names in its imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from (name for name in [whole if whole in MODULES else node.module] if name in MODULES)


@cache
def graph_of_files() -> Graph:
    return {name: frozenset(imported(path)) - {name} for name, path in MODULES.items()}


def graph_of_rooms(folder: str) -> Graph:
    """The files and folders that lie directly in ``folder``, and which of them import which."""
    prefix = f"edx2lrs.{folder.replace('/', '.')}"

    def room(name: str) -> str | None:
        if name == prefix:
            return "__init__"
        return name.removeprefix(f"{prefix}.").partition(".")[0] if name.startswith(f"{prefix}.") else None

    found: dict[str, set[str]] = {}
    for name, targets in graph_of_files().items():
        own = room(name)
        if own is not None:
            found.setdefault(own, set()).update(target for target in map(room, targets) if target is not None and target != own)
    return {name: frozenset(targets) for name, targets in found.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Groups of modules each of which reaches all others of its group (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for target in graph.get(name, ()):
            if target not in index:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], index[target])
        if lowest[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in graph:
        if name not in index:
            visit(name)
    return found


def folders() -> Iterable[str]:
    paths = {path.parent.relative_to(ROOT).as_posix() for path in MODULES.values()}
    return sorted(paths)


def test_a_circle_is_found() -> None:
    assert circles({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")}) == [["a", "b", "c"]]


def test_no_file_imports_itself_by_a_detour() -> None:
    assert circles(graph_of_files()) == []


@pytest.mark.parametrize("folder", folders())
def test_no_folder_has_a_circle_of_files_and_folders(folder: str) -> None:
    assert circles(graph_of_rooms(folder)) == []


def test_floors_import_only_downwards() -> None:
    def floor(name: str) -> int:
        return FLOORS.index(name.split(".")[1])

    upwards = [(name, target) for name, targets in graph_of_files().items() for target in targets if floor(target) > floor(name)]
    assert upwards == []


def test_rooms_of_transforms_import_only_rooms_below_them() -> None:
    level = {room: number for number, rooms in enumerate(ROOMS_OF_TRANSFORMS) for room in rooms}
    graph = graph_of_rooms("transforms")
    assert set(graph) == set(level), "each room of transforms/ has its place in ROOMS_OF_TRANSFORMS"
    assert [(room, target) for room, targets in graph.items() for target in targets if level[target] >= level[room]] == []


def test_configuration_types_bring_no_mapping_along() -> None:
    program = "import sys, edx2lrs.transforms.config_types; print(sorted(name for name in sys.modules if name.startswith('edx2lrs.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert len(ast.literal_eval(done.stdout)) <= 3, done.stdout
