"""The rules for events, entities and envelopes of Caliper 1.2. The terms stand in ``caliper_terms``.

Clauses are the headings of the specification: Event, Entity, Envelope, JSON-LD Context, Identifiers, or the name of an event,
entity or profile. A SHOULD that a machine can check is a recommendation, with one exception: a version 4 UUID as an event's id is
not asked for, since stable ids are worth more to a receiver. Rules over several events of a stream (how an attempt's count grows)
are not checked.
"""

from __future__ import annotations

from typing import Any

from edx2lrs.transforms.formats.texts import is_blank_node, is_duration, is_instant, is_iri, is_urn_uuid
from edx2lrs.transforms.validation import caliper_terms as terms
from edx2lrs.transforms.validation.checks import anything, array, boolean, fitting, formatted, integer, number, record, text, word_of
from edx2lrs.transforms.validation.violations import FINE, Validator, Violation, Violations, missing, within, wrong, wrong_word

CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"
_ELSEWHERE = "; one's own belong in extensions"


def caliper_violations(document: object) -> list[Violation]:
    """All violations of an envelope, event or described entity (decoded JSON), the violations of recommended parts included."""
    try:
        violations = _document(document)
    except RecursionError:
        violations = (Violation((), "entities in entities, over and over", "an event that can be read", "Entity"),)
    return [violation._replace(clause=f"Caliper 1.2, {violation.clause}") for violation in violations]


def is_envelope(document: object) -> bool:
    return isinstance(document, dict) and "type" not in document and not document.keys().isdisjoint(_ENVELOPE)


def is_described_entity(document: object) -> bool:
    """Whether the object says that it is an entity. What has another type, no type, or an action is taken for an event."""
    if not isinstance(document, dict) or "action" in document:
        return False
    return isinstance(kind := document.get("type"), str) and kind in terms.ENTITY_TYPES


def _document(document: object) -> Violations:
    return _envelope(document) if is_envelope(document) else _event_or_entity(document)


def _event_or_entity(document: object) -> Violations:
    if not isinstance(document, dict):
        return wrong(document, "an event or an entity", "JSON-LD Payload")
    if not is_described_entity(document):
        return _event(document)
    described = _entity_of("Entity", "Entity")(document)
    return (*_has_context(document), *within("@context", _context(document.get("@context", CONTEXT))), *described)


# Values. Event and Entity: a null or empty value SHOULD be left out. Where a value MUST have a form, null does not have the form.


def _or_left_out(check: Validator, clause: str) -> Validator:
    def lenient(value: object) -> Violations:
        violations = FINE if value is None else check(value)
        if not violations and (value is None or value == "" or value == [] or value == {}):
            return wrong(value, "to leave it out", clause, required=False)
        return violations

    return lenient


def _is_identifier(value: str) -> bool:
    return is_iri(value) or is_blank_node(value) is not None


_identifier = formatted(_is_identifier, "an absolute IRI or a blank node", "Identifiers")


def _object(clause: str) -> Validator:
    return fitting(lambda value: isinstance(value, dict), "an object", clause)


def _value_check(name: str, clause: str, items: str) -> Validator:
    """The check of an entity's property, by the tables; ``items`` is the type of what the entity collects."""
    if name in terms.VALUES:
        return _plain_value(terms.VALUES[name], clause)
    if name in terms.ENTITIES:
        return _entity_of(terms.ENTITIES[name], clause)
    if name in terms.LISTS_OF_ENTITIES or name == "items":
        of = items if name == "items" else terms.LISTS_OF_ENTITIES[name]
        return _or_left_out(array(_entity_of(of, clause), f"{of} entities or their IRIs", clause), clause)
    return _TERM_CHECKS[name]


def _plain_value(kind: str, clause: str) -> Validator:
    if kind == "instant":
        return formatted(is_instant, "YYYY-MM-DDTHH:mm:ss.SSSZ, in UTC", clause)
    if kind == "duration":
        return formatted(is_duration, "a duration (ISO 8601)", clause)
    checks = {
        "text": text(clause),
        "texts": array(text(clause), "texts", clause),
        "integer": integer(clause),
        "count": integer(clause, 0),
        "decimal": number(clause),
        "boolean": boolean(clause),
        "object": _object(clause),
    }
    return _or_left_out(checks[kind], clause)


def _entity_of(types: str, clause: str) -> Validator:
    """An entity of one of these types (or a subtype), or its IRI."""
    wanted = frozenset(types.split())
    expected = " or ".join(types.split())

    def check(value: object) -> Violations:
        if isinstance(value, str) and _is_identifier(value):
            return FINE
        if not isinstance(value, dict):
            return wrong(value, f"{expected}, or its IRI", clause)
        kind = value.get("type")
        if isinstance(kind, str) and kind in terms.ENTITY_TYPES:
            other = FINE if terms.LINEAGE[kind] & wanted else within("type", wrong_word(kind, expected, clause))
            return other + _ENTITY_CHECKS[kind](value)
        if "type" not in value:
            return (missing("type", expected, "Entity"),)
        return within("type", wrong_word(kind, f"an entity type: {expected}", "Entity"))

    return check


# a document may name contexts of its own everywhere
_local_context = fitting(lambda value: isinstance(value, (str, list, dict)), "a context", "JSON-LD Context")


def _value_record(kind: str) -> Validator:
    required, optional = terms.VALUE_TYPES[kind]
    properties = {name: _value_check(name, kind, "Entity") for name in (*required, *optional)}
    return record(
        f"a {kind}", kind, {"type": word_of([kind], kind), "@context": _local_context, **properties}, required=("type", *required),
        unknown=kind,
    )


def _value_or_iri(kind: str) -> Validator:
    def check(value: object) -> Violations:
        return FINE if isinstance(value, str) and _is_identifier(value) else _VALUE_CHECKS[kind](value)

    return check


_TERM_CHECKS: dict[str, Validator] = {
    "identifierType": word_of(terms.IDENTIFIER_TYPES, "SystemIdentifier"),
    "metric": word_of(terms.METRICS, "AggregateMeasure"),
    "otherIdentifiers": _or_left_out(array(_value_or_iri("SystemIdentifier"), "SystemIdentifiers or their IRIs", "Entity"), "Entity"),
    "roles": _or_left_out(array(word_of(terms.ROLES, "Membership", "a role of Caliper"), "roles", "Membership"), "Membership"),
    "selection": _value_or_iri("TextPositionSelector"),
    "status": word_of(terms.STATUSES, "Membership"),
}
_VALUE_CHECKS: dict[str, Validator] = {kind: _value_record(kind) for kind in terms.VALUE_TYPES}


def _properties_of(kind: str) -> dict[str, Validator]:
    """The properties that an entity of this type may have: its own properties and the properties of its supertypes."""
    own = terms.ENTITY_TYPES[kind]
    found: dict[str, Validator] = {}
    for supertype in own.supertypes:
        found.update(_properties_of(supertype))
    found.update({name: _value_check(name, kind, own.items or "Entity") for name in own.properties})
    if own.items is not None:
        found["items"] = _value_check("items", kind, own.items)
    return found


_ENTITY_CHECKS: dict[str, Validator] = {
    kind: record(
        kind, "Entity" if kind != "AggregateMeasure" else kind,
        {"id": _identifier, "type": anything, "@context": _local_context, **_properties_of(kind)},
        required=("id", "metricValue", "metric") if kind == "AggregateMeasure" else ("id",), unknown="Entity", elsewhere=_ELSEWHERE,
    )
    for kind in terms.ENTITY_TYPES
}

# Events


def _has_context(document: dict[str, Any]) -> Violations:
    return FINE if "@context" in document else (missing("@context", CONTEXT, "JSON-LD Context"),)


def _context(value: object) -> Violations:
    if isinstance(value, list):
        if not all(isinstance(each, (str, dict)) for each in value):
            return wrong(value, "texts and objects in the array", "JSON-LD Context")
        return FINE if value[-1:] == [CONTEXT] else wrong(value, f"an array that ends with {CONTEXT}", "JSON-LD Context")
    return FINE if value == CONTEXT else wrong(value, f"{CONTEXT}, or an array that ends with it", "JSON-LD Context")


_PLAIN_PARTS: dict[str, Validator] = {
    "@context": _context,
    "id": formatted(is_urn_uuid, "urn:uuid: and a UUID", "Event"),
    "eventTime": formatted(is_instant, "YYYY-MM-DDTHH:mm:ss.SSSZ, in UTC", "Event"),
    "extensions": _or_left_out(_object("Event"), "Event"),
}


def _event_check(kind: str) -> Validator:
    """The check of the properties of an event of one type, each on its own."""
    own = terms.EVENT_TYPES[kind].parts
    wanted = {**terms.EVENT_PARTS, **own}
    parts = {name: _entity_of(" ".join(types), kind if name in own else "Event") for name, types in wanted.items()}
    return record(
        kind, "Event",
        {"type": anything, "profile": word_of(list(terms.PROFILES), "Event"), "action": _action_of(kind), **_PLAIN_PARTS, **parts},
        required=("id", "type", "actor", "action", "object", "eventTime"), recommended={"profile": "Event"}, rules=(_has_context,),
        unknown="Event", elsewhere=_ELSEWHERE,
    )


def _action_of(kind: str) -> Validator:
    allowed = sorted(terms.EVENT_TYPES[kind].actions)
    return word_of(allowed, kind, "an action of Caliper" if kind == "Event" else f"an action of {kind}: {', '.join(allowed)}")


_EVENT_CHECKS: dict[str, Validator] = {kind: _event_check(kind) for kind in terms.EVENT_TYPES}


def _event(event: dict[str, Any]) -> Violations:
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in terms.EVENT_TYPES:
        as_any = tuple(violation for violation in _EVENT_CHECKS["Event"](event) if violation.path != ("type",))
        if "type" not in event:
            return (missing("type", "an event type", "Event"), *as_any)
        return (*within("type", wrong_word(kind, "an event type of Caliper", "Event")), *as_any)
    violations = _EVENT_CHECKS[kind](event)
    action, profile = event.get("action"), event.get("profile")
    if isinstance(action, str):
        violations += _by_action(event, kind, action)
    if isinstance(profile, str) and profile in terms.PROFILES:
        violations += _by_profile(event, kind, profile)
    if kind == "MediaEvent":
        violations += _media(event)
    return violations


def _type_of(part: object) -> str | None:
    """The full type of an entity. None for an entity that is named by its IRI, and for a value that is no entity."""
    kind = part.get("type") if isinstance(part, dict) else None
    return kind if isinstance(kind, str) and kind in terms.ENTITY_TYPES else None


def _narrowed(event: dict[str, Any], part: str, types: tuple[str, ...], why: str, clause: str, required: bool = True) -> Violations:
    """The violation of a part whose type fits the event, but does not fit the event's action or profile."""
    kind = _type_of(event.get(part))
    if kind is None or not types or terms.LINEAGE[kind].intersection(types):
        return FINE
    return (Violation((part, "type"), f'"{kind}"', f"{' or '.join(types)} {why}", clause, required),)


def _by_action(event: dict[str, Any], kind: str, action: str) -> Violations:
    violations = FINE
    for part, types in terms.BY_ACTION.get((kind, action), {}).items():
        violations += _narrowed(event, part, types, f"for {action}", kind)
    for by_action, required in ((terms.REQUIRED_BY_ACTION, True), (terms.RECOMMENDED_BY_ACTION, False)):
        part = by_action.get((kind, action), "")
        if part and part not in event:
            violations += (missing(part, f"{part}, for {action}", kind, required),)
    if kind == "AnnotationEvent" and action in terms.ANNOTATION_OF_ACTION and _type_of(event.get("generated")) != "Annotation":
        violations += _narrowed(
            event, "generated", (terms.ANNOTATION_OF_ACTION[action],), f"for {action}", "Annotation Profile", required=False
        )
    return violations


def _by_profile(event: dict[str, Any], kind: str, profile: str) -> Violations:
    heading = profile.removesuffix("Profile") + " Profile"
    events = terms.PROFILES[profile]
    if kind not in events:
        expected = f"a profile that has {kind}; this one has {', '.join(sorted(events))}"
        return (Violation(("profile",), f'"{profile}"', expected, heading),)
    return _narrowed(event, "object", events[kind], f"in the {heading}", heading)


def _media(event: dict[str, Any]) -> Violations:
    """MediaEvent and Media Profile: the place in the recording."""
    if "target" not in event:
        recorded = _type_of(event.get("object")) in ("AudioObject", "VideoObject")
        return (missing("target", "a MediaLocation, of a recording", "MediaEvent", required=False),) if recorded else FINE
    target = event["target"]
    if _type_of(target) != "MediaLocation" or "currentTime" in target:
        return FINE
    # MediaLocation: optional; the profile's MUST is about the value that it then has
    return (Violation(("target", "currentTime"), "nothing", "where in the recording it happened", "Media Profile", required=False),)


# Envelopes


def _data(value: object) -> Violations:
    if not isinstance(value, list) or not value:
        return wrong(value, "an array of one event or more", "Envelope")
    return array(_event_or_entity, "events and entities", "Envelope")(value)


def _sensor(value: object) -> Violations:
    if not isinstance(value, str) or not value:
        return wrong(value, "a text that names the sensor", "Envelope")
    return FINE if is_iri(value) else wrong(value, "an IRI", "Envelope", required=False)


_ENVELOPE: dict[str, Validator] = {
    "sensor": _sensor,
    "sendTime": formatted(is_instant, "YYYY-MM-DDTHH:mm:ss.SSSZ, in UTC", "Envelope"),
    "dataVersion": word_of([CONTEXT], "Envelope"),
    "data": _data,
}
_envelope = record("an envelope", "Envelope", _ENVELOPE, required=tuple(_ENVELOPE), unknown="Envelope")
