"""What ``override_args`` may replace: only what the standards know, only values that they allow, and nothing that every
statement needs for itself. So no override can make a statement that a receiver refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edx2lrs.pipeline.config.faults import Misfit, nearest
from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.validation.caliper import CONTEXT, caliper_violations
from edx2lrs.transforms.validation.violations import Violation, path_text
from edx2lrs.transforms.validation.xapi import VOIDED, statement_violations

_STATEMENT = ("actor", "verb", "object", "result", "context", "timestamp", "authority", "version")
_OF_EACH_STATEMENT = {
    "id": "every statement has an id of its own",
    "stored": "the LRS sets it",
    "attachments": "edx2lrs sends no attachments",
}
_MINIMAL_STATEMENT = {
    "actor": {"mbox": "mailto:a@example.com"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
    "object": {"id": "https://example.com/activity"},
}

_MINIMAL_EVENT = {
    "@context": CONTEXT,
    "id": "urn:uuid:00000000-0000-4000-8000-000000000000",
    "type": "Event",
    "actor": {"id": "https://example.com/user", "type": "Person"},
    "action": "Started",
    "object": {"id": "https://example.com/object", "type": "DigitalResource"},
    "eventTime": "2026-01-01T00:00:00.000Z",
}
_SENT = {"sensor": "https://example.com", "sendTime": "2026-01-01T00:00:00.000Z", "dataVersion": CONTEXT}
_MINIMAL: dict[str, dict[str, Any]] = {"envelope": {**_SENT, "data": [_MINIMAL_EVENT]}, "event": _MINIMAL_EVENT}
_REPLACEABLE = {
    "envelope": ("sensor", "dataVersion"),
    "event": ("actor", "edApp", "group", "membership", "session", "federatedSession", "referrer", "extensions"),
}
_OF_EACH = {
    "envelope": ("sendTime", "data"),
    "event": ("@context", "id", "type", "profile", "action", "object", "eventTime", "target", "generated"),
}


def override_misfits(protocol: Protocol, override_args: Mapping[str, Any]) -> Iterator[Misfit]:
    """All that is wrong with the overrides of one consumer, by keys under its block."""
    return _of_statement(override_args) if protocol == "xapi" else _of_caliper(override_args)


def _of_statement(override_args: Mapping[str, Any]) -> Iterator[Misfit]:
    """xAPI 1.0.3, part two, 2.4."""
    known = {}
    for name, value in override_args.items():
        key = f"override_args.{name}"
        if name in _OF_EACH_STATEMENT:
            yield Misfit(key, f"a property that cannot be replaced: {_OF_EACH_STATEMENT[name]}", fix="remove it")
        elif name not in _STATEMENT:
            yield Misfit(key, "no property of an xAPI statement", fix=nearest(name, _STATEMENT))
        elif name == "verb" and isinstance(value, dict) and value.get("id") == VOIDED:
            yield Misfit(key, "the verb that voids statements", "another verb")
        else:
            known[name] = value
    for violation in statement_violations({**_MINIMAL_STATEMENT, **known}):
        if violation.required:
            yield _misfit("override_args", violation)


def _of_caliper(override_args: Mapping[str, Any]) -> Iterator[Misfit]:
    """Caliper 1.2, Event and Envelope."""
    for part, properties in override_args.items():
        key = f"override_args.{part}"
        if part not in _MINIMAL:
            within = next((name for name in _MINIMAL if part in (*_REPLACEABLE[name], *_OF_EACH[name])), None)
            fix = f"write {within}: {{{part}: ...}}" if within else nearest(part, _MINIMAL)
            yield Misfit(key, "an unknown key", "envelope or event", fix)
        elif not isinstance(properties, dict):
            yield Misfit(key, "a value that is no mapping", "a mapping of properties to values")
        else:
            yield from _of_part(part, properties, key)


def _of_part(part: str, properties: Mapping[str, Any], key: str) -> Iterator[Misfit]:
    known = {}
    for name, value in properties.items():
        if name in _OF_EACH[part]:
            yield Misfit(f"{key}.{name}", f"a property that every {part} has its own of", fix="remove it")
        elif name not in _REPLACEABLE[part]:
            yield Misfit(f"{key}.{name}", f"no property of a Caliper {part}", fix=nearest(name, _REPLACEABLE[part]))
        elif name == "actor" and isinstance(value, dict) and value.get("type") not in (None, "Person"):
            yield Misfit(f"{key}.{name}.type", "another entity", "Person")
        elif value in (None, "", [], {}):
            yield Misfit(f"{key}.{name}", "nothing", "a value", "Caliper leaves out what is empty: remove it")
        else:
            known[name] = value
    for violation in caliper_violations({**_MINIMAL[part], **known}):
        if violation.required:
            yield _misfit(key, violation)


def _misfit(key: str, violation: Violation) -> Misfit:
    return Misfit(f"{key}.{path_text(violation.path)}", violation.found, f"{violation.expected} ({violation.clause})")
