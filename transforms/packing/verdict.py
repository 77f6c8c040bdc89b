"""What the id memory and the outbox say of a statement that was made, and the dead letters of those that they do not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from edx2lrs.transforms.failure import Failure, Refusal, failed_statement
from edx2lrs.transforms.packing.blocks import Block, Origin, at_indexes, unpack_bodies, unpack_origin_lines


class Verdict(IntEnum):
    """``NEW``: the statement's id was never seen. ``DUPLICATE``: the id is known, with the same event or the same body.
    ``COLLISION``: the id is known, with another event and another body. ``OVERFLOW``: the statement is new, and its consumer is cut
    off and has as many waiting as may wait. Small numbers, for arrays of bytes."""

    NEW = 0
    DUPLICATE = 1
    COLLISION = 2
    OVERFLOW = 3


def verdict_on_known(same_event: bool, same_body: bool) -> Verdict:
    """What a statement is whose id is known: of the event that the id was remembered with, or of another; with that body or another."""
    return Verdict.DUPLICATE if same_event or same_body else Verdict.COLLISION


REFUSALS: Mapping[Verdict, Refusal] = {
    Verdict.COLLISION: Refusal(
        "guard",
        "id_collision",
        "another statement, from another event, was given the same id; statement_ids: strict tells more of them apart",
    ),
    Verdict.OVERFLOW: Refusal(
        "deliver", "outage", "the consumer is cut off and outbox.statements of them wait already; replay when it is back"
    ),
}
"""Of the verdicts that make a dead letter of a statement."""


def refused(block: Block, indexes: Sequence[int], verdict: Verdict) -> list[Failure]:
    """The failures of the statements at ``indexes`` of ``block``, by a verdict of ``REFUSALS``."""
    if not indexes:
        return []
    bodies, lines = unpack_bodies(block.bodies), unpack_origin_lines(block.origins)
    return [
        failed_statement(
            REFUSALS[verdict], block.consumer, at_indexes(block.ids, [index]), *Origin.of_line(lines[index]), bodies[index]
        )
        for index in indexes
    ]
