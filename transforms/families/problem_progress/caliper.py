"""Problems that are submitted for points, or done, as Caliper events (Caliper 1.2, Assessment Profile)."""

from __future__ import annotations

from edx2lrs.transforms.families.problem_help.problem_block import problem_block_iri
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping
from edx2lrs.transforms.mapping.caliper_vocabulary import (
    ASSESSMENT,
    ASSESSMENT_EVENT,
    ASSESSMENT_ITEM,
    ASSESSMENT_ITEM_EVENT,
    COMPLETED,
    SUBMITTED,
)
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows

MAPPING_VERSION = 1

ABOUT_THE_PROBLEM: Rows = (
    Row(
        ("object", "id"),
        ("site.root", "data.problem_id", "data.module_id", "context.module.usage_key"),
        problem_block_iri,
        required=True,
    ),
    *IN_COURSE,
)

MAPPINGS = {
    "edx.grades.problem.submitted": EventMapping(
        ASSESSMENT_EVENT, SUBMITTED, (*ABOUT_THE_PROBLEM, Constant(("object", "type"), ASSESSMENT))
    ),
    "edx.problem.completed": EventMapping(
        ASSESSMENT_ITEM_EVENT, COMPLETED, (*ABOUT_THE_PROBLEM, Constant(("object", "type"), ASSESSMENT_ITEM))
    ),
}
