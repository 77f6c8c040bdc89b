"""Answers and hints that learners look at, as Caliper events."""

from __future__ import annotations

from edx2lrs.transforms.families.problem_help.problem_block import BLOCK, hint_iri, problem_block_iri
from edx2lrs.transforms.mapping.caliper_event import OF_COURSE, EventMapping
from edx2lrs.transforms.mapping.caliper_vocabulary import ANNOTATION, EVENT, GENERAL_PROFILE, VIEWED
from edx2lrs.transforms.mapping.rows import STANDARD, Constant, Row, Rows

MAPPING_VERSION = 2


def solution_iri(root: str, problem_id: object, module_id: object, block: object) -> str | None:
    """``<problem>/solution``."""
    problem = problem_block_iri(root, problem_id, module_id, block)
    return f"{problem}/solution" if problem else None


SOLUTION: Rows = (
    Constant(("profile",), GENERAL_PROFILE, STANDARD),
    Row(("object", "id"), BLOCK, solution_iri, required=True),
    Constant(("object", "type"), ANNOTATION),
    Constant(("object", "name"), "Solution"),
    *OF_COURSE,
)
HINT: Rows = (
    Constant(("profile",), GENERAL_PROFILE, STANDARD),
    Row(("object", "id"), (*BLOCK, "data.hint_index"), hint_iri, required=True),
    Constant(("object", "type"), ANNOTATION),
    Constant(("object", "name"), "Hint"),
    *OF_COURSE,
)

MAPPINGS = {
    "showanswer": EventMapping(EVENT, VIEWED, SOLUTION),
    "edx.problem.hint.demandhint_displayed": EventMapping(EVENT, VIEWED, HINT),
}
