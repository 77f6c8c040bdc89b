"""The name of a record's event, from its bytes alone, whatever else is wrong with it."""

from __future__ import annotations

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.records.log_line import lenient_object


def event_name(record: bytes) -> str | None:
    """Its name, or the type that stands for it, if a mapping knows it; None for all others: they may hold anything."""
    found = lenient_object(record)
    if isinstance(found, Refusal):
        return None
    name = found.get("name") or found.get("event_type")
    return name if isinstance(name, str) and name in SOURCE_EVENTS else None
