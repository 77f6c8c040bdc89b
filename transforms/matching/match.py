"""Which consumers get an event: those that asked for it (``match_params``) and are entitled to it (``access``).

Consumers are bits of an integer, a mask. Each aspect of an event that some rule names has one table from its value to the mask
of the consumers whose rules it passes; an event's consumers are the ``and`` over the aspects. Both are remembered: a value by
the number of its mask, the event's consumers by these few numbers. So a thousand consumers cost an event as much as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from edx2lrs.transforms.config_types import Access, AccessRule, Consumer, Protocol
from edx2lrs.transforms.matching.course_org import org_of
from edx2lrs.transforms.matching.event_paths import getter
from edx2lrs.transforms.matching.patterns import compile_regex, is_regex

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

_REMEMBERED = 16_384  # values per aspect: courses, organisations and names are few, some users just miss
_STRUCTURE = object()
_SINGLE = frozenset({str, int, float, bool, type(None)})


class _Values:
    """Lists of literals and expressions, one list for each consumer; says for a value which consumers' lists hold the value."""

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


class _Wishes:
    """All consumers' ``match_params`` on one path."""

    def __init__(self, everybody: int) -> None:
        self._open = everybody  # consumers that do not name the path
        self._values = _Values()
        self._but = 0  # those that want all values but some
        self._unwanted = _Values()
        self._present = 0  # those that want any value
        self._absent = 0  # those that want none

    def add(self, consumer: int, wanted: Any) -> None:
        """``wanted`` as in ``Consumer.match_params``; of a list, one has to fit."""
        self._open &= ~consumer
        for each in wanted if isinstance(wanted, list) else [wanted]:
            if not isinstance(each, dict):
                self._values.add([each], consumer)
            elif "not" in each:
                self._but |= consumer
                self._unwanted.add(each["not"] if isinstance(each["not"], list) else [each["not"]], consumer)
            elif each["exists"]:
                self._present |= consumer
            else:
                self._absent |= consumer

    def mask(self, value: object) -> int:
        """The consumers that a value passes for. Of an array or object (``_STRUCTURE``) only that it is there can be said."""
        if value is None or value == "":
            return self._open | self._absent
        if value is _STRUCTURE:
            return self._open | self._present
        wanted = self._values.consumers(value) | (self._but & ~self._unwanted.consumers(value))
        return self._open | self._present | wanted


class _Rights:
    """All consumers' rules of ``access`` on one thing. What is missing passes no rule."""

    def __init__(self, everybody: int, normal: Callable[[str], str] = str) -> None:
        """``normal`` makes texts equal that mean the same."""
        self._open = everybody  # consumers without a rule on this
        self._any = 0  # those whose rule lets in all that it does not block
        self._allow = _Values()
        self._block = _Values()
        self._normal = normal

    def add(self, consumer: int, allow: Iterable[str] | None, block: Iterable[str] = ()) -> None:
        self._open &= ~consumer
        if allow is None:
            self._any |= consumer
        else:
            self._allow.add(map(self._written, allow), consumer)
        self._block.add(map(self._written, block), consumer)

    def _written(self, pattern: str) -> str:
        return pattern if is_regex(pattern) else self._normal(pattern)

    def mask(self, value: object) -> int:
        """The consumers that a value passes for."""
        if not isinstance(value, str) or not value:
            return self._open
        value = self._normal(value)
        return self._open | ((self._any | self._allow.consumers(value)) & ~self._block.consumers(value))


class _RightsOnUsers:
    """All consumers' rules on persons, who have an id (a number), a name or both.

    A rule that blocks by id passes nobody whose id is not known, one that blocks by name nobody without a name.
    """

    def __init__(self, everybody: int) -> None:
        self._open = everybody
        self._any = 0
        self._allow = _Values()
        self._block = _Values()
        self._block_by_id = 0
        self._block_by_name = 0

    def add(self, consumer: int, allow: Iterable[str | int] | None, block: Iterable[str | int]) -> None:
        self._open &= ~consumer
        if allow is None:
            self._any |= consumer
        else:
            self._allow.add(allow, consumer)
        self._block.add(block, consumer)
        for value in block:
            if isinstance(value, int):
                self._block_by_id |= consumer
            else:
                self._block_by_name |= consumer

    def mask(self, user: tuple[int | None, str | None]) -> int:
        """The consumers that a user passes for, given by id and name."""
        allowed, blocked = self._any, 0
        for value, block in zip(user, (self._block_by_id, self._block_by_name), strict=True):
            if value:
                allowed |= self._allow.consumers(value)
                blocked |= self._block.consumers(value)
            else:
                blocked |= block
        return self._open | (allowed & ~blocked if any(user) else 0)


class _RightsOnTypes:
    """The rules on activity types of all consumers of one protocol: each type of an event's statements has to pass."""

    def __init__(self, everybody: int) -> None:
        self._rights = _Rights(everybody)
        self.add = self._rights.add

    def mask(self, types: tuple[str, ...]) -> int:
        """The consumers that statements about these types pass for."""
        mask = self._rights.mask(types[0] if types else None)
        for other in types[1:]:
            mask &= self._rights.mask(other)
        return mask


class _RightsOnCourses:
    """The rules on courses and on the organisations that run them: an event passes with each course that it names."""

    def __init__(self, everybody: int) -> None:
        self.courses = _Rights(everybody)
        self.orgs = _Rights(everybody)

    def mask(self, courses: tuple[Any, ...]) -> int:
        """The consumers that the event's course, and the other one that its payload names, pass for."""
        course, other = courses
        mask = self._may_see(course or other)
        if course and other and other != course:
            mask &= self._may_see(other)
        return mask

    def _may_see(self, course: object) -> int:
        org = org_of(course) if isinstance(course, str) else None
        return self.courses.mask(course) & self.orgs.mask(org)


Aspect = tuple[Callable[["Event"], Any], Callable[[Any], int]]
"""Gives a value of an event that rules are about, as something that can be remembered; and the number of the mask of those
consumers that it passes for."""


class Matcher:
    """The rules of all consumers, compiled."""

    def __init__(self, consumers: Sequence[Consumer]) -> None:
        """Raises KeyError for a path that no event has, re.error for a bad regular expression."""
        self._everybody = (1 << len(consumers)) - 1
        self._numbers: dict[int, int] = {}
        self._masks: list[int] = []
        self._aspects: list[Aspect] = []
        wishes: dict[str, _Wishes] = {}
        limited: list[tuple[int, Protocol, Access]] = []
        for place, consumer in enumerate(consumers):
            if consumer.access != "all":
                limited.append((1 << place, consumer.protocol, consumer.access))
            for path, wanted in consumer.match_params.items():
                wishes.setdefault(path, _Wishes(self._everybody)).add(1 << place, wanted)
        self._add_rights(limited)
        for path, wish in wishes.items():
            self._aspect(_single(getter(path)), wish.mask)
        self._decided = lru_cache(_REMEMBERED)(self._decide)

    def _aspect(self, value_of: Callable[[Event], Any], mask_of: Callable[[Any], int]) -> None:
        def number(value: Any) -> int:
            mask = mask_of(value)
            if mask not in self._numbers:
                self._numbers[mask] = len(self._masks)
                self._masks.append(mask)
            return self._numbers[mask]

        self._aspects.append((value_of, lru_cache(_REMEMBERED, typed=True)(number)))

    def _add_rights(self, accesses: Sequence[tuple[int, Protocol, Access]]) -> None:
        """Only what some consumer has a rule on is ever looked at."""
        courses, users = _RightsOnCourses(self._everybody), _RightsOnUsers(self._everybody)
        sites, enterprises = _Rights(self._everybody, str.lower), _Rights(self._everybody, str.lower)
        types: dict[Protocol, _RightsOnTypes] = {}
        for bit, protocol, access in accesses:
            if all(getattr(access, field) is None for field in access.__struct_fields__):
                courses.courses.add(bit, ())  # nothing was opened
            rules: list[tuple[AccessRule | None, _Rights]] = [
                (access.courses, courses.courses),
                (access.orgs, courses.orgs),
                (access.sites, sites),
                (access.enterprises, enterprises),
            ]
            for rule, rights in rules:
                if rule is not None:
                    rights.add(bit, rule.allow, rule.block)
            if access.users is not None:
                users.add(bit, access.users.allow, access.users.block)
            if access.activity_types is not None:
                of_protocol = types.setdefault(protocol, _RightsOnTypes(self._everybody))
                of_protocol.add(bit, access.activity_types.allow, access.activity_types.block)
        given = [access for _, _, access in accesses]
        if given:
            self._aspect(_courses, courses.mask)
        if any(access.users is not None for access in given):
            self._aspect(_user, users.mask)
        if any(access.sites is not None for access in given):
            self._aspect(_single(attrgetter("host")), sites.mask)
        if any(access.enterprises is not None for access in given):
            self._aspect(_single(attrgetter("enterprise_uuid")), enterprises.mask)
        for protocol, of_protocol in types.items():
            # Imported here: the mappings need not be there for what has no such rule.
            from edx2lrs.transforms.matching.activity_types import ActivityTypes

            self._aspect(ActivityTypes(protocol), of_protocol.mask)

    def __call__(self, event: Event) -> tuple[int, ...]:
        """The places, in the configuration's list, of the consumers that get the event, in order.

        What raises here lets the event through to nobody: the caller makes a dead letter of it.
        """
        return self._decided(tuple([number(value_of(event)) for value_of, number in self._aspects]))

    def _decide(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        mask = self._everybody
        for number in numbers:
            mask &= self._masks[number]
        return _places(mask)


def _courses(event: Event) -> tuple[Any, Any]:
    course, other = event.course_id, getattr(event.data, "course_id", None)
    return course, other if isinstance(other, (str, int, float)) else None


def _user(event: Event) -> tuple[int | None, str | None]:
    return event.user_id, event.username


def _single(value_of: Callable[[Event], object]) -> Callable[[Event], object]:
    """As ``value_of``, with ``_STRUCTURE`` for what is no single value."""

    def value(event: Event) -> object:
        found = value_of(event)
        return found if found.__class__ in _SINGLE else _STRUCTURE

    return value


def _literal(value: object) -> object:
    """A key that tells ``1`` and ``true`` apart, which Python's dict does not."""
    return (bool, value) if isinstance(value, bool) else value


def _places(mask: int) -> tuple[int, ...]:
    """The places of the bits that are set, in order."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return tuple(found)
