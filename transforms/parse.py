"""From a record's bytes to an event in normal form: the same, whether it came from a tracking log, a message or the event bus.

| Shape | Where things are |
|---|---|
| log line | an optional log prefix, then an object with ``event`` (object, JSON text or plain text); session, user, source and referrer at the top |
| live event, event bus | an object with ``data`` and ``context`` (each an object or JSON text); session, user, source and referrer in ``context`` |

Almost every record takes the fast path: msgspec decodes the envelope, the name chooses the types, and only what these declare is
decoded from the two parts. What msgspec refuses (NaN, lone surrogates, a broken line, a value of a wrong type) is read again with
Python's ``json``, which either finds nothing wrong with any declared field or says what is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from edx2lrs.transforms.blocks import hash8
from edx2lrs.transforms.events.fields import Context, EventData, Scalar, SubmittedText, Text, UserId
from edx2lrs.transforms.events.registry import SOURCE_EVENTS
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.log_line import lenient_object, lenient_value
from edx2lrs.transforms.times import canonical_time


class Event(msgspec.Struct):
    """One event in normal form.

    ``name`` is "" when the record has none. ``from_event_type``: the record had no name and ``event_type`` stands for it.
    ``data`` is None when no mapping knows the name (page requests, for one); then nothing but the name is filled.
    ``context`` is what the family declares of the record's context, or None. ``time`` is canonical (``transforms.times``). ``user_id`` is a primary key of the site's users, ``username`` a name: never the one
    in place of the other. Both are None for an anonymous visitor.
    """

    name: str
    from_event_type: bool = False
    time: str = ""
    source: Scalar = None
    session: Scalar = None
    referrer: Scalar = None
    user_id: int | None = None
    username: str | None = None
    course_id: str | None = None
    org_id: str | None = None
    context: msgspec.Struct | None = None
    data: EventData | None = None


def event_hash(event: Event) -> bytes:
    """8 bytes of the normal form: equal for the same event, whatever road it took."""
    return hash8(_encoder.encode(event))


_encoder = msgspec.json.Encoder(order="deterministic")


def parse(line: bytes) -> Event | Refusal:
    """The event of one record: a line without its line break, or a message. Never raises.

    Refusals have stage ``parse`` and one of the causes ``not_utf8``, ``not_json``, ``too_deep``, ``not_an_event``, ``wrong_type``,
    ``not_finite``, ``bad_text``, ``no_time``, ``bad_time``. Their messages name fields and types, never values.
    """
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError:
            return _parse_leniently(line)
    start = 0 if line[:1] == b"{" else max(line.find(b'{"'), 0)
    if start and (b'"' in line[:start] or b"}" in line[:start]):
        return _parse_leniently(line)
    try:
        envelope = _decode_envelope(line[start:] if start else line)
        return _event(envelope, envelope.context, _payload(envelope), _read_json)
    except (msgspec.MsgspecError, _ReadAgain, _Refused, ValueError, RecursionError):
        return _parse_leniently(line)


class _Envelope(msgspec.Struct):
    name: Text = None
    event_type: Scalar = None
    time: Scalar = None
    timestamp: Scalar = None
    event_source: Scalar = None
    session: Scalar = None
    referer: Scalar = None
    username: UserId = None


class _RawEnvelope(_Envelope):
    """The envelope with its two parts still undecoded."""

    context: msgspec.Raw = msgspec.Raw(b"null")
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _ReadAgain(Exception):  # noqa: N818 -- no error: the other reader decides
    """The fast path does not judge this record."""


class _Refused(Exception):  # noqa: N818 -- carries a refusal out of the reader
    def __init__(self, cause: str, message: str):
        super().__init__(message)
        self.refusal = Refusal("parse", cause, message)


_decode_envelope = msgspec.json.Decoder(_RawEnvelope).decode
_Read = Callable[[Any, Any, bool, str], Any]


def _payload(envelope: _RawEnvelope) -> msgspec.Raw:
    if envelope.event is not msgspec.UNSET:
        return envelope.event
    if envelope.data is not msgspec.UNSET:
        return envelope.data
    raise _ReadAgain


def _event(envelope: _Envelope, context: Any, payload: Any, read: _Read) -> Event | Refusal:
    """The normal form; ``read`` makes the declared type of a part, from whichever form the caller has it in."""
    name, event_type = envelope.name, envelope.event_type
    named = bool(name)
    if not named and type(event_type) is str:
        name = event_type
    source_event = SOURCE_EVENTS.get(name) if name else None
    if source_event is None:
        return Event(name or "", not named and bool(name) and not str(name).startswith("/"))
    time = envelope.timestamp
    if time is None or time == "":
        time = envelope.time
        if time is None or time == "":
            return Refusal("parse", "no_time", "timestamp and time are missing; expected one of them")
    canonical = canonical_time(time)
    if type(canonical) is not str:
        return canonical  # type: ignore[return-value] -- a Refusal
    about: Context = read(context, Context, False, "context")
    data: EventData = read(payload, source_event.data, source_event.text_allowed, "data")
    user_id, username = _user(data.user_id, data.username)
    if user_id is None and username is None:
        named_user = envelope.username
        user_id, username = _user(about.user_id, about.username if named_user is None or named_user == "" else named_user)
    return Event(
        name,  # type: ignore[arg-type] -- known names are texts
        not named,
        canonical,
        _first(envelope.event_source, about.event_source),
        _first(envelope.session, about.session),
        _first(envelope.referer, about.referer),
        user_id,
        username,
        about.course_id or None,
        about.org_id or None,
        read(context, source_event.context, False, "context") if source_event.context else None,
        data,
    )


def _first(top: Scalar, in_context: Scalar) -> Scalar:
    """The value at the record's top, or the context's where the top has none."""
    if top is not None and top != "":
        return top
    return None if in_context == "" else in_context


def _user(user_id: UserId, username: UserId) -> tuple[int | None, str | None]:
    """Which user a place of the record names: a number is a primary key only where an id belongs. A text there that is no number
    is a username."""
    if username is not None and type(username) is not str:
        username = str(username) if username else None
    if not user_id:
        return None, username or None
    if type(user_id) is str:
        if not (user_id.isascii() and user_id.isdigit() and len(user_id) < 19):
            return None, user_id
        user_id = int(user_id)
    elif type(user_id) is float:
        if user_id != math.floor(user_id):
            raise _Refused("wrong_type", "user_id: expected a whole number or a text, found a number with a fraction")
        user_id = int(user_id)
    return user_id or None, username or None  # type: ignore[return-value] -- no float or text any more


# The fast reader: from the undecoded part.

_decoders: dict[type, Callable[[Any], Any]] = {
    declared: msgspec.json.Decoder(declared).decode
    for source_event in SOURCE_EVENTS.values()
    for declared in (Context, source_event.data, source_event.context)
    if declared
}
_decode_text = msgspec.json.Decoder(str).decode
_MAY_BEGIN_JSON = frozenset('{["-0123456789tfnNI \t\r\n')


def _read_json(raw: msgspec.Raw, declared: type, text_allowed: bool, path: str) -> Any:
    part = bytes(raw)
    if part[:1] != b'"':
        return _decoders[declared](b"{}" if part == b"null" else part)
    text = _decode_text(part)
    if text[:1] == "{":
        return _decoders[declared](text)
    if text_allowed and text and text[0] not in _MAY_BEGIN_JSON:
        return SubmittedText(text=text)
    raise _ReadAgain


# The lenient reader: from Python values, judging every declared field.


def _parse_leniently(line: bytes) -> Event | Refusal:
    record = lenient_object(line)
    if isinstance(record, Refusal):
        return record
    if "event" not in record and "data" not in record:
        return Refusal("parse", "not_an_event", "neither event nor data in the object; a tracking event has one of them")
    try:
        envelope = _read_value({k: v for k, v in record.items() if k not in ("context", "event", "data")}, _Envelope, False, "")
        payload = record["event"] if "event" in record else record["data"]
        return _event(envelope, record.get("context"), payload, _read_value)
    except _Refused as refused:
        return refused.refusal
    except RecursionError:
        return Refusal("parse", "too_deep", "arrays or objects are nested too deeply")


def _read_value(value: Any, declared: type, text_allowed: bool, path: str) -> Any:
    if isinstance(value, str):
        try:
            value = lenient_value(value)
        except ValueError:
            pass  # a plain text
    if value is None or value == "":
        value = {}
    if isinstance(value, str) and text_allowed:
        _check(value, path)
        return SubmittedText(text=value)
    if not isinstance(value, dict):
        raise _Refused("wrong_type", f"{path}: expected an object, found {_json_type(value)}")
    try:
        read = msgspec.convert(value, declared)
    except msgspec.ValidationError as error:
        # the message names types and a path ($.duration), no values
        raise _Refused("wrong_type", f"{path}: {error}".replace("`$.", "`").replace("bool | ", "").lstrip(": ")) from None
    _check(read, path)
    return read


def _check(value: Any, path: str) -> None:
    """Refuses what JSON (RFC 8259) and UTF-8 do not know, at any depth of a declared field."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise _Refused("bad_text", f"{path}: a lone surrogate; expected text that UTF-8 can hold")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _Refused("not_finite", f"{path}: NaN, Infinity or a number beyond 1.8e308; expected a finite number")
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            _check(getattr(value, field), f"{path}.{field}".lstrip("."))
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key, f"{path} (a key)")
            _check(inner, f"{path}[...]")
    elif isinstance(value, list):
        for inner in value:
            _check(inner, f"{path}[...]")


def _json_type(value: object) -> str:
    return {dict: "an object", list: "an array", str: "a text", bool: "a boolean"}.get(type(value), "a number")
