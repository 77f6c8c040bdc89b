"""A Caliper 1.2 endpoint (section 4 of the specification): envelopes of events, each event stored once.

The rules of an envelope and an event are a table of structs. What hangs on the type of an event (which actions, which
objects) is not checked, and entity descriptions without an event are not taken.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
import orjson
from msgspec import UNSET, Meta, UnsetType
from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest

from edx2lrs.pipeline.sandbox.statement_rules import Iri
from edx2lrs.pipeline.sandbox.statements import digest, read_json
from edx2lrs.pipeline.sandbox.store import Arrival, Store

_CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"
_UrnUuid = Annotated[str, Meta(pattern=r"^urn:uuid:[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\Z")]
# section 3: times are UTC with milliseconds
_Instant = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z\Z")]
_Term = Annotated[str, Meta(pattern=r"^[A-Z][A-Za-z]*\Z")]
_EntityId = Annotated[str, Meta(pattern=r'^(_:\S+|[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+)\Z')]


class Entity(msgspec.Struct):
    """Section 2.2: what every entity has; its other properties are free."""

    id: _EntityId
    type: _Term


_EntityOrIri = Entity | _EntityId
_Checked = TypeVar("_Checked", "Event", "Envelope")


class Event(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Section 2.1: the properties that an event may have; those of one's own belong in ``extensions``."""

    context: Literal["http://purl.imsglobal.org/ctx/caliper/v1p2"] | list[Any] = msgspec.field(name="@context")
    id: _UrnUuid
    type: _Term
    actor: _EntityOrIri
    action: _Term
    object: _EntityOrIri
    event_time: _Instant
    profile: _Term | UnsetType = UNSET
    target: _EntityOrIri | UnsetType = UNSET
    generated: _EntityOrIri | UnsetType = UNSET
    ed_app: _EntityOrIri | UnsetType = UNSET
    referrer: _EntityOrIri | UnsetType = UNSET
    group: _EntityOrIri | UnsetType = UNSET
    membership: _EntityOrIri | UnsetType = UNSET
    session: _EntityOrIri | UnsetType = UNSET
    federated_session: _EntityOrIri | UnsetType = UNSET
    extensions: dict[str, Any] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.context, list) and self.context[-1:] != [_CONTEXT]:
            raise ValueError(f"@context ends with {_CONTEXT}")


class Envelope(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Section 4.2."""

    sensor: Iri
    send_time: _Instant
    data_version: Literal["http://purl.imsglobal.org/ctx/caliper/v1p2"]
    data: Annotated[list[dict[str, Any]], Meta(min_length=1)]


# As in statement_rules: msgspec prepares a type at its first use, which must not be in two threads at once.
for _rules in (Envelope, Event):
    msgspec.json.Decoder(_rules)


def respond(store: Store, name: str, request: Request) -> Response:
    """Stores the new events of one envelope or a list of them; answers 200 with how many were new or repeats.

    Raises BadRequest when one of them is not valid; nothing is stored then.
    """
    sent = read_json(request)
    envelopes = sent if isinstance(sent, list) else [sent]
    if not envelopes:
        raise BadRequest("there is no envelope in the list")
    arrivals = [a for place, envelope in enumerate(envelopes) for a in _arrivals(envelope, f"envelope {place}")]
    new = store.keep(name, "caliper", arrivals, immutable=False)
    answer = {"stored": len(new), "repeats": len(arrivals) - len(new)}
    return Response(orjson.dumps(answer), mimetype="application/json")


def _arrivals(sent: Any, where: str) -> list[Arrival]:
    envelope = _convert(sent, Envelope, where)
    return [_arrival(event, f"{where}, event {place}") for place, event in enumerate(envelope.data)]


def _arrival(sent: dict[str, Any], where: str) -> Arrival:
    event = _convert(sent, Event, where)
    return Arrival(event.id.lower(), digest(sent), event.action, orjson.dumps(sent))


def _convert(sent: Any, rules: type[_Checked], where: str) -> _Checked:
    try:
        return msgspec.convert(sent, rules)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{where}: {error}") from None
