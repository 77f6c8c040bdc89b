"""Points for a problem, and that it is done, as xAPI statements."""

from __future__ import annotations

from edx2lrs.transforms.families.grading.xapi import full_marks
from edx2lrs.transforms.families.problem_help.problem_block import BLOCK, problem_block_iri
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows
from edx2lrs.transforms.mapping.xapi_score import score
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import ATTEMPTED, CMI_INTERACTION, COMPLETED, QUESTION, definition

MAPPING_VERSION = 2

ABOUT_THE_PROBLEM: Rows = (
    Row(("object", "id"), BLOCK, problem_block_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    *IN_COURSE,
)
POINTS: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(definition("type"), QUESTION),
    Row(("result", "score"), ("data.weighted_earned", "data.weighted_possible"), score),
    Row(("result", "success"), ("data.weighted_earned", "data.weighted_possible"), full_marks),
)
DONE: Rows = (*ABOUT_THE_PROBLEM, Constant(definition("type"), CMI_INTERACTION), Constant(definition("interactionType"), "other"))

MAPPINGS = {
    "edx.grades.problem.submitted": StatementMapping(ATTEMPTED, POINTS),
    "edx.problem.completed": StatementMapping(COMPLETED, DONE),
}
