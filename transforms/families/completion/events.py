"""How much of a block a learner has completed."""

from __future__ import annotations

from edx2lrs.transforms.event_sources import SITE
from edx2lrs.transforms.fields import BlockKey, EventData, Scalar, SourceEvent


class CompletionData(EventData, gc=False):
    """``completion`` is from 0 to 1."""

    block_id: BlockKey = None
    completion: Scalar = None


EVENTS = {"edx.completion.block_completion.changed": SourceEvent("completion", CompletionData, sources=SITE)}
