"""Notices of a sender about its consumer: for the log, and for alerts (``pipeline.alerts``)."""

from __future__ import annotations

from typing import Literal, NamedTuple

NoticeKind = Literal["circuit_opened", "circuit_closed", "credentials_refused", "credentials_taken", "conflicts", "outage_given_up"]


class Notice(NamedTuple):
    """A notice for the log, without secrets and personal data. ``waiting``: the number of the consumer's waiting statements."""

    kind: NoticeKind
    consumer: str
    reason: str
    waiting: int
