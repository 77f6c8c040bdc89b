"""Faults on purpose: which request goes wrong, and how, drawn from a seeded source so that a run can be repeated."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import NamedTuple

KINDS = {
    "429": "answers 429, every other time with Retry-After: 1",
    "500": "answers 500",
    "503": "answers 503, every other time with Retry-After: 1",
    "reset": "cuts the connection, before or after storing",
    "slow": "waits before it handles the request",
    "html": "answers 200 with an HTML page, as a proxy's login page does; stores nothing",
}
SLOW_SECONDS = 2.0


class Fault(NamedTuple):
    """One kind of fault and the share (0 to 1) of requests that it befalls. ``seconds`` counts for ``slow`` alone."""

    kind: str
    share: float
    seconds: float = SLOW_SECONDS


class Drawn(NamedTuple):
    """The fault of one request. ``coin`` decides between its two forms: with or without Retry-After, cut after or
    before storing."""

    kind: str
    seconds: float
    coin: bool


def parse_fault(text: str) -> Fault:
    """The fault that ``KIND:SHARE`` or ``slow:SHARE:SECONDS`` asks for. Raises ValueError, with a text for the user."""
    kind, *numbers = text.split(":")
    if kind not in KINDS:
        raise ValueError(f"{text}: the kind is {kind or 'missing'}; expected one of {', '.join(KINDS)}")
    if not numbers or len(numbers) > (2 if kind == "slow" else 1):
        raise ValueError(f"{text}: expected {kind}:SHARE{' or slow:SHARE:SECONDS' if kind == 'slow' else ''}")
    try:
        share, seconds = float(numbers[0]), float(numbers[1]) if len(numbers) > 1 else SLOW_SECONDS
    except ValueError:
        raise ValueError(f"{text}: the share and the seconds are numbers, such as {kind}:0.05") from None
    if not 0 <= share <= 1:
        raise ValueError(f"{text}: the share of requests lies between 0 and 1, such as {kind}:0.05")
    if not 0 <= seconds <= 3600:
        raise ValueError(f"{text}: the seconds lie between 0 and 3600")
    return Fault(kind, share, seconds)


class Faults:
    """Draws at most one fault for each request. Raises ValueError when the shares add up to more than 1."""

    def __init__(self, faults: Sequence[Fault] = (), seed: int = 0) -> None:
        if sum(fault.share for fault in faults) > 1:
            raise ValueError("the shares of all faults add up to more than 1")
        self._faults = tuple(faults)
        self._random = random.Random(seed)  # noqa: S311 (chance that can be repeated, not a secret)
        self._lock = threading.Lock()

    def draw(self) -> Drawn | None:
        """The fault of the next request, None for a request that is handled well."""
        if not self._faults:
            return None
        with self._lock:
            place, coin = self._random.random(), self._random.random() < 0.5
        for fault in self._faults:
            if place < fault.share:
                return Drawn(fault.kind, fault.seconds, coin)
            place -= fault.share
        return None
