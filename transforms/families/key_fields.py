"""The declared fields of events that hold keys (``fields.BlockKey``, ``CourseKey``, ``Link``)."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from msgspec import inspect

from edx2lrs.transforms.families.declared_fields import declared_fields
from edx2lrs.transforms.fields import SourceEvent


class KeyField(NamedTuple):
    """``way``: the attributes that lead to the value from ``data`` (or from ``context``). ``kind``: ``block``, ``course``, ``link``."""

    of_context: bool
    way: tuple[str, ...]
    kind: str


@cache
def _of_struct(struct: type, of_context: bool) -> tuple[KeyField, ...]:
    fields = [(field.attributes, field.type) for field in declared_fields(struct)]
    kinds = [(way, (type_.extra or {}).get("key")) for way, type_ in fields if isinstance(type_, inspect.Metadata)]
    return tuple(KeyField(of_context, way, kind) for way, kind in kinds if kind)


def key_fields(event: SourceEvent) -> tuple[KeyField, ...]:
    """The fields of one kind of event that hold keys."""
    return _of_struct(event.data, False) + (_of_struct(event.context, True) if event.context else ())
