"""A Caliper 1.2 endpoint (its section Endpoint): envelopes of events, each event stored once.

``transforms/validation/caliper.py`` has the rules for valid events. Entity descriptions without an event are refused.
"""

from __future__ import annotations

from typing import Any

import orjson
from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest

from edx2lrs.pipeline.sandbox.statements import digest, read_json
from edx2lrs.pipeline.sandbox.store import Arrival, Store
from edx2lrs.transforms.validation.caliper import caliper_violations, is_described_entity, is_envelope
from edx2lrs.transforms.validation.violations import sentence


def respond(store: Store, name: str, request: Request) -> Response:
    """Stores the new events of an envelope, or of a list of envelopes. Answers 200 with the numbers of new and repeated events.

    Raises BadRequest when an event is not valid; then no event is stored.
    """
    sent = read_json(request)
    envelopes = sent if isinstance(sent, list) else [sent]
    if not envelopes:
        raise BadRequest("there is no envelope in the list")
    arrivals = [a for index, envelope in enumerate(envelopes) for a in _arrivals(envelope, f"envelope {index}")]
    new = store.keep(name, "caliper", arrivals, immutable=False)
    answer = {"stored": len(new), "repeats": len(arrivals) - len(new)}
    return Response(orjson.dumps(answer), mimetype="application/json")


def _arrivals(sent: Any, where: str) -> list[Arrival]:
    if not is_envelope(sent):
        raise BadRequest(f"{where}: an envelope has sensor, sendTime, dataVersion and data")
    violation = next((sentence(violation) for violation in caliper_violations(sent) if violation.required), None)
    if violation is not None:
        raise BadRequest(f"{where}: {violation}")
    return [_arrival(event, f"{where}: data[{index}]") for index, event in enumerate(sent["data"])]


def _arrival(event: dict[str, Any], where: str) -> Arrival:
    if is_described_entity(event):
        raise BadRequest(f"{where}: the sandbox takes events, and no entities that are described on their own")
    return Arrival(event["id"].lower(), digest(event), event["action"], orjson.dumps(event))
