"""Names of types: a public name of the product belongs to one module, so that a reader who meets the name knows what it means."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS = ("transforms", "io", "pipeline")
_is_type_name = re.compile(r"[A-Z]+[a-z]\w*").fullmatch


def types_of(module: ast.Module) -> Iterator[str]:
    """The public classes and the public aliases of types that a module defines."""
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        else:
            continue
        if _is_type_name(name):
            yield name


def owners() -> dict[str, set[str]]:
    """The modules that define each name."""
    found: dict[str, set[str]] = defaultdict(set)
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            for name in types_of(ast.parse(path.read_text(encoding="utf-8"))):
                found[name].add(path.relative_to(ROOT).as_posix())
    return found


def test_classes_and_aliases_are_found() -> None:
    module = ast.parse("class Dog: ...\nOwner = str\nPack: TypeAlias = list[Dog]\nLIMIT = 3\n_Fur = int\nclass _Tail: ...\nsize = 2")
    assert list(types_of(module)) == ["Dog", "Owner", "Pack"]


def test_a_public_type_name_has_one_owner() -> None:
    several = {name: sorted(modules) for name, modules in owners().items() if len(modules) > 1}
    assert several == {}
