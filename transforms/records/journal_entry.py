"""Entries of systemd's journal in the export format (``journalctl -o export``).

An entry has a field on each line, and ends with a blank line. A field is ``NAME=text``; or ``NAME``, then eight bytes with the length
(little-endian), the value and a line break, for a value that is no simple text."""

from __future__ import annotations

from typing import NamedTuple

_LENGTH = 8
_LARGEST_VALUE = 64 * 1024 * 1024
BEGINNINGS = (b"__CURSOR=", b"__REALTIME_TIMESTAMP=")


class _Field(NamedTuple):
    name: bytes
    value: bytes
    end: int


def end_of_entry(data: bytes, at: int = 0) -> int | None:
    """Where the entry at ``at`` ends, with its blank line; None if ``data`` end before the entry does."""
    while not data.startswith(b"\n", at):
        field = _field(data, at)
        if field is None:
            return None
        at = field.end
    return at + 1


def message_of(entry: bytes) -> bytes | None:
    """What was logged; None if ``entry`` is no entry, or an entry without a message."""
    at = 0
    while entry.startswith(BEGINNINGS) and (field := _field(entry, at)) is not None:
        if field.name == b"MESSAGE":
            return field.value
        at = field.end
    return None


def _field(data: bytes, at: int) -> _Field | None:
    """The field that begins at ``at``; None if ``data`` end before the field does."""
    end = data.find(b"\n", at)
    if end < 0:
        return None
    name, equals, value = data[at:end].partition(b"=")
    if equals:
        return _Field(name, value, end + 1)
    begin = end + 1 + _LENGTH
    length = int.from_bytes(data[end + 1 : begin], "little")
    if length > _LARGEST_VALUE:
        return _Field(name, b"", end + 1)  # no field: a line of something else
    return _Field(name, data[begin : begin + length], begin + length + 1) if begin + length < len(data) else None
