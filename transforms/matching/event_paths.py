"""The dotted paths that ``match_params`` may name, as in a tracking record, and where the normal form has the values of these
paths."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import inspect

from edx2lrs.transforms.families.declared_fields import declared_fields, members
from edx2lrs.transforms.families.key_fields import key_fields
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

_COMMON = {
    "name": "name",
    "event_source": "source",
    "session": "session",
    "username": "username",
    "referer": "referrer",
    "host": "host",
    "context.host": "host",
    "context.event_source": "source",
    "context.session": "session",
    "context.username": "username",
    "context.referer": "referrer",
    "context.user_id": "user_id",
    "context.course_id": "course_id",
    "context.org_id": "org_id",
    "context.enterprise_uuid": "enterprise_uuid",
}
"""A log line has some fields at the top, a live event has the same ones in ``context``: both paths name one value."""


@cache
def declared_paths() -> tuple[str, ...]:
    """Every path that some event has: the common paths, and the declared fields of ``context`` and ``data``."""
    return tuple(_declared())


@cache
def structured_paths() -> frozenset[str]:
    """The ``declared_paths`` that never have a single value, but an object or an array."""
    return frozenset(path for path, is_single in _declared().items() if not is_single)


@cache
def _declared() -> dict[str, bool]:
    """Every path, and whether it can have a single value. What is within a list or a map has no path."""
    paths = dict.fromkeys(_COMMON, True)
    for source in SOURCE_EVENTS.values():
        for part, struct in (("context", source.context), ("data", source.data)):
            for field in declared_fields(struct, part) if struct is not None else ():
                path, within, _ = field.path.partition(".*")
                above = accumulate(path.split(".")[:-1], "{}.{}".format)
                paths.update((each, paths.get(each, False)) for each in above if each != part)
                paths[path] = paths.get(path, False) or (not within and any(isinstance(each, _SINGLE) for each in members(field.type)))
    return paths


@cache
def _keys() -> frozenset[str]:
    """The paths of keys of blocks and courses. White space around such a key is none of it, as in statements."""
    fields = {field for source in SOURCE_EVENTS.values() for field in key_fields(source) if field.kind != "link"}
    return frozenset(".".join(("context" if field.of_context else "data", *field.way)) for field in fields)


_SINGLE = (inspect.StrType, inspect.IntType, inspect.FloatType, inspect.BoolType, inspect.AnyType)


def getter(path: str) -> Callable[[Event], object]:
    """Gives the value at a declared path; None where the event has none. Raises KeyError for a path that is not declared."""
    if path in _COMMON:
        return attrgetter(_COMMON[path])
    if path not in declared_paths():
        raise KeyError(path)
    steps, is_key = path.split("."), path in _keys()

    def value(event: Event) -> object:
        found: object = event
        for step in steps:
            found = getattr(found, step, None)
        return found.strip() if is_key and isinstance(found, str) else found

    return value
