"""What a sender has to say of its consumer: for the log, and for alerts (``pipeline.alerts``)."""

from __future__ import annotations

from typing import Literal, NamedTuple

NoticeKind = Literal[
    "circuit_opened", "circuit_closed", "credentials_refused", "credentials_taken", "conflicts", "outage_given_up"
]


class Notice(NamedTuple):
    """Something for the log, without secrets and personal data. ``waiting`` counts the consumer's statements."""

    kind: NoticeKind
    consumer: str
    reason: str
    waiting: int
