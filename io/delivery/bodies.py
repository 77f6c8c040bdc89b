"""The body of a request: finished statements as xAPI's array, finished events in Caliper's envelope."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import orjson

from edx2lrs.transforms.config_types import Consumer

_CALIPER_VERSION = "http://purl.imsglobal.org/ctx/caliper/v1p2"
_SENSOR_BYTES = 300  # what a sensor's IRI may have


def xapi_body(lines: bytes) -> bytes:
    """The JSON array of finished statements, given one a line."""
    return b"[" + lines.replace(b"\n", b",") + b"]"


def caliper_body(lines: bytes, envelope: Mapping[str, Any], send_time: datetime.datetime) -> bytes:
    """The envelope (Caliper 1.2, 5) of finished events, given one a line; ``envelope`` has its sensor, ``send_time`` is UTC."""
    time_text = send_time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{send_time.microsecond // 1000:03d}Z"
    head = {"sendTime": time_text, "dataVersion": _CALIPER_VERSION, **envelope}
    return orjson.dumps(head)[:-1] + b',"data":[' + lines.replace(b"\n", b",") + b"]}"


def frame_bytes(consumer: Consumer) -> int:
    """The most bytes of a body that belong neither to a statement nor to the comma after a statement."""
    if consumer.protocol == "xapi":
        return 1
    envelope = consumer.override_args.get("envelope", {})
    return len(caliper_body(b"", envelope, datetime.datetime(2000, 1, 1))) + _SENSOR_BYTES
