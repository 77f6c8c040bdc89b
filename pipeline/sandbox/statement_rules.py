"""What a valid xAPI 1.0.3 statement is, as a table: one struct per kind of object, one line per property.

A struct refuses keys that it does not name, nulls, and values of another type (xAPI-Data 2.2, "Formatting
Requirements"); what a pattern cannot say stands in its ``__post_init__``. The sections named are those of xAPI-Data.md.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Iri = Annotated[str, Meta(pattern=r'^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+\Z')]
Uuid = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\Z")]
MailTo = Annotated[str, Meta(pattern=r"^mailto:[^@\s]+@[^@\s]+\Z")]
Sha1 = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{40}\Z")]
Sha2 = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})\Z")]
Language = Annotated[str, Meta(pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z")]
Version = Annotated[str, Meta(pattern=r"^1\.0(\.\d+)?\Z")]
Duration = Annotated[str, Meta(pattern=r"^P(\d+(\.\d+)?W|(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)\Z")]
# RFC 3339 with a known zone: -00:00 says that the zone is unknown (4.5 ISO 8601 Timestamps)
Timestamp = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
        r"(Z|\+([01]\d|2[0-3]):[0-5]\d|-(?!00:00)([01]\d|2[0-3]):[0-5]\d)\Z"
    ),
]
InteractionType = Literal[
    "true-false",
    "choice",
    "fill-in",
    "long-fill-in",
    "matching",
    "performance",
    "sequencing",
    "likert",
    "numeric",
    "other",
]
LanguageMap = dict[Language, str]
Extensions = dict[Iri, Any]


class _Rules(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Base of the table: what is not listed is not allowed."""


class Account(_Rules):
    """2.4.2.4 Account Object."""

    home_page: Iri
    name: str


class Agent(_Rules):
    """2.4.2.1 Agent; 2.4.2.2 Group, whose members are Agents."""

    object_type: Literal["Agent", "Group"] = "Agent"
    name: str | UnsetType = UNSET
    mbox: MailTo | UnsetType = UNSET
    mbox_sha1sum: Sha1 | UnsetType = msgspec.field(default=UNSET, name="mbox_sha1sum")
    openid: Iri | UnsetType = UNSET
    account: Account | UnsetType = UNSET
    member: list[Agent] | UnsetType = UNSET

    def __post_init__(self) -> None:
        identifiers = 4 - [self.mbox, self.mbox_sha1sum, self.openid, self.account].count(UNSET)
        if self.object_type == "Agent":
            _require(identifiers == 1, "an Agent has exactly one of mbox, mbox_sha1sum, openid, account")
            _require(self.member is UNSET, "an Agent has no member")
        else:
            _require(identifiers <= 1, "a Group has at most one of mbox, mbox_sha1sum, openid, account")
            _require(identifiers == 1 or bool(self.member), "a Group without an identifier names its members")
            members = [] if self.member is UNSET else self.member
            _require(all(m.object_type == "Agent" for m in members), "a Group's members are Agents")


class Verb(_Rules):
    """2.4.3 Verb."""

    id: Iri
    display: LanguageMap | UnsetType = UNSET


class Component(_Rules):
    """2.4.4.1 Interaction Components."""

    id: str
    description: LanguageMap | UnsetType = UNSET


# 2.4.4.1, table "Interaction Components": which lists an interaction type may have
_COMPONENTS = {
    "choice": {"choices"},
    "sequencing": {"choices"},
    "likert": {"scale"},
    "matching": {"source", "target"},
    "performance": {"steps"},
}


class Definition(_Rules):
    """2.4.4.1 Activity Definition, with the Interaction Activities."""

    name: LanguageMap | UnsetType = UNSET
    description: LanguageMap | UnsetType = UNSET
    type: Iri | UnsetType = UNSET
    more_info: Iri | UnsetType = UNSET
    extensions: Extensions | UnsetType = UNSET
    interaction_type: InteractionType | UnsetType = UNSET
    correct_responses_pattern: list[str] | UnsetType = UNSET
    choices: list[Component] | UnsetType = UNSET
    scale: list[Component] | UnsetType = UNSET
    source: list[Component] | UnsetType = UNSET
    target: list[Component] | UnsetType = UNSET
    steps: list[Component] | UnsetType = UNSET

    def __post_init__(self) -> None:
        names = ("choices", "scale", "source", "target", "steps")
        given = {name: components for name in names if (components := getattr(self, name)) is not UNSET}
        if self.interaction_type is UNSET:
            _require(not given and self.correct_responses_pattern is UNSET, "an interaction has an interactionType")
            return
        allowed = _COMPONENTS.get(self.interaction_type, set())
        _require(given.keys() <= allowed, "a component list of another interactionType")
        for name, components in given.items():
            _require(len({component.id for component in components}) == len(components), f"ids within {name} are distinct")


class Activity(_Rules):
    """2.4.4.1 When the Object is an Activity."""

    id: Iri
    object_type: Literal["Activity"] = "Activity"
    definition: Definition | UnsetType = UNSET


class StatementRef(_Rules):
    """2.4.4.3 When the Object is a Statement: a reference."""

    object_type: Literal["StatementRef"]
    id: Uuid


class Score(_Rules):
    """2.4.5.1 Score."""

    scaled: Annotated[float, Meta(ge=-1, le=1)] | UnsetType = UNSET
    raw: float | UnsetType = UNSET
    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET

    def __post_init__(self) -> None:
        low = float("-inf") if self.min is UNSET else self.min
        high = float("inf") if self.max is UNSET else self.max
        # the text asks for min below max; equal ones are let through, as LRSs do: a task may be worth nothing
        _require(low <= high, "min is not above max")
        _require(self.raw is UNSET or low <= self.raw <= high, "raw lies between min and max")


class Result(_Rules):
    """2.4.5 Result."""

    score: Score | UnsetType = UNSET
    success: bool | UnsetType = UNSET
    completion: bool | UnsetType = UNSET
    response: str | UnsetType = UNSET
    duration: Duration | UnsetType = UNSET
    extensions: Extensions | UnsetType = UNSET


class ContextActivities(_Rules):
    """2.4.6.2 ContextActivities: one Activity stands for a list of one."""

    parent: Activity | list[Activity] | UnsetType = UNSET
    grouping: Activity | list[Activity] | UnsetType = UNSET
    category: Activity | list[Activity] | UnsetType = UNSET
    other: Activity | list[Activity] | UnsetType = UNSET


class Context(_Rules):
    """2.4.6 Context."""

    registration: Uuid | UnsetType = UNSET
    instructor: Agent | UnsetType = UNSET
    team: Agent | UnsetType = UNSET
    context_activities: ContextActivities | UnsetType = UNSET
    revision: str | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    statement: StatementRef | UnsetType = UNSET
    extensions: Extensions | UnsetType = UNSET

    def __post_init__(self) -> None:
        _require(self.team is UNSET or self.team.object_type == "Group", "team is a Group")


class Attachment(_Rules):
    """2.4.11 Attachments."""

    usage_type: Iri
    display: LanguageMap
    content_type: str
    length: Annotated[int, Meta(ge=0)]
    sha2: Sha2
    description: LanguageMap | UnsetType = UNSET
    file_url: Iri | UnsetType = UNSET


class _Parts(_Rules):
    """2.4 Statement Properties: those that a SubStatement has too."""

    actor: Agent
    verb: Verb
    object: Any  # an object of one of _OBJECTS, checked in _check_parts: its rules hang on its objectType
    result: Result | UnsetType = UNSET
    context: Context | UnsetType = UNSET
    timestamp: Timestamp | UnsetType = UNSET
    attachments: list[Attachment] | UnsetType = UNSET


class SubStatement(_Parts, kw_only=True):
    """2.4.4.3 SubStatement: no id, stored, version or authority, and none within another."""

    object_type: Literal["SubStatement"]

    def __post_init__(self) -> None:
        _check_parts(self, _NESTED_OBJECTS)


class Statement(_Parts):
    """2.4 Statement Properties."""

    id: Uuid | UnsetType = UNSET
    stored: Timestamp | UnsetType = UNSET
    authority: Agent | UnsetType = UNSET
    version: Version | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_parts(self, _OBJECTS)
        if self.verb.id == "http://adlnet.gov/expapi/verbs/voided":
            _require(self.object.get("objectType") == "StatementRef", "voided has a StatementRef as object")


_NESTED_OBJECTS: dict[str, type[_Rules]] = {
    "Activity": Activity,
    "Agent": Agent,
    "Group": Agent,
    "StatementRef": StatementRef,
}
_OBJECTS: dict[str, type[_Rules]] = {**_NESTED_OBJECTS, "SubStatement": SubStatement}

# msgspec prepares a type at its first use. Two threads that do so at once crash the interpreter: it is done here, in one.
for _rules in (Statement, *_OBJECTS.values()):
    msgspec.json.Decoder(_rules)


def fault_of(statement: object) -> str | None:
    """What is wrong with ``statement`` (decoded JSON), None when it is valid."""
    try:
        msgspec.convert(statement, Statement)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _check_parts(statement: _Parts, kinds: dict[str, type[_Rules]]) -> None:
    _require(isinstance(statement.object, dict), "the object is not a JSON object")
    kind = statement.object.get("objectType", "Activity")
    rules = kinds.get(kind) if isinstance(kind, str) else None
    if rules is None:
        raise ValueError(f"the object's objectType is one of {', '.join(kinds)}")
    try:
        msgspec.convert(statement.object, rules)
    except msgspec.ValidationError as error:
        raise ValueError(f"the object: {error}") from None
    if statement.context is not UNSET and kind != "Activity":
        neither = statement.context.revision is UNSET and statement.context.platform is UNSET
        _require(neither, "context.revision and context.platform belong to an Activity as object")
    if statement.timestamp is not UNSET:
        _require_day(statement.timestamp)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)


def _require_day(timestamp: str) -> None:
    try:
        date.fromisoformat(timestamp[:10])
    except ValueError:
        raise ValueError("timestamp names a day that its month does not have") from None
