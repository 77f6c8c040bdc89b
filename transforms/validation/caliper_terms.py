"""The terms of Caliper 1.2 as tables: entity types, event types, profiles, actions, and the type of each property's value.

Source: Caliper Analytics specification 1.2, the entries of its entities, events and profiles, its lists of actions, metrics,
roles, statuses and system identifier types, and its JSON-LD context.
"""

from __future__ import annotations

from typing import NamedTuple


class EntityType(NamedTuple):
    """``supertypes``: the types that the entity has too. ``properties``: the properties besides those of the supertypes. ``items``:
    the type of a collection's items."""

    supertypes: tuple[str, ...]
    properties: tuple[str, ...] = ()
    items: str | None = None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _type(supertypes: str, properties: str = "", items: str | None = None) -> EntityType:
    return EntityType(_words(supertypes), _words(properties), items)


_AMOUNTS = "startedAtTime endedAtTime duration"
_SCALE = "scalePoints itemLabels itemValues"

ENTITY_TYPES: dict[str, EntityType] = {
    "Entity": _type("", "name description dateCreated dateModified otherIdentifiers extensions"),
    "Agent": _type("Entity"),
    "AggregateMeasure": _type("Entity", "metricValue maxMetricValue metric startedAtTime endedAtTime"),
    "AggregateMeasureCollection": _type("Collection", items="AggregateMeasure"),
    "Annotation": _type("Entity", "annotator annotated"),
    "Assessment": _type("AssignableDigitalResource DigitalResourceCollection", items="AssessmentItem"),
    "AssessmentItem": _type("AssignableDigitalResource", "isTimeDependent"),
    "AssignableDigitalResource": _type(
        "DigitalResource", "dateToActivate dateToShow dateToStartOn dateToSubmit maxAttempts maxSubmits maxScore"
    ),
    # isPartOf: not in its own entry, but in the Assessment, Assignable and Survey Profiles
    "Attempt": _type("Entity", f"assignee assignable count isPartOf {_AMOUNTS}"),
    "AudioObject": _type("MediaObject", "muted volumeLevel volumeMin volumeMax"),
    "BookmarkAnnotation": _type("Annotation", "bookmarkNotes"),
    "Chapter": _type("DigitalResource"),
    "Collection": _type("Entity", "items", items="Entity"),
    "Comment": _type("Entity", "commenter commentedOn value"),
    "CourseOffering": _type("Organization", "courseNumber academicSession"),
    "CourseSection": _type("CourseOffering", "category"),
    "DateTimeQuestion": _type("Question", "minDateTime maxDateTime minLabel maxLabel"),
    "DateTimeResponse": _type("Response", "dateTimeSelected"),
    "DigitalResource": _type("Entity", "storageName mediaType version creators keywords learningObjectives isPartOf datePublished"),
    "DigitalResourceCollection": _type("DigitalResource Collection", items="DigitalResource"),
    "Document": _type("DigitalResource"),
    "FillinBlankResponse": _type("Response", "values"),
    "Forum": _type("DigitalResourceCollection", items="Thread"),
    "Frame": _type("DigitalResource", "index"),
    "Group": _type("Organization"),
    # selection: not in its own entry, but in the JSON-LD context and its example
    "HighlightAnnotation": _type("Annotation", "selection selectionText"),
    "ImageObject": _type("MediaObject"),
    "LearningObjective": _type("Entity"),
    "LikertScale": _type("Scale", _SCALE),
    "Link": _type("Entity"),
    "LtiLink": _type("DigitalResource", "messageType"),
    "LtiSession": _type("Session", "messageParameters"),
    "MediaLocation": _type("DigitalResource", "currentTime"),
    "MediaObject": _type("DigitalResource", "duration"),
    "Membership": _type("Entity", "organization member roles status"),
    "Message": _type("DigitalResource", "body attachments replyTo"),
    "MultipleChoiceResponse": _type("Response", "value"),
    "MultipleResponseResponse": _type("Response", "values"),
    "MultiselectQuestion": _type("Question", "itemLabels itemValues points"),
    "MultiselectResponse": _type("Response", "selections"),
    "MultiselectScale": _type("Scale", f"{_SCALE} isOrderedSelection minSelections maxSelections"),
    "NumericScale": _type("Scale", "minLabel maxLabel minValue maxValue step"),
    "OpenEndedQuestion": _type("Question"),
    "OpenEndedResponse": _type("Response", "value"),
    "Organization": _type("Agent", "members subOrganizationOf"),
    "Page": _type("DigitalResource"),
    "Person": _type("Agent"),
    "Query": _type("Entity", "creator searchTarget searchTerms"),
    "Question": _type("DigitalResource", "questionPosed"),
    "Questionnaire": _type("DigitalResourceCollection", items="QuestionnaireItem"),
    "QuestionnaireItem": _type("DigitalResource", "question categories weight"),
    "Rating": _type("Entity", "rater rated question selections ratingComment"),
    "RatingScaleQuestion": _type("Question", "scale"),
    "RatingScaleResponse": _type("Response", "selections"),
    "Response": _type("Entity", f"attempt {_AMOUNTS}"),
    "Result": _type("Entity", "attempt maxResultScore resultScore scoredBy comment"),
    "Scale": _type("Entity"),
    "Score": _type("Entity", "attempt maxScore scoreGiven scoredBy comment"),
    "SearchResponse": _type("Entity", "searchProvider searchTarget query searchResultsItemCount searchResults"),
    "SelectTextResponse": _type("Response", "values"),
    "Session": _type("Entity", f"user client {_AMOUNTS}"),
    "SharedAnnotation": _type("Annotation", "withAgents"),
    "SoftwareApplication": _type("Agent", "host ipAddress userAgent version"),
    "Survey": _type("Collection", items="Questionnaire"),
    "SurveyInvitation": _type("DigitalResource", "rater survey sentCount dateSent"),
    "TagAnnotation": _type("Annotation", "tags"),
    "Thread": _type("DigitalResourceCollection", items="Message"),
    "TrueFalseResponse": _type("Response", "value"),
    "VideoObject": _type("MediaObject"),
    "WebPage": _type("DigitalResource"),
}

# Objects that are no Entity and have no id: the properties that an object must have beside its type, and may have.
VALUE_TYPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "SystemIdentifier": (("identifier", "identifierType"), ("source", "extensions")),
    "TextPositionSelector": ((), ("start", "end")),
}


def _types_of(properties: dict[str, str]) -> dict[str, str]:
    """The type of each property, from the properties that have each type."""
    return {name: kind for kind, names in properties.items() for name in names.split()}


# The types of properties' values. Every property has one type, whatever entity has it.
VALUES: dict[str, str] = _types_of({
    "text": "name description storageName mediaType version courseNumber academicSession category selectionText bookmarkNotes body "
    "comment searchTerms questionPosed minLabel maxLabel volumeLevel volumeMin volumeMax host ipAddress userAgent value identifier "
    "messageType",
    "texts": "keywords tags values selections itemLabels itemValues categories",
    "integer": "count index scalePoints minSelections maxSelections sentCount",
    "count": "maxAttempts maxSubmits points searchResultsItemCount start end",  # not below 0
    "decimal": "metricValue maxMetricValue maxScore scoreGiven maxResultScore resultScore minValue maxValue step weight",
    "boolean": "isTimeDependent muted isOrderedSelection",
    "object": "extensions messageParameters",
    "duration": "duration currentTime",
    "instant": "dateCreated dateModified datePublished dateToActivate dateToShow dateToStartOn dateToSubmit startedAtTime endedAtTime "
    "dateSent dateTimeSelected minDateTime maxDateTime",
})
ENTITIES: dict[str, str] = _types_of({
    "Agent": "scoredBy",
    "Attempt": "attempt",
    "Comment": "ratingComment",
    "DigitalResource": "annotated assignable",
    "Entity": "commentedOn isPartOf rated searchTarget",
    "Message": "replyTo",
    "Organization": "organization subOrganizationOf",
    "Person": "annotator assignee commenter creator member rater user",
    "Query": "query",
    "Question": "question",
    "Scale": "scale",
    "SoftwareApplication": "client searchProvider source",
    "Survey": "survey",
})
LISTS_OF_ENTITIES: dict[str, str] = _types_of({
    "Agent": "creators members withAgents",
    "DigitalResource": "attachments",
    "Entity": "searchResults",
    "LearningObjective": "learningObjectives",
})
METRICS = _words(
    "AssessmentsPassed AssessmentsSubmitted MinutesOnTask SkillsMastered StandardsMastered UnitsCompleted UnitsPassed WordsRead"
)
STATUSES = ("Active", "Inactive")
IDENTIFIER_TYPES = _words(
    "AccountUserName EmailAddress LisSourcedId LtiContextId LtiDeploymentId LtiPlatformId LtiToolId LtiUserId "
    "OneRosterSourcedId Other SisSourcedId SystemId"
)
_SUBROLES = {
    "Administrator": "Administrator Developer ExternalDeveloper ExternalSupport ExternalSystemAdministrator Support "
    "SystemAdministrator",
    "ContentDeveloper": "ContentDeveloper ContentExpert ExternalContentExpert Librarian",
    "Instructor": "ExternalInstructor Grader GuestInstructor Instructor Lecturer PrimaryInstructor SecondaryInstructor "
    "TeachingAssistant TeachingAssistantGroup TeachingAssistantOffering TeachingAssistantSection TeachingAssistantTemplate",
    "Learner": "ExternalLearner GuestLearner Learner NonCreditLearner",
    "Manager": "AreaManager CourseCoordinator ExternalObserver Manager Observer",
    "Member": "Member",
    "Mentor": "Advisor Auditor ExternalAdvisor ExternalAuditor ExternalLearningFacilitator ExternalMentor ExternalReviewer "
    "ExternalTutor LearningFacilitator Mentor Reviewer Tutor",
    "Officer": "Chair Secretary Treasurer Vice-Chair",
}
ROLES = frozenset(_SUBROLES) | {f"{role}#{part}" for role, parts in _SUBROLES.items() for part in parts.split()}

class EventType(NamedTuple):
    """``actions``: the only actions that the event may have. ``parts``: the types of the entities in the event's properties. The actor
    of most events is a person."""

    actions: frozenset[str]
    parts: dict[str, tuple[str, ...]]


def _event(actions: str, actor: str = "Person", **parts: str) -> EventType:
    return EventType(frozenset(actions.split()), {part: tuple(types.split()) for part, types in {"actor": actor, **parts}.items()})


# What every event has, unless its own entry says more
EVENT_PARTS: dict[str, tuple[str, ...]] = {
    "actor": ("Agent",), "object": ("Entity",), "target": ("Entity",), "generated": ("Entity",), "referrer": ("Entity",),
    "edApp": ("SoftwareApplication",), "group": ("Organization",), "membership": ("Membership",), "session": ("Session",),
    "federatedSession": ("LtiSession",),
}
_EVENT_TYPES: dict[str, EventType] = {
    "AnnotationEvent": _event("Bookmarked Highlighted Shared Tagged", object="DigitalResource", target="Frame", generated="Annotation"),
    "AssessmentEvent": _event("Started Paused Resumed Restarted Reset Submitted", object="Assessment", generated="Attempt"),
    # generated: a Response by its own entry, an Attempt too by the Assessment Profile; see BY_ACTION
    "AssessmentItemEvent": _event(
        "Started Skipped Completed", object="AssessmentItem", generated="Response Attempt", referrer="AssessmentItem"
    ),
    "AssignableEvent": _event(
        "Activated Deactivated Started Completed Submitted Reviewed",
        object="AssignableDigitalResource", target="Frame", generated="Attempt",
    ),
    "FeedbackEvent": _event("Commented Ranked", object="Entity", target="Frame", generated="Rating Comment"),
    "ForumEvent": _event("Subscribed Unsubscribed", object="Forum"),
    "GradeEvent": _event("Graded", actor="Agent", object="Attempt", generated="Score"),
    "MediaEvent": _event(
        "Started Ended Paused Resumed Restarted ForwardedTo JumpedTo ChangedResolution ChangedSize ChangedSpeed ChangedVolume "
        "EnabledClosedCaptioning DisabledClosedCaptioning EnteredFullScreen ExitedFullScreen Muted Unmuted OpenedPopout ClosedPopout",
        object="MediaObject", target="MediaLocation",
    ),
    # MarkedAsUnread: so in the action's own entry and in the JSON-LD context; the events' entries write MarkedAsUnRead
    "MessageEvent": _event("MarkedAsRead MarkedAsUnread Posted", object="Message"),
    "NavigationEvent": _event(
        "NavigatedTo",
        object="DigitalResource SoftwareApplication", target="DigitalResource", referrer="DigitalResource SoftwareApplication",
    ),
    "QuestionnaireEvent": _event("Started Submitted", object="Questionnaire", generated="Attempt"),
    "QuestionnaireItemEvent": _event("Started Skipped Completed", object="QuestionnaireItem", generated="Response Attempt"),
    "ResourceManagementEvent": _event(
        "Archived Copied Created Deleted Described Downloaded Modified Printed Published Restored Retrieved Saved Unpublished "
        "Uploaded",
        object="DigitalResource", generated="DigitalResource",
    ),
    "SearchEvent": _event("Searched", object="Entity", generated="SearchResponse"),
    "SessionEvent": _event(
        "LoggedIn LoggedOut TimedOut",
        actor="Person SoftwareApplication", object="Session SoftwareApplication",
        target="DigitalResource", referrer="DigitalResource SoftwareApplication",
    ),
    "SurveyEvent": _event("OptedIn OptedOut", object="Survey"),
    "SurveyInvitationEvent": _event("Accepted Declined Sent", object="SurveyInvitation"),
    "ThreadEvent": _event("MarkedAsRead MarkedAsUnread", object="Thread"),
    "ToolLaunchEvent": _event(
        "Launched Returned",
        object="SoftwareApplication", generated="DigitalResource", target="Link LtiLink", federatedSession="LtiSession",
    ),
    "ToolUseEvent": _event("Used", object="SoftwareApplication", target="SoftwareApplication", generated="AggregateMeasureCollection"),
    # object: a DigitalResource by its own entry, a Result by the Grading Profile
    "ViewEvent": _event("Viewed", object="DigitalResource Result"),
}
_ACTIONS_OF_NO_EVENT_TYPE = _words(
    "Abandoned Added Attached Classified Disliked Hid Identified Liked Linked Questioned Recommended Removed Rewound Showed"
)
ACTIONS = frozenset(_ACTIONS_OF_NO_EVENT_TYPE).union(*(kind.actions for kind in _EVENT_TYPES.values()))
EVENT_TYPES: dict[str, EventType] = {"Event": EventType(ACTIONS, {}), **_EVENT_TYPES}

# What an action narrows: (event type, action) -> the types of its parts
BY_ACTION: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("AssessmentItemEvent", "Completed"): {"generated": ("Response",)},
    ("FeedbackEvent", "Commented"): {"generated": ("Comment",)},
    ("FeedbackEvent", "Ranked"): {"generated": ("Rating",)},
    ("QuestionnaireItemEvent", "Completed"): {"generated": ("Response",)},
    ("SessionEvent", "LoggedIn"): {"actor": ("Person",), "object": ("SoftwareApplication",)},
    ("SessionEvent", "LoggedOut"): {"actor": ("Person",), "object": ("SoftwareApplication",)},
    ("SessionEvent", "TimedOut"): {"actor": ("SoftwareApplication",), "object": ("Session",)},
}
REQUIRED_BY_ACTION: dict[tuple[str, str], str] = {
    ("ResourceManagementEvent", "Copied"): "generated",
    ("ToolLaunchEvent", "Launched"): "federatedSession",
}
# What the profiles say SHOULD be given
_GENERATING = ("AnnotationEvent", "AssessmentEvent", "FeedbackEvent", "GradeEvent", "QuestionnaireEvent", "SearchEvent")
RECOMMENDED_BY_ACTION: dict[tuple[str, str], str] = {
    **{(event, action): "generated" for event in _GENERATING for action in EVENT_TYPES[event].actions},
    **{("AssignableEvent", action): "generated" for action in ("Started", "Completed", "Submitted", "Reviewed")},
}
ANNOTATION_OF_ACTION = {
    "Bookmarked": "BookmarkAnnotation",
    "Highlighted": "HighlightAnnotation",
    "Shared": "SharedAnnotation",
    "Tagged": "TagAnnotation",
}


def _seen(*types: str) -> dict[str, tuple[str, ...]]:
    """The events of a learner who goes to an object of these types or views the object."""
    return {"NavigationEvent": types, "ViewEvent": types}


# profile -> its event types, each with the types of its object; none: those of the event
PROFILES: dict[str, dict[str, tuple[str, ...]]] = {
    "AnnotationProfile": {"AnnotationEvent": ()},
    "AssessmentProfile": {"AssessmentEvent": (), "AssessmentItemEvent": (), **_seen("Assessment", "AssessmentItem")},
    "AssignableProfile": {"AssignableEvent": (), **_seen("AssignableDigitalResource")},
    "FeedbackProfile": {"FeedbackEvent": ()},
    "ForumProfile": {"ForumEvent": (), "MessageEvent": (), "ThreadEvent": (), **_seen("Forum", "Message", "Thread")},
    "GeneralProfile": {"Event": ()},
    "GradingProfile": {"GradeEvent": (), "ViewEvent": ("Result",)},
    "MediaProfile": {"MediaEvent": (), **_seen("MediaObject")},
    "ReadingProfile": {"NavigationEvent": (), "ViewEvent": ("DigitalResource",)},
    "ResourceManagementProfile": {"ResourceManagementEvent": ()},
    "SearchProfile": {"SearchEvent": ()},
    "SessionProfile": {"SessionEvent": ()},
    "SurveyProfile": {
        **dict.fromkeys(("QuestionnaireEvent", "QuestionnaireItemEvent", "SurveyEvent", "SurveyInvitationEvent"), ()),
        **_seen("Questionnaire", "QuestionnaireItem"),
    },
    "ToolLaunchProfile": {"ToolLaunchEvent": ()},
    "ToolUseProfile": {"ToolUseEvent": ()},
}


def _lineage(name: str) -> frozenset[str]:
    return frozenset({name}).union(*(_lineage(each) for each in ENTITY_TYPES[name].supertypes))


LINEAGE: dict[str, frozenset[str]] = {name: _lineage(name) for name in ENTITY_TYPES}
"""Each entity type with all its supertypes."""
