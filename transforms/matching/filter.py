"""The filter: which events some consumer could want, and why other events end here."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from edx2lrs.transforms.causes import FilterReason
from edx2lrs.transforms.config_types import Events
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.matching.patterns import Names

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

NAMES_SHOWN = 50
"""Names of unknown events that a report shows."""
OTHER = "other"
_LONGEST = 80
# at least two words: no address, no number, no name of a person
_LIKE_A_NAME = re.compile(r"(?!.*[0-9]{5})[A-Za-z][A-Za-z0-9]*(?:[_.:-][A-Za-z0-9]+)+")
_NAMES = 1024  # more than there are mapped names


class EventFilter:
    """``events`` of the configuration, compiled."""

    def __init__(self, events: Events) -> None:
        """Raises re.error for a bad regular expression."""
        self._allow = None if events.allow is None else Names(events.allow)
        self._block = Names(events.block)
        self._verdict = lru_cache(_NAMES)(self._judge)

    def __call__(self, event: Event) -> FilterReason | None:
        """Why the event ends here; None when it goes on."""
        name = event.name
        if not name:
            return "no_name"
        if is_page(name):
            return "page_request"
        if event.data is None:
            return "wrong_source" if name in SOURCE_EVENTS else "unknown_event"
        return self._verdict(name) or ("nobody" if event.is_of_nobody else None)

    def _judge(self, name: str) -> FilterReason | None:
        if name in self._block:
            return "blocked"
        return None if self._allow is None or name in self._allow else "not_allowed"


def shown_names(names: Counter[str]) -> Counter[str]:
    """The most frequent of ``names`` that look like the name of an event, and how often the others came, as ``other``. A name may be
    a learner's own text."""
    shown = Counter({name: number for name, number in names.items() if len(name) <= _LONGEST and _LIKE_A_NAME.fullmatch(name)})
    most = Counter(dict(shown.most_common(NAMES_SHOWN)))
    rest = names.total() - most.total()
    return most + Counter({OTHER: rest})


def is_page(name: str) -> bool:
    """Whether the LMS named the record after a requested page: the name is a URL path, or a whole address."""
    return name.startswith(("/", "http://", "https://"))
