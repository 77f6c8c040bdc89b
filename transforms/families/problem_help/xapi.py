"""Answers and hints that learners ask for, as xAPI statements."""

from __future__ import annotations

from edx2lrs.transforms.families.problem_help.problem_block import BLOCK, hint_iri, problem_block_iri
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Row, Rows
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import ASKED, RESOURCE, SOLUTION, SUPPLEMENTAL_INFO, definition

MAPPING_VERSION = 2


def answer_iri(root: str, problem_id: object, module_id: object, block: object) -> str | None:
    """``<problem>/answer``."""
    problem = problem_block_iri(root, problem_id, module_id, block)
    return f"{problem}/answer" if problem else None


ANSWER: Rows = (
    Row(("object", "id"), BLOCK, answer_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), SOLUTION),
    *IN_COURSE,
)
HINT: Rows = (
    Row(
        ("object", "id"), ("site.root", "data.module_id", "data.problem_id", "context.module.usage_key", "data.hint_index"),
        hint_iri, required=True,
    ),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), SUPPLEMENTAL_INFO, AS_ERB),
    Constant(definition("type"), RESOURCE, STANDARD),  # supplemental-info is an extension of its profile, no type
    *IN_COURSE,
)

MAPPINGS = {"showanswer": StatementMapping(ASKED, ANSWER), "edx.problem.hint.demandhint_displayed": StatementMapping(ASKED, HINT)}
