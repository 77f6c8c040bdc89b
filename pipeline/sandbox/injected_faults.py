"""Faults on purpose: which request goes wrong, and how, drawn from a seeded source so that a run can be repeated."""

from __future__ import annotations

import random
import threading
import zlib
from collections.abc import Sequence
from typing import NamedTuple

KINDS = {
    "429": "answers 429, every other time with Retry-After: 1",
    "500": "answers 500",
    "503": "answers 503, every other time with Retry-After: 1",
    "413": "answers 413 when there is more than one statement",
    "409": "answers 409 when something of the request is stored already, though it is the same",
    "204": "stores, and answers 204",
    "empty": "stores, and answers 200 without a body",
    "reset": "cuts the connection, before or after storing",
    "cut": "cuts the connection before it reads the body",
    "silent": "gives no answer, before or after storing",
    "slow": "waits before it handles the request",
    "drip": "stores, and answers a byte at a time",
    "html": "answers 200 with an HTML page, as a proxy's login page does; stores nothing",
    "login": "redirects to a login page; stores nothing",
    "poison": "refuses a share of the statements, always the same ones, with 500 or another status: poison:SHARE:STATUS",
}
TIMED = ("slow", "silent", "drip")
SLOW_SECONDS = 2.0


class InjectedFault(NamedTuple):
    """One kind of fault and the share (0 to 1) of requests that it befalls; of ``poison`` the share of statements. ``seconds``
    counts for ``TIMED`` kinds alone, ``status`` for ``poison``."""

    kind: str
    share: float
    seconds: float = SLOW_SECONDS
    status: int = 500


class Drawn(NamedTuple):
    """The fault of one request. ``coin`` decides between its two forms: with or without Retry-After, cut or silent after
    or before storing."""

    kind: str
    seconds: float
    coin: bool


def parse_fault(text: str) -> InjectedFault:
    """The fault that ``KIND:SHARE``, ``slow:SHARE:SECONDS`` or ``poison:SHARE:STATUS`` asks for. Raises ValueError, with a text
    for the user."""
    kind, *numbers = text.split(":")
    if kind not in KINDS:
        raise ValueError(f"{text}: the kind is {kind or 'missing'}; expected one of {', '.join(KINDS)}")
    more = "SECONDS" if kind in TIMED else "STATUS" if kind == "poison" else ""
    if not numbers or len(numbers) > (2 if more else 1):
        raise ValueError(f"{text}: expected {kind}:SHARE{f' or {kind}:SHARE:{more}' if more else ''}")
    try:
        share, number = float(numbers[0]), float(numbers[1]) if len(numbers) > 1 else None
    except ValueError:
        raise ValueError(f"{text}: the share and what follows are numbers, such as {kind}:0.05") from None
    if not 0 <= share <= 1:
        raise ValueError(f"{text}: the share of requests lies between 0 and 1, such as {kind}:0.05")
    if kind == "poison":
        if number not in (None, 400.0, 413.0, 422.0, 500.0):
            raise ValueError(f"{text}: a poison's status is 400, 413, 422 or 500")
        return InjectedFault(kind, share, status=int(number or 500))
    if number is not None and not 0 <= number <= 3600:
        raise ValueError(f"{text}: the seconds lie between 0 and 3600")
    return InjectedFault(kind, share, SLOW_SECONDS if number is None else number)


class InjectedFaults:
    """Draws at most one fault for each request. Raises ValueError when the shares add up to more than 1."""

    def __init__(self, faults: Sequence[InjectedFault] = (), seed: int = 0) -> None:
        self._faults = tuple(fault for fault in faults if fault.kind != "poison")
        self._poisons = tuple(fault for fault in faults if fault.kind == "poison")
        self._seed = seed
        if max(sum(fault.share for fault in kinds) for kinds in (self._faults, self._poisons)) > 1:
            raise ValueError("the shares of all faults add up to more than 1")
        self._random = random.Random(seed)  # noqa: S311 (chance that can be repeated, not a secret)
        self._lock = threading.Lock()

    @property
    def has_poison(self) -> bool:
        return bool(self._poisons)

    def poison_of(self, ids: Sequence[str]) -> int | None:
        """The status with which a request with these ids is always refused, whatever other statements the request holds."""
        for id_ in ids:  # the id and the seed alone decide, so the same statement is poisoned each time
            poison = _befallen(self._poisons, zlib.crc32(f"{self._seed} {id_.lower()}".encode()) / 2**32)
            if poison is not None:
                return poison.status
        return None

    def draw(self) -> Drawn | None:
        """The fault of the next request, None for a request that is handled well."""
        with self._lock:
            drawn, coin = self._random.random(), self._random.random() < 0.5
        fault = _befallen(self._faults, drawn)
        return Drawn(fault.kind, fault.seconds, coin) if fault else None


def _befallen(faults: Sequence[InjectedFault], drawn: float) -> InjectedFault | None:
    """The fault in whose share ``drawn`` lies (0 to 1)."""
    for fault in faults:
        if drawn < fault.share:
            return fault
        drawn -= fault.share
    return None
