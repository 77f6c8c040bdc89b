"""Completion of blocks as xAPI statements about progress (``progress`` of the cmi5 profile, 9.5.5.1)."""

from __future__ import annotations

import math

from edx2lrs.transforms.families.completion.shared import share
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Row, Rows
from edx2lrs.transforms.mapping.usage_key import xblock_iri
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import PROGRESS, PROGRESSED, RESOURCE, definition, result_extension

MAPPING_VERSION = 2


def complete(completion: object) -> bool:
    return share(completion) == 1


def percent(completion: object) -> float:
    """From 0 to 100."""
    return share(completion) * 100


def whole_percent(completion: object) -> int:
    """A whole number from 0 to 100 (cmi5, 9.5.5.1): 100 only for what is complete."""
    return math.floor(round(percent(completion), 6))


PROGRESS_IN_BLOCK: Rows = (
    Row(("object", "id"), ("site.root", "data.block_id"), xblock_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), RESOURCE),
    Row(("result", "completion"), "data.completion", complete),
    Row(result_extension(PROGRESS), "data.completion", percent, dialects=AS_ERB),
    Row(result_extension(PROGRESS), "data.completion", whole_percent, dialects=STANDARD),
    *IN_COURSE,
)

MAPPINGS = {"edx.completion.block_completion.changed": StatementMapping(PROGRESSED, PROGRESS_IN_BLOCK)}
