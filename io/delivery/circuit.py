"""The circuit of one consumer: closed (statements are sent), open (statements wait), half-open (one batch is sent as a probe).
Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from edx2lrs.io.back_off import Random, back_off
from edx2lrs.io.delivery.decision import Hold, HoldKind

CircuitState = Literal["closed", "open", "half_open"]

# Seconds until the first probe. What a person has to repair takes longer than a restart.
_FIRST_PROBE: dict[HoldKind, float] = {"outage": 1.0, "setup": 10.0, "credentials": 10.0, "refusing": 5.0}


class Circuit(msgspec.Struct, frozen=True):
    """The state of a consumer's circuit. Times are seconds of a monotonic clock.

    ``opened_at``: when the trouble began; a failed probe does not change it. ``probe_at``: when the next probe may be sent.
    ``by_batch``: another batch than the last one may be accepted."""

    state: CircuitState = "closed"
    kind: HoldKind | None = None
    reason: str = ""
    opened_at: float = 0.0
    probe_at: float = 0.0
    failed_probes: int = 0
    by_batch: bool = False

    def hold(self, why: Hold, now: float, max_delay: float, random: Random) -> Circuit:
        """The open circuit. After a failed probe, the time to the next probe doubles, up to ``max_delay`` seconds."""
        failed = self.failed_probes + 1 if self.state == "half_open" else 0
        delay = max(back_off(failed + 1, _FIRST_PROBE[why.kind], max_delay, random, jitter=0.5), why.probe_after)
        opened_at = now if self.state == "closed" else self.opened_at
        return Circuit("open", why.kind, why.reason, opened_at, now + delay, failed, why.by_batch)

    def probe(self, now: float) -> Circuit:
        """The half-open circuit, if a probe is due; else the circuit unchanged."""
        if self.state != "open" or now < self.probe_at:
            return self
        return msgspec.structs.replace(self, state="half_open")

    def close(self) -> Circuit:
        """The closed circuit, after an answer that shows that the consumer works."""
        return self if self.state == "closed" else Circuit()
