"""Problems that are submitted for points, or done, as Caliper events (Caliper 1.2, Assessment Profile)."""

from __future__ import annotations

from edx2lrs.transforms.families.problem_help.problem_block import BLOCK, problem_block_iri
from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import AN_ATTEMPT, IN_COURSE, EventMapping
from edx2lrs.transforms.mapping.rows import STANDARD, Constant, Row, Rows

MAPPING_VERSION = 2

ABOUT_THE_PROBLEM: Rows = (
    Constant(("profile",), terms.ASSESSMENT_PROFILE, STANDARD),
    Row(("object", "id"), BLOCK, problem_block_iri, required=True),
    *IN_COURSE,
)
POINTS: Rows = (
    *ABOUT_THE_PROBLEM,
    Constant(("object", "type"), terms.ASSESSMENT),
    *AN_ATTEMPT,
)
DONE: Rows = (*ABOUT_THE_PROBLEM, Constant(("object", "type"), terms.ASSESSMENT_ITEM))

MAPPINGS = {
    "edx.grades.problem.submitted": EventMapping(terms.ASSESSMENT_EVENT, terms.SUBMITTED, POINTS),
    "edx.problem.completed": EventMapping(terms.ASSESSMENT_ITEM_EVENT, terms.COMPLETED, DONE),
}
