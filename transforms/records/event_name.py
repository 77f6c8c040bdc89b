"""The name of a record's event, read from the record's bytes alone, also if other parts of the record are wrong."""

from __future__ import annotations

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.records.log_line import lenient_object


def event_name(record: bytes) -> str | None:
    """The record's name, or the ``event_type`` that stands for the name, if a mapping knows this name. None for every other name,
    since an unknown name may hold anything."""
    found = lenient_object(record)
    if isinstance(found, Refusal):
        return None
    name = found.get("name") or found.get("event_type")
    return name if isinstance(name, str) and name in SOURCE_EVENTS else None
