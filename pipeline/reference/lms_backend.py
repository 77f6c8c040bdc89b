"""The names of mapped events in the tracking backend that a site puts into its LMS."""

from __future__ import annotations

import re

from edx2lrs.transforms.families.source_events import SOURCE_EVENTS

PATH = "templates/lms/edx2lrs_pubsub_backend.py"
_NAMES = re.compile(r"(?<=^NAMES = frozenset\(\n    \[\n).*?(?=    \]\n)", re.MULTILINE | re.DOTALL)


def in_step(backend: str) -> str:
    """The backend's text with the names of ``NAMES`` written anew. Raises ValueError for a text without ``NAMES``."""
    written, found = _NAMES.subn("".join(f'        "{name}",\n' for name in sorted(SOURCE_EVENTS)), backend)
    if not found:
        raise ValueError(f"{PATH} has no list NAMES = frozenset([...]), one name on each line")
    return written
