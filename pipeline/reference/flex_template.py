"""The metadata of the flex template for Dataflow, made of the options of `run`."""

from __future__ import annotations

import json
from typing import Any

from edx2lrs.io.sources.opening import on
from edx2lrs.io.sources.spec import DATAFLOW
from edx2lrs.pipeline.commands.run import described_options

_NOT_THERE = ("state", "workers", "http", "strict", "dry_run", "send_held", "help")  # of this machine
_GCS = {"config": "GCS_READ_FILE", "report": "GCS_WRITE_FILE"}
_REGEXES = {
    "config": "^gs://.+",
    "input": f"^({'|'.join(['gs://', *(scheme for spec in on(DATAFLOW) for scheme in spec.schemes)])}).+",
    "report": "^gs://.+",
    "since": "^[0-9]{4}-.+",
    "until": "^[0-9]{4}-.+",
    "event_column": "^.+$",
    "pubsub_id_label": "^[A-Za-z0-9_.-]+$",
    "sdk_container_image": "^.+/.+",
}


def metadata() -> dict[str, Any]:
    """As Dataflow's flex templates want it."""
    image = _parameter("sdk_container_image", "The image of this template, for the workers.", needed=True)
    return {
        "name": "edx2lrs",
        "description": "Open edX tracking events to Learning Record Stores, as xAPI statements and Caliper events.",
        "streaming": True,
        "supportsAtLeastOnce": True,
        "supportsExactlyOnce": True,
        "defaultStreamingMode": "EXACTLY_ONCE",
        "parameters": [*(_parameter(*option) for option in described_options() if option[0] not in _NOT_THERE), image],
    }


def _parameter(name: str, text: str, needed: bool) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "helpText": text[:1].upper() + text[1:],
        "isOptional": not needed,
        "paramType": _GCS.get(name, "TEXT"),
        "regexes": [_REGEXES[name]],
    }


def text() -> str:
    """``templates/dataflow/metadata.json``."""
    return f"{json.dumps(metadata(), indent=2)}\n"
