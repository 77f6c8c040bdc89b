"""Which consumers get an event: those that asked for it (``match_params``) and are entitled to it (``access``).

Consumers are bits of an integer. Each field that some rule names has one table from its value to the consumers whose
rules on that field it passes, remembered per value; an event's consumers are the ``and`` over the fields. A thousand
consumers so cost an event a few look-ups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from edx2lrs.transforms.config_types import AccessRule, Consumer
from edx2lrs.transforms.course_org import org_of
from edx2lrs.transforms.event_paths import getter
from edx2lrs.transforms.patterns import compile_regex, is_regex

if TYPE_CHECKING:
    from edx2lrs.transforms.parse import Event

_REMEMBERED = 4096  # values per field: courses, organisations and names are few, users just miss


class _Values:
    """Which consumers' list of literals and expressions a value is in."""

    def __init__(self) -> None:
        self._literals: dict[object, int] = {}
        self._regexes: dict[str, tuple[re.Pattern[str], int]] = {}

    def add(self, values: Iterable[object], consumer: int) -> None:
        """Raises re.error for a bad regular expression."""
        for value in values:
            if isinstance(value, str) and is_regex(value):
                regex, mask = self._regexes.get(value) or (compile_regex(value), 0)
                self._regexes[value] = (regex, mask | consumer)
            else:
                key = _literal(value)
                self._literals[key] = self._literals.get(key, 0) | consumer

    def consumers(self, value: object) -> int:
        mask = self._literals.get(_literal(value), 0)
        if isinstance(value, str):
            for regex, consumers in self._regexes.values():
                if consumers & ~mask and regex.search(value):
                    mask |= consumers
        return mask


class _Rules:
    """All consumers' rules on one field."""

    def __init__(self, everybody: int) -> None:
        self._open = everybody  # consumers without a rule on this field
        self._any = 0  # those whose rule lets in all that it does not block
        self._allow = _Values()
        self._block = _Values()
        self._remembered = lru_cache(_REMEMBERED, typed=True)(self._judge)

    def add(self, consumer: int, allow: Iterable[object] | None, block: Iterable[object] = ()) -> None:
        self._open &= ~consumer
        if allow is None:
            self._any |= consumer
        else:
            self._allow.add(allow, consumer)
        self._block.add(block, consumer)

    def consumers(self, value: object) -> int:
        """The consumers that a value passes for. No value, or an array or object, passes no rule."""
        return self._remembered(value) if isinstance(value, (str, int, float)) else self._open

    def _judge(self, value: object) -> int:
        if value == "":
            return self._open
        return self._open | ((self._any | self._allow.consumers(value)) & ~self._block.consumers(value))


class Matcher:
    """The rules of all consumers, compiled."""

    def __init__(self, consumers: Sequence[Consumer]) -> None:
        """Raises KeyError for a path that no event has, re.error for a bad regular expression."""
        self._everybody = (1 << len(consumers)) - 1
        self._fields: list[tuple[Callable[[Event], object], _Rules]] = []
        self._courses = _Rules(self._everybody)
        self._orgs = _Rules(self._everybody)
        self._limited = False
        by_path: dict[str, _Rules] = {}
        for index, consumer in enumerate(consumers):
            for path, wanted in consumer.match_params.items():
                if path not in by_path:
                    by_path[path] = _Rules(self._everybody)
                    self._fields.append((getter(path), by_path[path]))
                by_path[path].add(1 << index, wanted if isinstance(wanted, list) else [wanted])
            if consumer.access != "all":
                self._limited = True
                self._add_access(1 << index, consumer.access.courses, consumer.access.orgs)
        self._indexes = lru_cache(_REMEMBERED)(_indexes)

    def _add_access(self, consumer: int, courses: AccessRule | None, orgs: AccessRule | None) -> None:
        if courses is None and orgs is None:
            self._courses.add(consumer, ())  # nothing was opened
        if courses is not None:
            self._courses.add(consumer, courses.allow, courses.block)
        if orgs is not None:
            self._orgs.add(consumer, orgs.allow, orgs.block)

    def __call__(self, event: Event) -> tuple[int, ...]:
        """The places, in the configuration's list, of the consumers that get the event, in order.

        What raises here lets the event through to nobody: the caller makes a dead letter of it.
        """
        mask = self._entitled(event) if self._limited else self._everybody
        for value_of, rules in self._fields:
            if not mask:
                break
            mask &= rules.consumers(value_of(event))
        return self._indexes(mask)

    def _entitled(self, event: Event) -> int:
        """Whoever may see the event's course, and the other course that its payload names, if it does."""
        course: Any = event.course_id
        other: Any = getattr(event.data, "course_id", None)
        mask = self._may_see(course or other)
        if course and other and other != course:
            mask &= self._may_see(other)
        return mask

    def _may_see(self, course: Any) -> int:
        org = org_of(course) if isinstance(course, str) else None
        return self._courses.consumers(course) & self._orgs.consumers(org)


def _literal(value: object) -> object:
    """A key that tells ``1`` and ``true`` apart, which Python's dict does not."""
    return (bool, value) if isinstance(value, bool) else value


def _indexes(mask: int) -> tuple[int, ...]:
    """The places of the bits that are set, in order."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return tuple(found)
