"""The rules for a statement of xAPI 1.0.3: a table for each kind of object, a function for each rule over several properties.

Clauses are sections of part two of the specification (xAPI-Data.md). A SHOULD* counts as a rule, as part one, 2.1 asks adopters; a
plain SHOULD is a recommendation. Rules that need more than one statement are not checked: whether an id is used twice, whether a
time lies in the future, whether a signature is genuine.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from edx2lrs.transforms.formats import texts
from edx2lrs.transforms.validation.checks import array, boolean, formatted, integer, is_number, keyed, number, record, text, word_of
from edx2lrs.transforms.validation.violations import FINE, Validator, Violation, Violations, missing, within, wrong, wrong_word

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
CMI_INTERACTION = "http://adlnet.gov/expapi/activities/cmi.interaction"
IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")

iri = formatted(texts.is_iri, "an absolute IRI (RFC 3987)", "4.3")
language = formatted(texts.is_language, "a language tag (RFC 5646)", "4.2")
timestamp = formatted(texts.is_timestamp, "a time as in RFC 3339, with its zone", "4.5")
version = formatted(re.compile(r"1\.0\.[0-9]+(?:[A-Za-z-][0-9A-Za-z-]*)?").fullmatch, "1.0.x", "2.4.10")
language_map = keyed(texts.is_language, "language tags (RFC 5646)", "4.2", text("4.2"))
extensions = keyed(texts.is_iri, "absolute IRIs (RFC 3987)", "4.1")


def statement_violations(statement: object) -> list[Violation]:
    """All violations of ``statement`` (decoded JSON), the violations of recommended parts included. Empty for a valid statement."""
    return [violation._replace(clause=f"xAPI 1.0.3, {violation.clause}") for violation in _statement(statement)]


def uuid(clause: str) -> Validator:
    """4.4: every UUID in its standard form is valid; the variant of RFC 4122 is recommended."""
    check_form = formatted(texts.is_uuid, "a UUID", clause)

    def check(value: Any) -> Violations:
        found = check_form(value)
        if found or texts.is_uuid_of_rfc_4122(value):
            return found
        return wrong(value, "a UUID of the variant of RFC 4122", "4.4", required=False)

    return check


def _duration(value: Any) -> Violations:
    if not isinstance(value, str) or not texts.is_duration(value):
        return wrong(value, "a duration (ISO 8601, 4.4.3.2)", "4.6")
    return wrong(value, "at most hundredths of a second", "4.6", required=False) if _too_precise(value) else FINE


_too_precise = re.compile(r"[.,][0-9]{3}[0-9]*S").search

# 2.2 refuses a property that is null, or that the table does not list, and recommends to leave an empty object out.
_record = partial(record, unknown="2.2", nulls="2.2")


def _empty_objects(value: dict[str, Any]) -> Violations:
    return tuple(
        Violation((name,), "an empty object", "to leave it out", "2.2", required=False) for name, item in value.items() if item == {}
    )


# 2.4.2 Actor


def _one_identifier(agent: dict[str, Any]) -> Violations:
    given = [name for name in IDENTIFIERS if name in agent]
    if len(given) == 1:
        return FINE
    return (Violation((), ", ".join(given) or "none of them", f"exactly one of {', '.join(IDENTIFIERS)}", "2.4.2.1"),)


def _identifier_or_members(group: dict[str, Any]) -> Violations:
    given = [name for name in IDENTIFIERS if name in group]
    if len(given) > 1:
        return (Violation((), ", ".join(given), f"at most one of {', '.join(IDENTIFIERS)}", "2.4.2.2"),)
    if not given and not group.get("member"):
        return (missing("member", "the members of a Group without an identifier", "2.4.2.2"),)
    return FINE


_account = _record("an account", "2.4.2.4", {"homePage": iri, "name": text("2.4.2.4", filled=True)}, required=("homePage", "name"))
_NAMED: dict[str, Validator] = {
    "name": text("2.4.2.1"),
    "mbox": formatted(texts.is_mailto, "mailto: and an e-mail address", "2.4.2.3"),
    "mbox_sha1sum": formatted(texts.is_sha1, "the 40 hexadecimal digits of a SHA-1", "2.4.2.3"),
    "openid": formatted(texts.is_iri, "an absolute URI", "2.4.2.3"),
    "account": _account,
}
_agent = _record(
    "an Agent", "2.4.2.1", {"objectType": word_of(["Agent"], "2.4.2.1"), **_NAMED}, rules=(_one_identifier, _empty_objects)
)


def _member(value: object) -> Violations:
    if isinstance(value, dict) and value.get("objectType") == "Group":
        return (Violation(("objectType",), '"Group"', "an Agent: a Group's members are Agents", "2.4.2.2"),)
    return _agent(value)


_group = _record(
    "a Group", "2.4.2.2", {"objectType": word_of(["Group"], "2.4.2.2"), "member": array(_member, "Agents", "2.4.2.2"), **_NAMED},
    required=("objectType",), rules=(_identifier_or_members, _empty_objects),
)


def _actor(value: object) -> Violations:
    """2.4.2: an Agent, unless the actor says that it is a Group."""
    if not isinstance(value, dict):
        return wrong(value, "an Agent or a Group", "2.4.2")
    kind = value.get("objectType", "Agent")
    if kind not in ("Agent", "Group"):
        return within("objectType", wrong_word(kind, '"Agent" or "Group"', "2.4.2"))
    return _agent(value) if kind == "Agent" else _group(value)


# 2.4.4.1 Activity

COMPONENTS = ("choices", "scale", "source", "target", "steps")
COMPONENTS_OF: dict[str, tuple[str, ...]] = {
    "true-false": (), "choice": ("choices",), "fill-in": (), "long-fill-in": (), "matching": ("source", "target"),
    "performance": ("steps",), "sequencing": ("choices",), "likert": ("scale",), "numeric": (), "other": (),
}


def _are_pairs(pattern: str) -> bool:
    return all(pair.find("[.]") > 0 for pair in pattern.split("[,]"))


def _are_steps(pattern: str) -> bool:
    return _are_pairs(_ORDER_MATTERS.sub("", pattern, 1)) or _are_pairs(pattern)


# "Response Patterns": the form of a pattern; for a type that is not in this table, every text is a pattern
_ORDER_MATTERS = re.compile(r"\A\{order_matters=(?:true|false)\}")
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_PATTERN_OF: dict[str, tuple[texts.Matches, str]] = {
    "true-false": (re.compile(r"true|false").fullmatch, "true or false"),
    "matching": (_are_pairs, "pairs source[.]target, with [,] between them"),
    "performance": (_are_steps, "pairs step[.]response, with [,] between them"),
    "numeric": (re.compile(rf"{_NUMBER}|(?:{_NUMBER})?\[:\](?:{_NUMBER})?").fullmatch, "a number, or a range minimum[:]maximum"),
}


def _interaction(definition: dict[str, Any]) -> Violations:
    """2.4.4.1, Interaction Activities and Interaction Components."""
    kind = definition.get("interactionType")
    if kind is None:
        given = [name for name in ("correctResponsesPattern", *COMPONENTS) if name in definition]
        expected = f"interactionType, since there is {given[0]}" if given else ""
        return (missing("interactionType", expected, "2.4.4.1"),) if given and "interactionType" not in definition else FINE
    if not isinstance(kind, str) or kind not in COMPONENTS_OF:
        return FINE
    supported = COMPONENTS_OF[kind]
    violations = tuple(
        Violation((name,), "a list of components", f"{' and '.join(supported) or 'none'} for {kind}", "2.4.4.1")
        for name in COMPONENTS
        if name in definition and name not in supported
    )
    matches, expected = _PATTERN_OF.get(kind, (None, ""))
    patterns = definition.get("correctResponsesPattern")
    for place, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
        if matches and isinstance(pattern, str) and not matches(pattern):
            violations += within("correctResponsesPattern", within(place, wrong(pattern, f"{expected} ({kind})", "2.4.4.1")))
    if definition.get("type") != CMI_INTERACTION:
        violations += (Violation(("type",), "another type or none", CMI_INTERACTION, "2.4.4.1", required=False),)
    return violations


_component = _record(
    "an interaction component", "2.4.4.1", {"id": text("2.4.4.1", filled=True), "description": language_map}, required=("id",),
    rules=(_empty_objects,),
)
_component_list = array(_component, "interaction components", "2.4.4.1")


def _components(value: Any) -> Violations:
    """Interaction Components: the ids are distinct, and should have no white space."""
    violations = _component_list(value)
    seen: set[str] = set()
    for place, component in enumerate(value if isinstance(value, list) else ()):
        name = component.get("id") if isinstance(component, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            violations += (Violation((place, "id"), "the id of another one in the list", "distinct ids", "2.4.4.1"),)
        if any(map(str.isspace, name)):
            violations += (Violation((place, "id"), "an id with white space", "an id without", "2.4.4.1", required=False),)
        seen.add(name)
    return violations


_definition = _record("an activity definition", "2.4.4.1", {
    "name": language_map,
    "description": language_map,
    "type": iri,
    "moreInfo": iri,
    "extensions": extensions,
    "interactionType": word_of(list(COMPONENTS_OF), "2.4.4.1"),
    "correctResponsesPattern": array(text("2.4.4.1"), "texts", "2.4.4.1"),
    **dict.fromkeys(COMPONENTS, _components),
}, rules=(_interaction, _empty_objects))
_activity = _record(
    "an Activity", "2.4.4.1", {"objectType": word_of(["Activity"], "2.4.4.1"), "id": iri, "definition": _definition},
    required=("id",), rules=(_empty_objects,),
)

# 2.4.4.3 StatementRef

_statement_reference = _record(
    "a StatementRef", "2.4.4.3", {"objectType": word_of(["StatementRef"], "2.4.4.3"), "id": uuid("2.4.4.3")},
    required=("objectType", "id"),
)

# 2.4.5 Result


def _score_order(score: dict[str, Any]) -> Violations:
    low, raw, high = (score.get(name) if is_number(score.get(name)) else None for name in ("min", "raw", "max"))
    violations = FINE
    if low is not None and high is not None and low >= high:
        violations += (Violation(("min",), "a number", "a number less than max", "2.4.5.1"),)
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        violations += (Violation(("raw",), "a number", "a number from min to max", "2.4.5.1"),)
    return violations


_score = _record(
    "a score", "2.4.5.1", {"scaled": number("2.4.5.1", -1, 1), **dict.fromkeys(("raw", "min", "max"), number("2.4.5.1"))},
    rules=(_score_order,),
)
_result = _record("a result", "2.4.5", {
    "score": _score,
    "success": boolean("2.4.5"),
    "completion": boolean("2.4.5"),
    "response": text("2.4.5"),
    "duration": _duration,
    "extensions": extensions,
}, rules=(_empty_objects,))

# 2.4.6 Context

_activity_list = array(_activity, "Activities", "2.4.6.2")


def _activities(value: object) -> Violations:
    """A single Activity stands for a list with this Activity; a list is recommended."""
    if isinstance(value, dict):
        return (*_activity(value), *wrong(value, "an array of Activities", "2.4.6.2", required=False))
    return _activity_list(value)


def _team(value: object) -> Violations:
    return _group(value) if isinstance(value, dict) else wrong(value, "a Group", "2.4.6")


_context = _record("a context", "2.4.6", {
    "registration": uuid("2.4.6"),
    "instructor": _actor,
    "team": _team,
    "contextActivities": _record(
        "contextActivities", "2.4.6.2", dict.fromkeys(("parent", "grouping", "category", "other"), _activities), unknown="2.4.6.2"
    ),
    "revision": text("2.4.6"),
    "platform": text("2.4.6"),
    "language": language,
    "statement": _statement_reference,
    "extensions": extensions,
}, rules=(_empty_objects,))

# 2.4.9 Authority


def _authority(value: object) -> Violations:
    """An Agent, or a Group of two: an application and a user, as in 3-legged OAuth."""
    violations = _actor(value)
    if not isinstance(value, dict) or value.get("objectType") != "Group":
        return violations
    members = value.get("member")
    if not isinstance(members, list) or len(members) != 2:
        violations += (Violation(("member",), "another number of members", "two Agents", "2.4.9"),)
    elif not any(isinstance(member, dict) and "account" in member for member in members):
        violations += (Violation(("member",), "no account", "an application that is identified by account", "2.4.9"),)
    return violations


# 2.4.11 Attachments


def _signature(attachment: dict[str, Any]) -> Violations:
    fine = attachment.get("usageType") != SIGNATURE or attachment.get("contentType") == "application/octet-stream"
    return FINE if fine else (Violation(("contentType",), "another type", "application/octet-stream, for a signature", "2.6"),)


def _hash(value: object) -> Violations:
    if isinstance(value, str) and value:
        return FINE if texts.is_sha2(value) else wrong(value, "the hexadecimal digits of a SHA-2", "2.4.11", required=False)
    return wrong(value, "a SHA-2", "2.4.11")


_attachment = _record("an attachment", "2.4.11", {
    "usageType": iri,
    "display": language_map,
    "description": language_map,
    "contentType": formatted(texts.is_media_type, "an Internet media type", "2.4.11"),
    "length": integer("2.4.11", 0),
    "sha2": _hash,
    "fileUrl": iri,
}, required=("usageType", "display", "contentType", "length", "sha2"), rules=(_signature, _empty_objects))

# 2.4 Statement, 2.4.4.3 SubStatement


def _object_type(statement: dict[str, Any]) -> object:
    found = statement.get("object")
    return found.get("objectType", "Activity") if isinstance(found, dict) else None


def _only_with_an_activity(statement: dict[str, Any]) -> Violations:
    context = statement.get("context")
    if not isinstance(context, dict) or _object_type(statement) in (None, "Activity"):
        return FINE
    return tuple(
        Violation(("context", name), "a property of statements about an Activity", "to leave it out", "2.4.6")
        for name in ("revision", "platform")
        if name in context
    )


def _voiding(statement: dict[str, Any]) -> Violations:
    verb = statement.get("verb")
    if not isinstance(verb, dict) or verb.get("id") != VOIDED or _object_type(statement) in (None, "StatementRef"):
        return FINE
    return within("object", within("objectType", wrong_word(_object_type(statement), '"StatementRef", for voided', "2.3.2")))


def _version_of_providers(statement: dict[str, Any]) -> Violations:
    fine = not isinstance(statement.get("version"), str) or statement["version"] == "1.0.0"
    return FINE if fine else (Violation(("version",), "another version", "1.0.0 from providers", "2.4.10", required=False),)


_verb = _record(
    "a verb", "2.4.3", {"id": iri, "display": language_map}, required=("id",), recommended={"display": "2.4.3"}, rules=(_empty_objects,)
)


def _not_in_a_substatement(value: object) -> Violations:
    return wrong(value, "no such property in a SubStatement", "2.4.4.3")


def _nested_object(value: object) -> Violations:
    if isinstance(value, dict) and value.get("objectType") == "SubStatement":
        return (Violation(("objectType",), '"SubStatement"', "no SubStatement in a SubStatement", "2.4.4.3"),)
    return _object(value)


_PARTS: dict[str, Validator] = {
    "actor": _actor,
    "verb": _verb,
    "result": _result,
    "context": _context,
    "timestamp": timestamp,
    "attachments": array(_attachment, "attachments", "2.4.11"),
}
_RULES = (_only_with_an_activity, _voiding, _empty_objects)
_substatement = _record("a SubStatement", "2.4.4.3", {
    **_PARTS,
    "objectType": word_of(["SubStatement"], "2.4.4.3"),
    "object": _nested_object,
    **dict.fromkeys(("id", "stored", "version", "authority"), _not_in_a_substatement),
}, required=("objectType", "actor", "verb", "object"), rules=_RULES)
_OBJECTS: dict[str, Validator] = {
    "Activity": _activity, "Agent": _agent, "Group": _group, "StatementRef": _statement_reference, "SubStatement": _substatement,
}


def _object(value: object) -> Violations:
    """2.4.4: an Activity, unless the object says that it is something else."""
    if not isinstance(value, dict):
        return wrong(value, "an object", "2.4.4")
    kind = value.get("objectType", "Activity")
    check = _OBJECTS.get(kind) if isinstance(kind, str) else None
    if check is None:
        return within("objectType", word_of(list(_OBJECTS), "2.4.4")(kind))
    return check(value)


_statement = _record(
    "a statement", "2.4",
    {**_PARTS, "id": uuid("2.4.1"), "object": _object, "stored": timestamp, "authority": _authority, "version": version},
    required=("actor", "verb", "object"), recommended={"id": "2.4.1"}, rules=(*_RULES, _version_of_providers),
)
