"""Valid statements, events and envelopes that together have every property of the standards' tables; made up."""

from __future__ import annotations

from typing import Any

UUID = "12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"
AGENT = {"mbox": "mailto:a@example.com"}
ACCOUNT = {"objectType": "Agent", "name": "Ann", "account": {"homePage": "https://lms.example.com", "name": "5"}}
VERB = {"id": "http://x.org/v", "display": {"en": "did"}}
ACTIVITY = {
    "objectType": "Activity",
    "id": "https://x.org/a",
    "definition": {
        "name": {"en-US": "An activity"},
        "description": {"de": "Eine Tätigkeit"},
        "type": "http://x.org/t",
        "moreInfo": "http://x.org/m",
        "extensions": {"http://x.org/e": {"a": None}},
    },
}
REFERENCE = {"objectType": "StatementRef", "id": UUID}
ATTACHMENT = {
    "usageType": "http://x.org/u",
    "display": {"en": "a"},
    "description": {"en": "d"},
    "contentType": "text/plain",
    "length": 1,
    "sha2": "0" * 64,
    "fileUrl": "https://x.org/f",
}
PARTS = {"id": UUID, "actor": AGENT, "verb": VERB}


def _components(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "description": {"en": name}} for name in names]


def _interaction(kind: str, **more: Any) -> dict[str, Any]:
    definition = {"type": "http://adlnet.gov/expapi/activities/cmi.interaction", "interactionType": kind, **more}
    return {**PARTS, "object": {"id": "https://x.org/i", "definition": definition}}


STATEMENTS: list[dict[str, Any]] = [
    {
        **PARTS,
        "actor": ACCOUNT,
        "object": ACTIVITY,
        "result": {
            "score": {"scaled": 0.5, "raw": 1, "min": 0, "max": 2},
            "success": True,
            "completion": False,
            "response": "r",
            "duration": "PT1H2M3.45S",
            "extensions": {"http://x.org/e": 1},
        },
        "context": {
            "registration": UUID,
            "instructor": AGENT,
            "team": {"objectType": "Group", "member": [AGENT]},
            "contextActivities": {
                "parent": [ACTIVITY],
                "grouping": [{"id": "http://x.org/g"}],
                "category": [{"id": "http://x.org/c"}],
                "other": [{"id": "http://x.org/o"}],
            },
            "revision": "1",
            "platform": "p",
            "language": "en-US",
            "statement": REFERENCE,
            "extensions": {"http://x.org/e": "v"},
        },
        "timestamp": "2024-03-11T06:00:00.123Z",
        "stored": "2024-03-11T06:00:00+05:30",
        "authority": {"objectType": "Agent", "openid": "https://o.example.com/"},
        "version": "1.0.0",
        "attachments": [ATTACHMENT],
    },
    {
        **PARTS,
        "actor": {"objectType": "Group", "name": "G", "mbox_sha1sum": "0" * 40, "member": [AGENT, ACCOUNT]},
        "object": {
            "objectType": "SubStatement",
            "actor": AGENT,
            "verb": VERB,
            "object": ACTIVITY,
            "result": {"success": True},
            "context": {"platform": "x"},
            "timestamp": "2024-03-11T06:00:00Z",
        },
    },
    {**PARTS, "verb": {**VERB, "id": "http://adlnet.gov/expapi/verbs/voided"}, "object": REFERENCE},
    {
        **PARTS,
        "object": {"objectType": "Agent", **AGENT},
        "authority": {"objectType": "Group", "member": [{"account": {"homePage": "http://x.org/o", "name": "c"}}, AGENT]},
    },
    {**PARTS, "object": {"objectType": "Group", "member": [AGENT]}},
    _interaction("choice", choices=_components("a", "b"), correctResponsesPattern=["a[,]b"]),
    _interaction("likert", scale=_components("a", "b"), correctResponsesPattern=["a"]),
    _interaction(
        "matching", source=_components("a", "b"), target=_components("c", "d"), correctResponsesPattern=["a[.]c[,]b[.]d"]
    ),
    _interaction("performance", steps=_components("a", "b"), correctResponsesPattern=["a[.]x"]),
    _interaction("sequencing", choices=_components("a", "b")),
    _interaction("numeric", correctResponsesPattern=["4[:]"]),
    _interaction("true-false", correctResponsesPattern=["true"]),
]

CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"
TIME = "2024-03-11T06:00:00.123Z"
PERSON = {"id": "https://x.org/u/1", "type": "Person"}


def entity(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": f"https://x.org/{kind}", "type": kind, **more}


def event(kind: str, action: str, object_: Any, **more: Any) -> dict[str, Any]:
    required = {"@context": CONTEXT, "id": f"urn:uuid:{UUID}", "type": kind, "action": action, "eventTime": TIME}
    return {**required, "actor": PERSON, "object": object_, **more}


EVENTS: list[dict[str, Any]] = [
    event(
        "MediaEvent",
        "Paused",
        entity("VideoObject", duration="PT3M", mediaType="video/ogg", isPartOf=entity("CourseSection", courseNumber="1")),
        profile="MediaProfile",
        target=entity("MediaLocation", currentTime="PT3S"),
        edApp=entity("SoftwareApplication", version="2"),
        group=entity("CourseSection", subOrganizationOf=entity("CourseOffering")),
        membership=entity(
            "Membership", member=PERSON, organization="https://x.org/o", roles=["Learner"], status="Active", dateCreated=TIME
        ),
        session=entity("Session", user=PERSON, startedAtTime=TIME),
        federatedSession=entity("LtiSession", messageParameters={"a": 1}),
        referrer=entity("WebPage"),
        extensions={"a": None},
    ),
    event(
        "GradeEvent",
        "Graded",
        entity(
            "Attempt",
            assignee=PERSON,
            assignable=entity("Assessment", maxScore=5.5, items=[entity("AssessmentItem", isTimeDependent=False)]),
            count=2,
            startedAtTime=TIME,
            endedAtTime=TIME,
            duration="PT5S",
        ),
        profile="GradingProfile",
        generated={
            "id": "_:score",
            "type": "Score",
            "attempt": "https://x.org/a",
            "maxScore": 2,
            "scoreGiven": 1.5,
            "scoredBy": PERSON,
            "comment": "c",
        },
    ),
    event(
        "AssessmentItemEvent",
        "Completed",
        entity("AssessmentItem"),
        profile="AssessmentProfile",
        generated=entity("FillinBlankResponse", values=["a"], attempt=entity("Attempt")),
    ),
    event("SessionEvent", "LoggedIn", entity("SoftwareApplication"), profile="SessionProfile"),
    event("SessionEvent", "TimedOut", entity("Session"), actor=entity("SoftwareApplication")),
    event(
        "ToolLaunchEvent",
        "Launched",
        entity("SoftwareApplication"),
        federatedSession=entity("LtiSession"),
        target=entity("Link"),
    ),
    event(
        "FeedbackEvent",
        "Ranked",
        entity("Document"),
        generated=entity(
            "Rating",
            rater=PERSON,
            question=entity("RatingScaleQuestion", scale=entity("LikertScale", scalePoints=4, itemLabels=["a"])),
            selections=["a"],
        ),
    ),
    event(
        "ForumEvent",
        "Subscribed",
        entity("Forum", items=[entity("Thread", items=[entity("Message", body="b", replyTo="https://x.org/m")])]),
        profile="ForumProfile",
    ),
    event(
        "Event",
        "Created",
        entity(
            "Document",
            creators=[PERSON],
            keywords=["k"],
            otherIdentifiers=[
                {"type": "SystemIdentifier", "identifier": "i", "identifierType": "Other", "source": "https://x.org"}
            ],
        ),
        profile="GeneralProfile",
    ),
    event(
        "ToolUseEvent",
        "Used",
        entity("SoftwareApplication"),
        generated=entity(
            "AggregateMeasureCollection", items=[entity("AggregateMeasure", metric="MinutesOnTask", metricValue=3.5)]
        ),
    ),
    event(
        "AnnotationEvent",
        "Highlighted",
        entity("Document"),
        generated=entity(
            "HighlightAnnotation", selection={"type": "TextPositionSelector", "start": 1, "end": 2}, selectionText="t"
        ),
    ),
    event(
        "SearchEvent",
        "Searched",
        entity("WebPage"),
        generated=entity("SearchResponse", query=entity("Query", searchTerms="x"), searchResultsItemCount=0),
    ),
    event("NavigationEvent", "NavigatedTo", "https://x.org/p", profile="ReadingProfile", actor="https://x.org/u"),
    event("ResourceManagementEvent", "Copied", entity("Document"), generated=entity("Document")),
    event("ViewEvent", "Viewed", entity("Result", resultScore=1), profile="GradingProfile"),
    event(
        "QuestionnaireItemEvent",
        "Completed",
        entity("QuestionnaireItem", weight=1.0, categories=["x"]),
        generated=entity("DateTimeResponse", dateTimeSelected=TIME),
    ),
    event("SurveyInvitationEvent", "Sent", entity("SurveyInvitation", survey=entity("Survey"), sentCount=1, dateSent=TIME)),
]
ENVELOPE: dict[str, Any] = {
    "sensor": "https://x.org/s",
    "sendTime": TIME,
    "dataVersion": CONTEXT,
    "data": [EVENTS[3], {"@context": CONTEXT, **entity("Person", name="n")}],
}
