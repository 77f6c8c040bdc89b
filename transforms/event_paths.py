"""The dotted paths that ``match_params`` may name, as in a tracking record, and where the normal form has their
values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
from msgspec import inspect

from edx2lrs.transforms.events.registry import SOURCE_EVENTS

if TYPE_CHECKING:
    from edx2lrs.transforms.parse import Event

_COMMON = {
    "name": "name",
    "event_source": "source",
    "session": "session",
    "username": "username",
    "referer": "referrer",
    "context.event_source": "source",
    "context.session": "session",
    "context.username": "username",
    "context.referer": "referrer",
    "context.user_id": "user_id",
    "context.course_id": "course_id",
    "context.org_id": "org_id",
}
"""A log line has some fields at the top, a live event has the same ones in ``context``: both paths name one value."""


@cache
def declared_paths() -> tuple[str, ...]:
    """Every path that some event has: the common ones, and what the events' types declare of ``context`` and
    ``data``."""
    paths = dict.fromkeys(_COMMON)
    for source in SOURCE_EVENTS.values():
        if source.context is not None:
            paths.update(dict.fromkeys(f"context.{path}" for path in _leaves(source.context)))
        paths.update(dict.fromkeys(f"data.{path}" for path in _leaves(source.data)))
    return tuple(paths)


def _leaves(struct: type[msgspec.Struct]) -> Iterator[str]:
    """The dotted paths below ``struct`` that hold single values."""
    declared = inspect.type_info(struct)
    assert isinstance(declared, inspect.StructType)
    for field in declared.fields:
        members = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        for member in members:
            if isinstance(member, inspect.StructType):
                yield from (f"{field.encode_name}.{path}" for path in _leaves(member.cls))
        if any(isinstance(member, (inspect.StrType, inspect.IntType, inspect.FloatType)) for member in members):
            yield field.encode_name


def getter(path: str) -> Callable[[Event], object]:
    """Gives the value at a declared path; None where the event has none. Raises KeyError for a path that is not
    declared."""
    if path in _COMMON:
        return attrgetter(_COMMON[path])
    if path not in declared_paths():
        raise KeyError(path)
    steps = path.split(".")

    def value(event: Event) -> object:
        found: object = event
        for step in steps:
            found = getattr(found, step, None)
        return found

    return value
