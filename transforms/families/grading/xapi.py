"""Grades of subsections and courses as xAPI statements that a learner earned them."""

from __future__ import annotations

from edx2lrs.transforms.families.grading.shared import classification
from edx2lrs.transforms.mapping.rows import ASPECTS, ERB, STANDARD, Constant, Row, Rows
from edx2lrs.transforms.mapping.usage_key import xblock_iri
from edx2lrs.transforms.mapping.values import number
from edx2lrs.transforms.mapping.xapi_score import score
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import (
    COURSE,
    EARNED,
    GRADE_CLASSIFICATION,
    GRADE_CLASSIFICATION_OF_ASPECTS,
    RESOURCE,
    definition,
    result_extension,
)

MAPPING_VERSION = 2


def full_marks(earned: object, possible: object) -> bool | None:
    """Whether all points were earned; None when that is not known, or there were none to earn."""
    if earned is None or earned == "" or possible is None or possible == "":
        return None
    points = number(possible)
    return number(earned) >= points if points > 0 else None


def share_of_one(percent_grade: object) -> dict[str, float]:
    """A course grade, which is a share already, as a score from 0 to 1."""
    return score(percent_grade, 1.0)


SUBSECTION: Rows = (
    Row(("object", "id"), ("site.root", "data.block_id"), xblock_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), RESOURCE),
    Row(("result", "score"), ("data.weighted_total_earned", "data.weighted_total_possible"), score),
    Row(("result", "success"), ("data.weighted_total_earned", "data.weighted_total_possible"), full_marks),
    *IN_COURSE,
)
WHOLE_COURSE: Rows = (
    Row(("object", "id"), "course.id", required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), COURSE),
    Row((*definition("name"), "en"), "course.name"),
    Row(("result", "score"), ("data.percent_grade",), share_of_one),
    Row(result_extension(GRADE_CLASSIFICATION), ("data.letter_grade",), classification, dialects=(*STANDARD, *ERB)),
    Row(result_extension(GRADE_CLASSIFICATION_OF_ASPECTS), ("data.letter_grade",), classification, dialects=ASPECTS),
    *IN_COURSE,
)

MAPPINGS = {
    "edx.grades.subsection.grade_calculated": StatementMapping(EARNED, SUBSECTION),
    "edx.grades.course.grade_calculated": StatementMapping(EARNED, WHOLE_COURSE),
}
