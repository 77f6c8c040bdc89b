"""The circuit of one consumer: closed (statements flow), open (they wait), half-open (one batch finds out). Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from edx2lrs.io.back_off import Random, back_off
from edx2lrs.io.delivery.decision import Hold, HoldKind

CircuitState = Literal["closed", "open", "half_open"]

# Seconds until the first probe. What a person has to repair takes longer than a restart.
_FIRST_PROBE: dict[HoldKind, float] = {"outage": 1.0, "setup": 10.0, "credentials": 10.0, "refusing": 5.0}


class Circuit(msgspec.Struct, frozen=True):
    """Where a consumer's circuit stands. Times are seconds of a monotonic clock.

    ``opened_at`` stays through failing probes: it is when the trouble began. ``probe_at``: when one batch may be
    tried. ``by_batch``: another batch than the one that was sent last may pass.
    """

    state: CircuitState = "closed"
    kind: HoldKind | None = None
    reason: str = ""
    opened_at: float = 0.0
    probe_at: float = 0.0
    failed_probes: int = 0
    by_batch: bool = False

    def hold(self, why: Hold, now: float, max_delay: float, random: Random) -> Circuit:
        """Open; after a probe that failed, the next one is twice as far away, at most ``max_delay`` seconds."""
        failed = self.failed_probes + 1 if self.state == "half_open" else 0
        delay = max(back_off(failed + 1, _FIRST_PROBE[why.kind], max_delay, random, jitter=0.5), why.probe_after)
        opened_at = now if self.state == "closed" else self.opened_at
        return Circuit("open", why.kind, why.reason, opened_at, now + delay, failed, why.by_batch)

    def probe(self, now: float) -> Circuit:
        """Half-open, if a probe is due; itself otherwise."""
        if self.state != "open" or now < self.probe_at:
            return self
        return msgspec.structs.replace(self, state="half_open")

    def close(self) -> Circuit:
        """Closed, after an answer that shows a consumer at work."""
        return self if self.state == "closed" else Circuit()
