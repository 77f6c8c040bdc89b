"""What counts as valid Caliper 1.2: a row for each rule, with the place and the heading of the specification."""

from __future__ import annotations

from typing import Any

import pytest

from edx2lrs.transforms.validation.caliper import CONTEXT, caliper_violations
from edx2lrs.transforms.validation.caliper_terms import ACTIONS, ENTITY_TYPES, EVENT_TYPES, LINEAGE, PROFILES
from edx2lrs.transforms.validation.violations import path_text

TIME = "2024-03-11T06:00:00.123Z"
ID = "urn:uuid:12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"


def entity(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": f"https://x.org/{kind}", "type": kind, **more}


def event(kind: str = "MediaEvent", action: str = "Paused", object_: str = "VideoObject", **more: Any) -> dict[str, Any]:
    made = {"@context": CONTEXT, "id": ID, "type": kind, "actor": entity("Person"), "action": action, "eventTime": TIME}
    return {**made, "object": entity(object_), **more}


def general(**more: Any) -> dict[str, Any]:
    """A generic event about a thing with these properties."""
    return event("Event", "Created", object=entity(more.pop("kind", "Document"), **more))


def envelope(*data: Any, **more: Any) -> dict[str, Any]:
    return {"sensor": "https://x.org", "sendTime": TIME, "dataVersion": CONTEXT, "data": list(data), **more}


def told(document: Any, required: bool = True) -> set[tuple[str, str]]:
    """The places and headings of the faults; or of the recommendations."""
    faults = caliper_violations(document)
    assert all(fault.clause.startswith("Caliper 1.2, ") for fault in faults)
    return {(path_text(f.path), f.clause.removeprefix("Caliper 1.2, ")) for f in faults if f.required == required}


@pytest.mark.parametrize(
    "document",
    [
        event(),
        event(actor="https://x.org/u/1", object="https://x.org/v", session="_:session"),
        event(target={"id": "_:here", "type": "MediaLocation", "currentTime": "PT3.5S"}, extensions={"any": [1, None]}),
        event(**{"@context": ["https://example.com/own", {"q": "http://x.org/q"}, CONTEXT]}),
        event("Event", "Searched", "Entity", profile="GeneralProfile"),
        event("ViewEvent", "Viewed", "Result", profile="GradingProfile"),
        event("AssessmentItemEvent", "Skipped", "AssessmentItem", generated=entity("Attempt", isPartOf="https://x.org/a")),
        event("GradeEvent", "Graded", "Attempt", actor=entity("SoftwareApplication"), generated=entity("Score", scoreGiven=1)),
        event("SessionEvent", "TimedOut", "Session", actor=entity("SoftwareApplication")),
        event(group=entity("CourseSection"), membership=entity("Membership", roles=["Learner", "Mentor#Tutor"], status="Active")),
        general(otherIdentifiers=[{"type": "SystemIdentifier", "identifier": "1", "identifierType": "SystemId"}]),
        general(name=None, keywords=[], description="", extensions={}),
        general(kind="Collection", items=[entity("Person"), "https://x.org/any"]),
        general(kind="AssessmentItem", maxAttempts=2, maxSubmits=0.0, maxScore=2.5, **{"@context": "https://x.org/own"}),
        {"@context": CONTEXT, **entity("Person", name="n")},
        envelope(event(), {"@context": CONTEXT, **entity("Person")}),
        envelope(event(), sensor="lms"),
    ],
)
def test_valid(document: Any) -> None:
    assert told(document) == set()


@pytest.mark.parametrize(
    ("document", "path", "heading"),
    [
        # Event
        (event(id="12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"), "id", "Event"),
        (event(eventTime="2024-03-11T06:00:00Z"), "eventTime", "Event"),
        (event(eventTime="2024-03-11T06:00:00.123+00:00"), "eventTime", "Event"),
        (event(eventTime="2024-02-30T06:00:00.123Z"), "eventTime", "Event"),
        (event(eventTime=None), "eventTime", "Event"),
        (event(own=1), "own", "Event"),
        (event(context=CONTEXT), "context", "Event"),
        (event(extensions="x"), "extensions", "Event"),
        (event(type="WatchEvent"), "type", "Event"),
        (event(type="VideoObject"), "type", "Event"),
        (event(type=None), "type", "Event"),
        (event(target=None), "target", "MediaEvent"),
        (event(edApp=entity("Person")), "edApp.type", "Event"),
        (event(group=entity("Person")), "group.type", "Event"),
        (event(federatedSession=entity("Session")), "federatedSession.type", "Event"),
        # JSON-LD Context, Identifiers
        (event(**{"@context": "http://purl.imsglobal.org/ctx/caliper/v1p1"}), "@context", "JSON-LD Context"),
        (event(**{"@context": [CONTEXT, "https://example.com/own"]}), "@context", "JSON-LD Context"),
        (event(**{"@context": {"id": "@id"}}), "@context", "JSON-LD Context"),
        (general(**{"@context": 5}), "object.@context", "JSON-LD Context"),
        (event(actor={"id": "user 5", "type": "Person"}), "actor.id", "Identifiers"),
        (event(actor="/users/5"), "actor", "MediaEvent"),
        # Entity
        (event(actor={"id": "https://x.org/u"}), "actor.type", "Entity"),
        (event(actor={"type": "Person"}), "actor.id", "Entity"),
        (event(actor={**entity("Person"), "email": "x"}), "actor.email", "Entity"),
        (event(object=entity("Webpage")), "object.type", "Entity"),
        (event(actor=entity("VideoObject")), "actor.type", "MediaEvent"),
        (general(dateCreated="2024-03-11"), "object.dateCreated", "Entity"),
        (general(dateCreated=None), "object.dateCreated", "Entity"),
        (general(name=5), "object.name", "Entity"),
        (general(version=1), "object.version", "DigitalResource"),
        (general(keywords="x"), "object.keywords", "DigitalResource"),
        (general(keywords=[1]), "object.keywords[0]", "DigitalResource"),
        (general(creators=[entity("Document")]), "object.creators[0].type", "DigitalResource"),
        (general(extensions=[]), "object.extensions", "Entity"),
        (general(otherIdentifiers=[{"type": "SystemIdentifier"}]), "object.otherIdentifiers[0].identifier", "SystemIdentifier"),
        (general(kind="VideoObject", duration="3"), "object.duration", "MediaObject"),
        (general(kind="Attempt", count=1.5), "object.count", "Attempt"),
        (general(kind="Attempt", assignee=entity("Group")), "object.assignee.type", "Attempt"),
        (general(kind="AssessmentItem", maxAttempts=-1), "object.maxAttempts", "AssignableDigitalResource"),
        (general(kind="AssessmentItem", isTimeDependent="no"), "object.isTimeDependent", "AssessmentItem"),
        (general(kind="Score", maxScore="2"), "object.maxScore", "Score"),
        (general(kind="Membership", roles=["Student"]), "object.roles[0]", "Membership"),
        (general(kind="Membership", status="active"), "object.status", "Membership"),
        (general(kind="AggregateMeasure", metric="Clicks", metricValue=1), "object.metric", "AggregateMeasure"),
        (general(kind="AggregateMeasure", metric="WordsRead"), "object.metricValue", "AggregateMeasure"),
        (general(kind="Assessment", items=[entity("Document")]), "object.items[0].type", "Assessment"),
        (general(kind="Message", replyTo=entity("Thread")), "object.replyTo.type", "Message"),
        (general(isPartOf=entity("Chapter", isPartOf={"id": "x"})), "object.isPartOf.isPartOf.type", "Entity"),
        # the events' own entries
        (event(action="paused"), "action", "MediaEvent"),
        (event(action="Viewed"), "action", "MediaEvent"),
        (event("Event", "Watched", "Entity"), "action", "Event"),
        (event("ThreadEvent", "MarkedAsUnRead", "Thread"), "action", "ThreadEvent"),
        (event(object=entity("Document")), "object.type", "MediaEvent"),
        (event(target=entity("Frame")), "target.type", "MediaEvent"),
        (
            event("AssessmentItemEvent", "Completed", "AssessmentItem", generated=entity("Attempt")),
            "generated.type",
            "AssessmentItemEvent",
        ),
        (event("FeedbackEvent", "Ranked", "Document", generated=entity("Comment")), "generated.type", "FeedbackEvent"),
        (event("GradeEvent", "Graded", "Assessment"), "object.type", "GradeEvent"),
        (event("SessionEvent", "LoggedIn", "Session"), "object.type", "SessionEvent"),
        (event("SessionEvent", "TimedOut", "Session"), "actor.type", "SessionEvent"),
        (event("ToolLaunchEvent", "Launched", "SoftwareApplication"), "federatedSession", "ToolLaunchEvent"),
        (event("ResourceManagementEvent", "Copied", "Document"), "generated", "ResourceManagementEvent"),
        (event("SurveyEvent", "Started", "Survey"), "action", "SurveyEvent"),
        # the profiles
        (event(profile="VideoProfile"), "profile", "Event"),
        (event(profile="ReadingProfile"), "profile", "Reading Profile"),
        (event("Event", "Viewed", "Entity", profile="MediaProfile"), "profile", "Media Profile"),
        (event("ViewEvent", "Viewed", "Document", profile="ForumProfile"), "object.type", "Forum Profile"),
        # Envelope
        (envelope(), "data", "Envelope"),
        (envelope(event(), data={}), "data", "Envelope"),
        (envelope(event(), sensor=5), "sensor", "Envelope"),
        (envelope(event(), sendTime="2024-03-11T06:00:00Z"), "sendTime", "Envelope"),
        (envelope(event(), dataVersion="http://purl.imsglobal.org/ctx/caliper/v1p1"), "dataVersion", "Envelope"),
        (envelope(event(), count=1), "count", "Envelope"),
        (envelope(event(), event(id="x")), "data[1].id", "Event"),
        (envelope(event(), entity("Person")), "data[1].@context", "JSON-LD Context"),
        (envelope(event(), "x"), "data[1]", "JSON-LD Payload"),
    ],
)
def test_not_valid_there_and_by_that_heading(document: Any, path: str, heading: str) -> None:
    assert (path, heading) in told(document)


@pytest.mark.parametrize("missing", ["id", "actor", "action", "object", "eventTime", "type"])
def test_what_an_event_needs(missing: str) -> None:
    assert (missing, "Event") in told({key: value for key, value in event().items() if key != missing})


def test_an_event_needs_a_context() -> None:
    assert told({key: value for key, value in event().items() if key != "@context"}) == {("@context", "JSON-LD Context")}


@pytest.mark.parametrize("missing", ["sensor", "sendTime", "dataVersion", "data"])
def test_what_an_envelope_needs(missing: str) -> None:
    assert (missing, "Envelope") in told({key: value for key, value in envelope(event()).items() if key != missing})


@pytest.mark.parametrize(
    ("document", "path", "heading"),
    [
        (event(), "profile", "Event"),
        (event(), "target", "MediaEvent"),
        (event(target=entity("MediaLocation")), "target.currentTime", "Media Profile"),
        (event(extensions={}), "extensions", "Event"),
        (general(name=None), "object.name", "Entity"),
        (general(keywords=[]), "object.keywords", "DigitalResource"),
        (event("GradeEvent", "Graded", "Attempt"), "generated", "GradeEvent"),
        (event("AssignableEvent", "Started", "Assessment"), "generated", "AssignableEvent"),
        (
            event("AnnotationEvent", "Tagged", "Document", generated=entity("BookmarkAnnotation")),
            "generated.type",
            "Annotation Profile",
        ),
        (envelope(event(), sensor="lms"), "sensor", "Envelope"),
    ],
)
def test_what_is_only_recommended_leaves_a_document_valid(document: Any, path: str, heading: str) -> None:
    assert (path, heading) in told(document, required=False)
    assert told(document) == set()


@pytest.mark.parametrize("kind", list(EVENT_TYPES))
def test_every_event_takes_its_actions_and_no_other(kind: str) -> None:
    taken = {action for action in ACTIONS if ("action", kind) not in told(event(kind, action))}
    assert taken == EVENT_TYPES[kind].actions


@pytest.mark.parametrize("kind", list(ENTITY_TYPES))
def test_every_entity_type_can_stand_alone(kind: str) -> None:
    more = {"metric": "WordsRead", "metricValue": 1} if kind == "AggregateMeasure" else {}
    assert told({"@context": CONTEXT, **entity(kind, **more)}) == set()


def test_the_tables_name_each_other() -> None:
    named = {part for event_type in EVENT_TYPES.values() for types in event_type.parts.values() for part in types}
    named |= {part for events in PROFILES.values() for types in events.values() for part in types}
    assert named <= ENTITY_TYPES.keys()
    assert {event_type for events in PROFILES.values() for event_type in events} == EVENT_TYPES.keys()
    assert LINEAGE["CourseSection"] == {"CourseSection", "CourseOffering", "Organization", "Agent", "Entity"}


def test_entities_within_entities_without_end_are_a_fault_and_no_traceback() -> None:
    part: Any = "https://x.org/end"
    for _ in range(5_000):
        part = entity("Document", isPartOf=part)
    assert told(event("ViewEvent", "Viewed", object=part)) == {("", "Entity")}


@pytest.mark.parametrize("document", [None, [], "text", 5, {}])
def test_what_is_no_event_at_all(document: Any) -> None:
    assert told(document)
