"""What both protocols share of completion."""

from __future__ import annotations

from edx2lrs.transforms.mapping.rows import Unmappable
from edx2lrs.transforms.mapping.values import number


def share(completion: object) -> float:
    """How much of a block is complete: a number from 0 to 1."""
    value = number(completion)
    if not 0 <= value <= 1:
        raise Unmappable("expected a number from 0 to 1, found another one", "out_of_range")
    return value
