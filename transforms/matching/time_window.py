"""The window of time of wanted events."""

from __future__ import annotations

import re
from typing import NamedTuple

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.times import canonical_time

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class TimeWindow(NamedTuple):
    """Canonical times, which sort as text: the first moment inside the window, and the first after it. None: no limit."""

    since: str | None = None
    until: str | None = None

    def holds(self, time: str) -> bool:
        """Whether the canonical ``time`` is inside the window."""
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


def moment(text: str) -> str:
    """The canonical time of ``2024-03-11`` (its first moment, UTC) or of a time with its zone. Raises ValueError with a reason."""
    time = canonical_time(f"{text}T00:00:00+00:00" if _DAY.fullmatch(text) else text)
    if isinstance(time, Refusal):
        raise ValueError(f"{text!r} is no date such as 2024-03-11, and no time with its zone such as 2024-03-11T08:00:00Z")
    return time
