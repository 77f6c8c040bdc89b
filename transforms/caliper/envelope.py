"""Envelopes: how Caliper events travel (Caliper 1.2, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import orjson
from edx2lrs.transforms.caliper.vocabulary import CONTEXT


def envelope(sensor: str, sent: datetime, bodies: Sequence[bytes]) -> bytes:
    """One envelope with all ``bodies`` (JSON of events, as they are): ``sensor`` is the sender's IRI, ``sent`` has a zone."""
    time = sent.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = orjson.dumps({"sensor": sensor, "sendTime": time, "dataVersion": CONTEXT})
    return b'%b,"data":[%b]}' % (head[:-1], b",".join(bodies))
