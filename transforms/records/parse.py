"""From a record's bytes to an event in normal form. The event is the same from a tracking log, a message or the event bus.

- A log line: an optional log prefix, then an object with ``event`` (an object, JSON text or plain text). Session, user, source and
referrer stand at the top.

- A live event, or an event of the event bus: an object with ``data`` and ``context`` (each an object or JSON text). Session, user,
source and referrer stand in ``context``.

Almost every record of a known name is decoded in one pass, into the types of its name. If the name is not found at once, the
envelope of the record is decoded first, then the declared fields of its parts. A record that msgspec refuses (NaN, half a surrogate
pair, a broken line, a value of a wrong type) is read again with Python's ``json``. This second reader finds every declared field
right, or says which field is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from edx2lrs.transforms.causes import Cause
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.event_sources import is_posted
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.key_fields import key_fields
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.fields import Context, EventData, Scalar, SourceEvent, SubmittedText, Text
from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.formats.remembered import memory
from edx2lrs.transforms.formats.times import canonical_time
from edx2lrs.transforms.keys.course_key import normal_course_key, org_of
from edx2lrs.transforms.people.person_ids import NoPersonError, person, session_of, username_of
from edx2lrs.transforms.records.log_line import lenient_object, lenient_value
from edx2lrs.transforms.records.old_records import course_elsewhere, time_of_log, with_new_names


def parse(line: bytes, believed: bool = False) -> Event | Refusal:
    """The event of one record: a line without its line break, or a message. Never raises. ``believed``: events that a browser or an
    app posted count as the site's own (``posted_events: erb``).

    Refusals have stage ``parse`` and one of the causes ``not_utf8``, ``not_json``, ``too_deep``, ``not_an_event``,
    ``wrong_type``, ``not_finite``, ``bad_text``, ``no_time``, ``bad_time``, ``forged``. Their messages name fields and types, never
    values.
    """
    try:
        if not line.isascii():
            line.decode()
        start = line.find(b'"name": "') + 9
        if start == 8:
            start = line.find(b'"name":"') + 8
        known = _known_names.get(line[start : line.find(b'"', start)])
        if known is None or line[0] != _BRACE:
            return _in_two_passes(line, believed)
        name, source_event, decode, decode_data, declared, renamed = known
        # as a tuple, since records of many types pass here: Python finds fields of one type faster
        there, _, time, timestamp, source, session, referrer, username, host, about, event, data = astuple(decode(line))
        if event is not UNSET:
            data = event
        if there != name or data is UNSET:
            return _in_two_passes(line, believed)  # the name that was found is another name, or the record is no event
        canonical = canonical_time(time if timestamp is None else timestamp or _first(timestamp, time))
        if isinstance(canonical, Refusal):
            canonical = canonical if event is UNSET else time_of_log(canonical, time, timestamp)
            if isinstance(canonical, Refusal):
                return canonical
        if type(data) is str:
            data = decode_data(data) if data[:1] == "{" else _payload(data, source_event)
        elif data is None:
            data = source_event.data()
        if type(about) is str or about is None:
            about = _context(about)
        context = _declared_context(about, declared) if declared else None
        return _event(
            name, source_event.sources, False, canonical, source, session, referrer, username, host, about, context, data, renamed,
            believed,
        )
    except (msgspec.MsgspecError, _ReadAgain, _Refused, NoPersonError, UnicodeDecodeError, RecursionError):
        return _parse_leniently(line, believed)


def _in_two_passes(line: bytes, believed: bool) -> Event | Refusal:
    """The event of a record whose name is known only after the envelope is decoded. Raises as msgspec does, and _ReadAgain."""
    if line[:1] != b"{":
        line = _after_prefix(line)
    named = _decode_name(line)
    if named.event is UNSET and named.data is UNSET:
        raise _ReadAgain
    name, from_event_type = _name(named)
    source_event = SOURCE_EVENTS.get(name)
    if source_event is None:
        return Event(name, from_event_type)
    envelope = _decode_envelope(line)
    payload = envelope.data if envelope.event is UNSET else envelope.event
    time = _time(envelope, envelope.event is not UNSET)
    if isinstance(time, Refusal):
        return time
    about = _context(envelope.context)
    declared = _declared_context(about, source_event.context) if source_event.context else None
    data = _payload(_part_decoders[source_event.data](payload), source_event)
    source, session, referrer, username, host = astuple(envelope)[_TOP]
    renamed = _known_names[name.encode()].renamed
    return _event(
        name, source_event.sources, from_event_type, time, source, session, referrer, username, host, about, declared, data, renamed,
        believed,
    )


def _time(envelope: Envelope, is_log_line: bool) -> str | Refusal:
    found = canonical_time(_first(envelope.timestamp, envelope.time))
    return time_of_log(found, envelope.time, envelope.timestamp) if is_log_line and isinstance(found, Refusal) else found


def _after_prefix(line: bytes) -> bytes:
    """The line from the first object on, if no part of the prefix makes the beginning of the object doubtful."""
    start = line.find(b'{"')
    if start < 0 or b'"' in line[:start] or b"}" in line[:start]:
        raise _ReadAgain
    return line[start:]


_BRACE = ord("{")


class _Name(msgspec.Struct, gc=False):
    name: Text = None
    event_type: Scalar = None


class _Named(_Name, gc=False):
    """The fields that say whether a record is an event that some mapping knows. Most lines of a log are page requests."""

    event: msgspec.Raw | msgspec.UnsetType = UNSET
    data: msgspec.Raw | msgspec.UnsetType = UNSET


_decode_name: Callable[[bytes], _Named] = msgspec.json.Decoder(_Named).decode


class Envelope(_Name, gc=False):
    time: Scalar = None
    timestamp: Scalar = None
    event_source: Scalar = None
    session: Scalar = None
    referer: Scalar = None
    username: Scalar = None
    host: Scalar = None


_TOP = slice(4, 9)
"""Source, session and user at the top of a record, in the order in which ``_event`` takes them."""


class _ReadAgain(Exception):
    """The fast path does not judge this record."""


class _Refused(Exception):
    def __init__(self, cause: Cause, message: str):
        super().__init__(message)
        self.refusal = Refusal("parse", cause, message)


def _parts(context: Any, payload: Any) -> list[tuple[str, Any, Any]]:
    """The fields of a record beside its envelope. The context may be JSON text, and the payload stands in one of two fields."""
    payload |= msgspec.UnsetType
    return [("context", context | str | None, None), ("event", payload, UNSET), ("data", payload, UNSET)]


def _any_context() -> type[Context]:
    """``Context`` with the further context fields of all families. Decoded in one pass, before the family is known.

    Raises TypeError when two families declare a field with different types.
    """
    fields: dict[str, Any] = {}
    for declared in {source.context for source in SOURCE_EVENTS.values() if source.context}:
        for field in msgspec.structs.fields(declared):
            if fields.setdefault(field.name, field).type != field.type:
                raise TypeError(f"context.{field.name} is declared with two types")
    types = [(name, field.type, field.default) for name, field in fields.items()]
    defined = msgspec.defstruct("_AnyContext", types, bases=(Context,), gc=False)
    return cast("type[Context]", defined)


_AnyContext: Any = _any_context()
_no_context: Context = _AnyContext()
_decode_context: Callable[[str], Context] = msgspec.json.Decoder(_AnyContext).decode
_Record: Any = msgspec.defstruct("_Record", _parts(_AnyContext, msgspec.Raw), bases=(Envelope,), gc=False)
_decode_envelope: Callable[[bytes], Any] = msgspec.json.Decoder(_Record).decode


def _context(context: Context | str | None) -> Context:
    return context if isinstance(context, Context) else _no_context if context is None else _decode_context(context)


def _declared_context(about: Context, declared: type[msgspec.Struct]) -> msgspec.Struct:
    """The fields of the context that the family declares, and no other field."""
    return declared(*[getattr(about, field) for field in declared.__struct_fields__])


def _name(named: _Name) -> tuple[str, bool]:
    """The name of a record, and whether ``event_type`` stands for the name. The address of a page does not count as such."""
    name, event_type = named.name, named.event_type
    if name or type(event_type) is not str:
        return name or "", False
    return event_type, event_type != "" and not event_type.startswith(("/", "http://", "https://"))


def _first(value: Scalar, other: Scalar) -> Scalar:
    """The first of two places in a record whose value is not empty."""
    return value if value or value not in (None, "") else other


def _event(
    name: str, sources: tuple[str, ...], from_event_type: bool, time: str, source: Scalar, session: Scalar, referrer: Scalar,
    username: Scalar, host: Scalar, about: Context, context: Any, data: EventData, renamed: int, believed: bool,
    course_elsewhere: Callable[[], str | None] | None = None,
) -> Event:
    """The normal form, from the declared parts. A value at the top of the record wins over the value in ``about``. A name that only
    other sources emit is a name without data. A record that may be an old record is read again: if its context has no course, and if
    the field of ``data`` at the place ``renamed`` (0: none) is missing. ``course_elsewhere`` then finds the course."""
    (
        id_there, username_there, session_there, source_there, referrer_there, course_id, org_id, host_there, enterprise_uuid,
    ) = astuple(about)[:9]
    source = source or _first(source, source_there)
    if sources and source not in sources and is_posted(source) and not believed:
        return Event(name, from_event_type, source=source)
    if course_id and (course_id.strip() is not course_id or "@" in course_id):
        course_id = normal_course_key(course_id) or course_id.strip()
    if not course_id:
        if course_elsewhere is None:
            raise _ReadAgain
        course_id = course_elsewhere()
        org_id = org_id or (org_of(course_id) if course_id else None)
    values = astuple(data)
    id_in_data, name_in_data = values[:2]
    if renamed and values[renamed] is None:
        raise _ReadAgain
    session = session or _first(session, session_there)
    if type(session) is not str or len(session) < 16:  # a longer one is no word for nobody
        session = session_of(session) or session_of(session_there)
    user: int | None
    user_name: str | None
    if id_in_data is None and name_in_data is None and type(id_there) is int and id_there > 0 and type(username) is str and username:
        user, user_name = id_there, _names[username]  # nearly always; person would say the same
    else:
        name_there = _first(_names[username] if type(username) is str else username, username_there)
        person_of = _posted_person if is_posted(source) and not believed else _named_person
        user, user_name = person_of(id_in_data, name_in_data, id_there, name_there)
        if user is None and user_name is None:
            session = session_of(session)  # the visitor is told by it
    return Event(
        name, from_event_type, time, source, session, referrer or _first(referrer, referrer_there), user, user_name, course_id,
        org_id or None, host or _first(host, host_there), enterprise_uuid or None, context, data,
    )


_names = memory(username_of, 16_384)


def _posted_person(id_in_data: Scalar, name_in_data: Scalar, id_there: Scalar, name_there: Scalar) -> tuple[int | None, str | None]:
    """The person of an event that a browser or an app posted: the one of the context, whom the payload may only repeat."""
    named, there = person(id_in_data, name_in_data), person(id_there, name_there)
    both = [(one, other) for one, other in zip(named, there, strict=True) if one is not None and other is not None]
    if named == (None, None) or (both and all(one == other for one, other in both)):
        return there
    raise _Refused("forged", "the payload of a browser or an app names another person than the context; expected the same or none")


def _named_person(id_in_data: Scalar, name_in_data: Scalar, id_there: Scalar, name_there: Scalar) -> tuple[int | None, str | None]:
    """The person of an event whose payload is believed: the one of the payload, else the one of the context."""
    if type(id_in_data) is int and id_in_data > 0 and name_in_data is None:  # nearly always; the rest would say the same
        return id_in_data, _names[name_there] if id_in_data == id_there and type(name_there) is str else None
    user_id, username = person(id_in_data, name_in_data)
    if user_id is None and username is None:
        return person(id_there, name_there)
    if username is None:
        with suppress(NoPersonError):
            there = person(id_there, name_there)
            username = there[1] if there[0] == user_id else None
    return user_id, username


# The fast reader: from parts that are not decoded. A part is an object or JSON text (in events of browsers and of the event bus).

_DECLARED = {source.data for source in SOURCE_EVENTS.values()}
_decoders: dict[Any, Callable[[Any], Any]] = {d: msgspec.json.Decoder(d).decode for d in _DECLARED}
_part_decoders: dict[Any, Callable[[Any], Any]] = {d: msgspec.json.Decoder(d | str | None).decode for d in _DECLARED}


def _record_decoder(source_event: SourceEvent) -> Callable[[bytes], Any]:
    """Decodes a whole record of one name, in one pass."""
    about: Any = source_event.context
    context: Any = Context
    if about is not None:
        fields = [(field.name, field.type, field.default) for field in msgspec.structs.fields(about)]
        context = msgspec.defstruct("_KnownContext", fields, bases=(Context,), gc=False)
    parts = _parts(context, source_event.data | str | None)
    record: Any = msgspec.defstruct("_KnownRecord", parts, bases=(Envelope,), gc=False)
    return msgspec.json.Decoder(record).decode


class _KnownName(NamedTuple):
    name: str
    source_event: SourceEvent
    decode_record: Callable[[bytes], Any]
    decode_data: Callable[[str], Any]
    context: type[msgspec.Struct] | None
    renamed: int
    """The place of the first field that has another name in older records; 0: there is none."""


def _by_name() -> dict[bytes, _KnownName]:
    """The decoders by name; events of the same shape share a decoder."""
    records = {source_event[1:3]: _record_decoder(source_event) for source_event in SOURCE_EVENTS.values()}
    return {
        name.encode(): _KnownName(name, source, records[source[1:3]], _decoders[source.data], source.context, _renamed(source))
        for name, source in SOURCE_EVENTS.items()
    }


def _renamed(source_event: SourceEvent) -> int:
    names = source_event.data.__struct_fields__
    return next((names.index(name) for name in source_event.old_fields.values()), 0)


_known_names = _by_name()
_decode_text = msgspec.json.Decoder(str).decode
_MAY_BEGIN_JSON = frozenset("{[-0123456789tfnNI \t\r\n")


def _payload(part: Any, source_event: SourceEvent) -> Any:
    """The payload of a part that was decoded: its type, a text or null."""
    declared = source_event.data
    if type(part) is str:
        begins = part[:1]
        if begins == "{":
            return _decoders[declared](part)
        if begins == '"':
            part = _decode_text(part)  # some browsers send a text as JSON text
        elif begins in _MAY_BEGIN_JSON:
            raise _ReadAgain
        if not source_event.text_allowed or not part:
            raise _ReadAgain
        return SubmittedText(text=part)
    return declared() if part is None else part


# The lenient reader: from Python values, judging every declared field.


def _parse_leniently(line: bytes, believed: bool) -> Event | Refusal:
    record = lenient_object(line)
    if isinstance(record, Refusal):
        return record
    if "event" not in record and "data" not in record:
        return Refusal("parse", "not_an_event", "neither event nor data in the object; expected one of them")
    try:
        parts = {key: record.pop(key) for key in ("context", "event", "data") if key in record}
        named = _read_value(record, _Name, False, "")
        name, from_event_type = _name(named)
        source_event = SOURCE_EVENTS.get(name)
        if source_event is None:
            return Event(name, from_event_type)
        envelope = _read_value(record, Envelope, False, "")
        time = _time(envelope, "event" in parts)
        if isinstance(time, Refusal):
            return time
        context, payload = _decoded(parts.get("context")), _decoded(parts["event"] if "event" in parts else parts["data"])
        payload = with_new_names(payload, source_event.old_fields)
        about = _read_value(context, Context, False, "context")
        declared = _read_value(context, source_event.context, False, "context") if source_event.context else None
        data = _read_value(payload, source_event.data, source_event.text_allowed, "data")
        keys = [getattr(data, field.way[0], None) for field in key_fields(source_event) if not field.of_context]
        elsewhere = partial(course_elsewhere, record, context, payload, keys)
        source, session, referrer, username, host = astuple(envelope)[_TOP]
        return _event(
            name, source_event.sources, from_event_type, time, source, session, referrer, username, host, about, declared, data, 0,
            believed, elsewhere,
        )
    except _Refused as refused:
        return refused.refusal
    except NoPersonError as error:
        return Refusal("parse", "wrong_type", str(error))
    except RecursionError:
        return Refusal("parse", "too_deep", "arrays or objects are nested too deeply")


def _decoded(value: Any) -> Any:
    """A part of a record, which may be JSON text."""
    if isinstance(value, str):
        with suppress(ValueError):  # else it is a plain text
            return lenient_value(value)
    return value


def _read_value(value: Any, declared: type, text_allowed: bool, path: str) -> Any:
    if value is None or value == "":
        value = {}
    if isinstance(value, str) and text_allowed:
        _check(value, path)
        return SubmittedText(text=value)
    if not isinstance(value, dict):
        raise _Refused("wrong_type", f"{path}: expected an object, found {json_type(value)}")
    try:
        read: Any = msgspec.convert(value, declared)
    except msgspec.ValidationError as error:
        # the message names types and a path ($.duration), no values
        raise _Refused("wrong_type", f"{path}: {error}".replace("`$.", "`").replace("bool | ", "").lstrip(": ")) from None
    except UnicodeEncodeError:  # in place of an object: msgspec has no message for it
        raise _Refused("bad_text", f"{path}: a lone surrogate; expected text that UTF-8 can hold") from None
    _check(read, path)
    return read


def _check(value: Any, path: str) -> None:
    """Refuses values that JSON (RFC 8259) or UTF-8 does not know, at any depth of a declared field."""
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
