"""The events of a line that is not one event alone.

- Several events follow each other in one line, since files were joined without a line break, or a message holds a list.

- The line is an envelope: an object of Docker, Kubernetes, fluentd, Vector, Logstash, journald or a cloud's log service, in which a
text or an object holds the event. Envelopes may hold envelopes.

- The header of the line has structured data (RFC 5424).

- A record of several lines: fragments of a container's log, an entry of systemd's journal.

An object is an envelope only if the object has none of the keys that the LMS writes: within an event, texts are a learner's own.
"""

from __future__ import annotations

import json
import re
from typing import Any

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.fragments import joined
from edx2lrs.transforms.records.journal_entry import message_of
from edx2lrs.transforms.records.log_line import OBJECTS_IN_A_PREFIX, object_at
from edx2lrs.transforms.records.parse import parse

MOST_EVENTS = 10_000
"""Events of one line; what follows them is one dead letter."""
_ENVELOPES = 5  # one in the other
_HOLDERS = (
    "log", "message", "MESSAGE", "msg", "line", "_raw", "@message", "body", "textPayload", "jsonPayload", "payload", "log_processed",
    "_source", "result", "fields", "logEvents", "records",
)
_KEYS_OF_THE_LMS = frozenset({"context", "event_source", "event_type", "username", "session", "page"})
# RFC 5424, 6.3; also with "]" in a value that is not escaped
_STRUCTURED = r'\[[^\s=\]"\[{}]{1,64}(?: +[^\s=\]"\[]{1,64}="(?:[^"\\]|\\.)*")* *\]'
_structured = re.compile(_STRUCTURED, re.DOTALL)
_STRUCTURED_OR_OBJECT = re.compile(rf'{_STRUCTURED}|\{{(?=[ \t\r\n]*["}}])', re.DOTALL)
_MORE = re.compile(r"[^\s\0\ufeff\x1e,\[\]]")  # than what stands between events: a list's signs, marks of joined files, holes


def events_of_line(line: bytes, believed: bool = False) -> list[tuple[bytes, Event | Refusal]]:
    """The events of a line or a message, each with its own bytes; of what is no event, the refusal. Nearly always one. Never raises."""
    event = parse(line, believed)
    return [(line, event)] if isinstance(event, Event) and event.name else opened(line, event, believed)


def opened(line: bytes, event: Event | Refusal, believed: bool = False) -> list[tuple[bytes, Event | Refusal]]:
    """The same for a line of which ``parse`` has made ``event``, which is a refusal or has no name."""
    text = message_of(line) or (joined(line) if b"\n" in line else None) or line
    try:
        parts = _parts(text.decode(errors="surrogateescape"), _ENVELOPES)
    except RecursionError:
        parts = []
    if len(parts) > MOST_EVENTS:
        parts[MOST_EVENTS:] = ["".join(parts[MOST_EVENTS:])]
    bodies = [part.encode(errors="surrogateescape") for part in parts]
    return [(body, parse(body, believed)) for body in bodies] or [(line, event)]


def _parts(text: str, envelopes: int) -> list[str]:
    """The text of each event in ``text``, and of what is left over besides. Empty if there is no whole event."""
    parts: list[str] = []
    position = over = others = 0  # over: from where on nothing belongs to an event yet
    while len(parts) < MOST_EVENTS and others < OBJECTS_IN_A_PREFIX:
        start = _next_object(text, position)
        found = object_at(text, start, _structured.sub("", text[position:start])) if start >= 0 else None
        if found is None or isinstance(found, Refusal):
            break
        value, position = found
        held = _held(value, envelopes - 1) or ([text[start:position]] if _is_event(value) else [])
        if not held:
            others += 1
            continue
        if parts and others:
            parts.append(text[over:start])
        parts += held
        over, others = position, 0
    if parts and _MORE.search(text, over):
        parts.append(text[over:])
    return parts


def _next_object(text: str, position: int) -> int:
    """Where the next object begins that is no part of structured data; -1: nowhere."""
    for found in _STRUCTURED_OR_OBJECT.finditer(text, position):
        if found[0] == "{":
            return found.start()
    return -1


def _held(envelope: dict[str, Any], envelopes: int) -> list[str]:
    """The events that an envelope holds; none if it is no envelope."""
    if envelopes < 0 or not _KEYS_OF_THE_LMS.isdisjoint(envelope):
        return []
    holders = [envelope[key] for key in _HOLDERS if key in envelope]
    holders += [held for key, held in envelope.items() if key not in _HOLDERS and isinstance(held, str) and held.lstrip()[:1] == "{"]
    event = envelope.get("event")
    if isinstance(event, dict) and "original" in event and "@timestamp" in envelope:
        holders.append(event["original"])
    for held in holders:
        parts = _events_in(held, envelopes)
        if parts:
            return parts
    return []


def _events_in(held: Any, envelopes: int) -> list[str]:
    """The events in what an envelope holds: a text, the text's bytes as numbers (journald), an object, or a list of objects."""
    if isinstance(held, list) and held and all(type(each) is int and 0 <= each < 256 for each in held):
        held = bytes(held).decode(errors="surrogateescape")
    if isinstance(held, str):
        return _parts(held, envelopes) if "{" in held else []
    if isinstance(held, dict):
        return _held(held, envelopes - 1) or ([json.dumps(held)] if _is_event(held) else [])
    if not isinstance(held, list):
        return []
    found = [_events_in(each, envelopes) if isinstance(each, dict) else [] for each in held]
    return [part for each, parts in zip(held, found, strict=True) for part in parts or [json.dumps(each)]] if any(found) else []


def _is_event(value: dict[str, Any]) -> bool:
    return "event" in value or "data" in value
