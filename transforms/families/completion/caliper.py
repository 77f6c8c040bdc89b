"""Completion of blocks as Caliper events (Caliper 1.2, General Profile: no other one knows how much of something is done)."""

from __future__ import annotations

from edx2lrs.transforms.families.completion.shared import share
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping, is_part_of
from edx2lrs.transforms.mapping.caliper_vocabulary import COMPLETED, DIGITAL_RESOURCE, EVENT, GENERAL_PROFILE, USED
from edx2lrs.transforms.mapping.rows import Constant, Derived, Row, Rows, VariantMapping
from edx2lrs.transforms.mapping.usage_key import xblock_iri

MAPPING_VERSION = 2


def kind(completion: object) -> str:
    """``complete``, or ``part`` for all between nothing and that. What is no number is left to the row that reads it."""
    return "complete" if completion in (1, 1.0) else "part"


PROGRESS_IN_BLOCK: Rows = (
    Constant(("profile",), GENERAL_PROFILE),
    Row(("group",), "course.id", is_part_of),
    Row(("object", "id"), ("site.root", "data.block_id"), xblock_iri, required=True),
    Constant(("object", "type"), DIGITAL_RESOURCE),
    *IN_COURSE,
    Row(("extensions", "completion"), "data.completion", share),
)

MAPPINGS = {
    "edx.completion.block_completion.changed": VariantMapping(
        Derived(("data.completion",), kind),
        {"complete": EventMapping(EVENT, COMPLETED, PROGRESS_IN_BLOCK), "part": EventMapping(EVENT, USED, PROGRESS_IN_BLOCK)},
    )
}
