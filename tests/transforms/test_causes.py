"""The table of causes: whole, and with every cause that the code names, at the stage where the code names the cause.

That a cause is a word of ``Cause`` at all is held by mypy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from edx2lrs.transforms.causes import DEAD, FILTERED, Cause, FilterReason, Stage

ROOT = Path(__file__).parents[2]
CAUSE_OF = {"Unmappable": ("translate", 1), "_Refused": ("parse", 0), "Damaged": ("read", 0), "Damage": ("read", 0)}
"""What is raised or made with a cause alone: the stage that it belongs to, and which argument the cause is."""


def test_every_cause_and_every_reason_has_a_row() -> None:
    assert {cause for row in DEAD for cause in row.causes} == set(get_args(Cause))
    assert [row.reason for row in FILTERED] == list(get_args(FilterReason))


def test_a_cause_means_one_thing_at_a_stage() -> None:
    pairs = [(stage, cause) for row in DEAD for stage in row.stages for cause in row.causes]
    assert len(pairs) == len(set(pairs))


def test_every_row_says_what_to_do() -> None:
    assert all(row.meaning and row.advice for row in (*DEAD, *FILTERED))


def test_the_code_names_causes_of_the_table() -> None:
    known = {(stage, cause) for row in DEAD for stage in row.stages for cause in row.causes}
    named = {pair for path in product() for pair in pairs_of(path)}
    assert len(named) > 25
    assert named - known == set()


def product() -> Iterator[Path]:
    for floor in ("transforms", "io", "pipeline"):
        yield from (ROOT / floor).rglob("*.py")


def pairs_of(path: Path) -> Iterator[tuple[str, str]]:
    """Stages with causes, as far as they are written in the calls that make refusals and failures."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        texts = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
        if node.func.id in ("Refusal", "Failure") and len(texts) > 1 and texts[0] in get_args(Stage) and isinstance(texts[1], str):
            yield str(texts[0]), texts[1]
        elif node.func.id in CAUSE_OF:
            stage, at = CAUSE_OF[node.func.id]
            if len(texts) > at and isinstance(texts[at], str):
                yield stage, str(texts[at])
