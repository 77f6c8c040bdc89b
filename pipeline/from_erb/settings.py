"""The settings of an LMS with event-routing-backends, as far as a configuration of ours can say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from edx2lrs.transforms.config_types import IdKind, Protocol

_IDS: tuple[IdKind, ...] = ("external_id", "mbox", "mbox_sha1sum")
EVERY_EVENT = "edx2lrs sends every event that has a mapping; keep others out by events.block"
_WITHOUT_EQUAL = {
    "EVENT_ROUTING_BACKEND_MAX_RETRIES": "edx2lrs retries with back-off, and what cannot be delivered waits (retry, on_outage)",
    "EVENT_ROUTING_BACKEND_COUNTDOWN": "edx2lrs retries with back-off (retry.base_delay, retry.max_delay)",
    "EVENT_ROUTING_BACKEND_BULK_DOWNLOAD_MAX_RETRIES": "edx2lrs reads files with its own retries",
    "EVENT_ROUTING_BACKEND_BULK_DOWNLOAD_COUNTDOWN": "edx2lrs reads files with its own retries",
    "EVENT_TRACKING_BACKENDS_BUSINESS_CRITICAL_EVENTS": "edx2lrs keeps every event until it is delivered",
    "EVENT_TRACKING_BACKENDS_CACHE_TTL": "edx2lrs has no cache of routers",
    "EVENT_TRACKING_BACKENDS_ALLOWED_XAPI_EVENTS": EVERY_EVENT,
    "EVENT_TRACKING_BACKENDS_ALLOWED_CALIPER_EVENTS": EVERY_EVENT,
    "EVENT_BUS_TRACKING_LOGS": EVERY_EVENT,
}


class SettingsError(Exception):
    """A file that holds no settings."""


class ErbSettings(NamedTuple):
    """``root_url`` is None where the settings do not say; ``off``: protocols that are not turned on; ``actor_id`` of xAPI;
    ``batch`` and ``events`` as our configuration has them; ``notes``: what was not carried over."""

    root_url: str | None = None
    off: tuple[Protocol, ...] = ()
    actor_id: IdKind = "external_id"
    batch: dict[str, Any] = {}
    events: dict[str, Any] = {}
    notes: tuple[str, ...] = ()


def read_settings(text: str) -> ErbSettings:
    """The settings in a YAML or JSON file of the LMS (``lms.env.yml``). Raises SettingsError."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        raise SettingsError("found neither YAML nor JSON, expected the settings of the LMS") from None
    if not isinstance(found, dict):
        raise SettingsError("found no mapping, expected the settings of the LMS by their names")
    enabled: dict[Protocol, Any] = {
        "xapi": found.get("XAPI_EVENTS_ENABLED", True), "caliper": found.get("CALIPER_EVENTS_ENABLED", False)
    }
    off = tuple(protocol for protocol, on in enabled.items() if not on)
    root = found.get("LMS_ROOT_URL")
    notes = [f"{name} is not carried over: {why}" for name, why in _WITHOUT_EQUAL.items() if name in found]
    return ErbSettings(
        root.rstrip("/") if isinstance(root, str) and root.strip() else None, off, _actor_id(found, notes),
        _batch(found, notes), _events(found, notes), tuple(notes),
    )


def _actor_id(found: Mapping[str, Any], notes: list[str]) -> IdKind:
    wanted = found.get("XAPI_AGENT_IFI_TYPE", "external_id")
    if wanted not in _IDS:
        notes.append(f"XAPI_AGENT_IFI_TYPE is none of {', '.join(_IDS)}; taken for external_id")
    return next((kind for kind in _IDS if kind == wanted), "external_id")


def _batch(found: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    if not found.get("EVENT_ROUTING_BACKEND_BATCHING_ENABLED", False):
        return {"size": 1}
    size = found.get("EVENT_ROUTING_BACKEND_BATCH_SIZE", 100)
    interval = found.get("EVENT_ROUTING_BACKEND_BATCH_INTERVAL", 60)
    if not (isinstance(size, int) and 1 <= size <= 10_000 and isinstance(interval, (int, float)) and interval > 0):
        notes.append("the batch's size or interval is out of range: edx2lrs' own are taken")
        return {}
    return {"size": size, "interval": f"{interval:g}s"}


def _events(found: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """event-tracking's RegexFilter, which tests with ``re.match``: at the beginning of the name."""
    events: dict[str, Any] = {}
    for options in _regex_filters(found.get("EVENT_TRACKING_BACKENDS")):
        key = "block" if options.get("filter_type") == "blocklist" else "allow"
        expressions = options.get("regular_expressions")
        expressions = [each for each in expressions if isinstance(each, str)] if isinstance(expressions, list) else []
        if not expressions or any(_is_bad(each) for each in expressions):
            notes.append("a RegexFilter without expressions, or with a bad one, is not carried over")
        elif key == "allow" and "allow" in events:
            notes.append("a second RegexFilter with an allowlist is not carried over: combine both in events.allow")
        else:
            events[key] = events.get(key, []) + [f"/^(?:{each})/" for each in expressions]
    return events


def _is_bad(expression: str) -> bool:
    try:
        re.compile(expression)
    except (re.error, RecursionError, OverflowError):
        return True
    return False


def _regex_filters(backends: Any) -> list[dict[str, Any]]:
    found = []
    for backend in backends.values() if isinstance(backends, dict) else ():
        options = backend.get("OPTIONS") if isinstance(backend, dict) else None
        processors = options.get("processors") if isinstance(options, dict) else None
        for processor in processors if isinstance(processors, list) else ():
            engine = processor.get("ENGINE") if isinstance(processor, dict) else None
            if isinstance(engine, str) and engine.endswith(".RegexFilter"):
                given = processor.get("OPTIONS")
                found.append(given if isinstance(given, dict) else {})
    return found
