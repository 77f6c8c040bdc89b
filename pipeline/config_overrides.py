"""What ``override_args`` may replace: only what the standards know, only values that they allow, and nothing that every
statement needs for itself. So no override can make a statement that a receiver refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edx2lrs.pipeline.config_faults import nearest
from edx2lrs.pipeline.config_misfit import Misfit
from edx2lrs.pipeline.sandbox import statement_rules
from edx2lrs.pipeline.sandbox.statement_rules import Iri
from edx2lrs.transforms.config_types import Protocol

_MINIMAL = {
    "actor": {"mbox": "mailto:a@example.com"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
    "object": {"id": "https://example.com/activity"},
}
_STATEMENT = ("actor", "verb", "object", "result", "context", "timestamp", "authority", "version")
_OF_EACH_STATEMENT = {
    "id": "every statement has an id of its own",
    "stored": "the LRS sets it",
    "attachments": "edx2lrs sends no attachments",
}
_VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def override_misfits(protocol: Protocol, override_args: Mapping[str, Any]) -> Iterator[Misfit]:
    """All that is wrong with the overrides of one consumer, by keys under its block."""
    if protocol == "xapi":
        yield from _of_statement(override_args)
    else:
        yield from _of_caliper(override_args)


def _of_statement(override_args: Mapping[str, Any]) -> Iterator[Misfit]:
    """xAPI 1.0.3, part two, 2.4: one property after the other, then what they are together."""
    right = True
    for name, value in override_args.items():
        misfit = _of_property(name, value)
        if misfit is not None:
            right = False
            yield misfit
    fault = statement_rules.fault_of({**_MINIMAL, **override_args}) if right else None
    if fault:
        yield Misfit("override_args", f"properties that do not go together: {fault}", "a valid xAPI 1.0.3 statement")


def _of_property(name: str, value: Any) -> Misfit | None:
    key = f"override_args.{name}"
    if name in _OF_EACH_STATEMENT:
        return Misfit(key, f"a property that cannot be replaced: {_OF_EACH_STATEMENT[name]}", fix="remove it")
    if name not in _STATEMENT:
        return Misfit(key, "no property of an xAPI statement", fix=nearest(name, _STATEMENT))
    if name == "authority" and isinstance(value, dict) and value.get("objectType") == "Group":
        return Misfit(key, "a Group", "an Agent")
    if name == "verb" and isinstance(value, dict) and value.get("id") == _VOIDED:
        return Misfit(key, "the verb that voids statements", "another verb")
    fault = statement_rules.fault_of({**_MINIMAL, name: value})
    return Misfit(key, f"a value that xAPI 1.0.3 does not allow: {fault}") if fault else None


# Caliper 1.2. Entities have the properties that the specification lists for their types, appendix C.

_EntityId = Annotated[str, Meta(pattern=r'^(_:\S+|[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+)\Z')]
_Time = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z\Z")]
_Any = dict[str, Any]


class _Entity(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    id: _EntityId
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    date_created: _Time | UnsetType = UNSET
    date_modified: _Time | UnsetType = UNSET
    other_identifiers: list[_Any] | UnsetType = UNSET
    extensions: _Any | UnsetType = UNSET


class _Person(_Entity, kw_only=True):
    type: Literal["Person"]


class _SoftwareApplication(_Entity, kw_only=True):
    type: Literal["SoftwareApplication"]
    host: str | UnsetType = UNSET
    ip_address: str | UnsetType = UNSET
    user_agent: str | UnsetType = UNSET
    version: str | UnsetType = UNSET


class _Organization(_Entity, kw_only=True):
    type: Literal["Organization", "Group", "CourseOffering", "CourseSection"]
    sub_organization_of: _EntityId | _Any | UnsetType = UNSET
    members: list[Any] | UnsetType = UNSET
    course_number: str | UnsetType = UNSET
    academic_session: str | UnsetType = UNSET
    category: str | UnsetType = UNSET


class _Membership(_Entity, kw_only=True):
    type: Literal["Membership"]
    member: _EntityId | _Any
    organization: _EntityId | _Any
    roles: list[str] | UnsetType = UNSET
    status: Literal["Active", "Inactive"] | UnsetType = UNSET


class _Session(_Entity, kw_only=True):
    type: Literal["Session", "LtiSession"]
    user: _EntityId | _Any | UnsetType = UNSET
    client: _EntityId | _Any | UnsetType = UNSET
    started_at_time: _Time | UnsetType = UNSET
    ended_at_time: _Time | UnsetType = UNSET
    duration: str | UnsetType = UNSET
    message_parameters: _Any | UnsetType = UNSET


class _DigitalResource(_Entity, kw_only=True):
    type: Literal["DigitalResource", "WebPage", "Page", "Document", "SoftwareApplication"]
    media_type: str | UnsetType = UNSET
    creators: list[Any] | UnsetType = UNSET
    keywords: list[str] | UnsetType = UNSET
    learning_objectives: list[Any] | UnsetType = UNSET
    is_part_of: _EntityId | _Any | UnsetType = UNSET
    date_published: _Time | UnsetType = UNSET
    version: str | UnsetType = UNSET


_ENVELOPE: dict[str, Any] = {"sensor": Iri, "dataVersion": Literal["http://purl.imsglobal.org/ctx/caliper/v1p2"]}
_EVENT: dict[str, Any] = {
    "actor": _EntityId | _Person,
    "edApp": _EntityId | _SoftwareApplication,
    "group": _EntityId | _Organization,
    "membership": _EntityId | _Membership,
    "session": _EntityId | _Session,
    "federatedSession": _EntityId | _Session,
    "referrer": _EntityId | _DigitalResource,
    "extensions": _Any,
}
_PARTS = {"envelope": _ENVELOPE, "event": _EVENT}
_OF_EACH = {
    "envelope": ("sendTime", "data"),
    "event": ("@context", "id", "type", "profile", "action", "object", "eventTime", "target", "generated"),
}


def _of_caliper(override_args: Mapping[str, Any]) -> Iterator[Misfit]:
    """Caliper 1.2, sections 2 and 4."""
    for part, properties in override_args.items():
        key = f"override_args.{part}"
        if part not in _PARTS:
            within = next((name for name, known in _PARTS.items() if part in known or part in _OF_EACH[name]), None)
            fix = f"write {within}: {{{part}: ...}}" if within else nearest(part, _PARTS)
            yield Misfit(key, "an unknown key", "envelope or event", fix)
        elif not isinstance(properties, dict):
            yield Misfit(key, "a value that is no mapping", "a mapping of properties to values")
        else:
            for name, value in properties.items():
                yield from _of_part(part, name, value, f"{key}.{name}")


def _of_part(part: str, name: str, value: Any, key: str) -> Iterator[Misfit]:
    if name in _OF_EACH[part]:
        yield Misfit(key, f"a property that every {part} has its own of", fix="remove it")
    elif name not in _PARTS[part]:
        yield Misfit(key, f"no property of a Caliper {part}", fix=nearest(name, _PARTS[part]))
    else:
        try:
            msgspec.convert(value, _PARTS[part][name])
        except msgspec.ValidationError as error:
            yield Misfit(key, f"a value that Caliper 1.2 does not allow: {error}")
