"""The time by which archives are cut: when the LMS received a record, else the record's own time. Apps send late."""

from __future__ import annotations

from typing import Any

import msgspec

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.times import canonical_time


class _Context(msgspec.Struct):
    received_at: Any = None


class _Timed(msgspec.Struct):
    time: Any = None
    timestamp: Any = None
    context: _Context | str | None = None


_decode = msgspec.json.Decoder(_Timed).decode
_decode_context = msgspec.json.Decoder(_Context).decode


def received_at(record: bytes) -> str | None:
    """The canonical time at which the LMS received the record; None for a record that does not say so."""
    found = _timed(record) if b"received_at" in record else None
    return _received(found) if found else None


def archive_time(record: bytes) -> str | None:
    """The canonical time by which an archive has the record in its order, if the record says so."""
    found = _timed(record)
    return _received(found) or _canonical(found.timestamp) or _canonical(found.time) if found else None


def _timed(record: bytes) -> _Timed | None:
    start = record.find(b'{"')
    try:
        return _decode(record[start:]) if start >= 0 else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _received(found: _Timed) -> str | None:
    context = found.context
    try:
        about = _decode_context(context) if isinstance(context, str) else context
    except (msgspec.MsgspecError, RecursionError):
        return None
    return _canonical(about.received_at) if about else None


def _canonical(value: object) -> str | None:
    for text in (value, f"{value}+00:00"):  # a text without a zone is in UTC
        time = canonical_time(text)
        if not isinstance(time, Refusal):
            return time
    return None
