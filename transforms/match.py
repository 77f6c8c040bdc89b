"""Which consumers get an event: those that asked for it (``match_params``) and are entitled to it (``access``).

Consumers are bits of an integer. Each field that some rule names has one table from its value to the consumers whose
rules on that field it passes, remembered per value; an event's consumers are the ``and`` over the fields. A thousand
consumers so cost an event a few look-ups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from edx2lrs.transforms.config_types import Access, Consumer
from edx2lrs.transforms.course_org import org_of
from edx2lrs.transforms.event_paths import getter
from edx2lrs.transforms.patterns import compile_regex, is_regex

if TYPE_CHECKING:
    from edx2lrs.transforms.parse import Event

_REMEMBERED = 16_384  # values per field: courses, organisations and names are few, some users just miss


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


class _Wishes:
    """All consumers' ``match_params`` on one path."""

    def __init__(self, everybody: int) -> None:
        self._open = everybody  # consumers that do not name the path
        self._values = _Values()
        self._but = 0  # those that want all values but some
        self._unwanted = _Values()
        self._present = 0  # those that want any value
        self._absent = 0  # those that want none
        self._remembered = lru_cache(_REMEMBERED, typed=True)(self._judge)

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

    def consumers(self, value: object) -> int:
        """The consumers that a value passes for. An array or object is there, and that is all that can be said of it."""
        if isinstance(value, (str, int, float)):
            return self._remembered(value)
        return self._open | (self._absent if value is None else self._present)

    def _judge(self, value: object) -> int:
        if value == "":
            return self._open | self._absent
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
        self._remembered = lru_cache(_REMEMBERED)(self._judge)

    def add(self, consumer: int, allow: Iterable[str] | None, block: Iterable[str] = ()) -> None:
        self._open &= ~consumer
        if allow is None:
            self._any |= consumer
        else:
            self._allow.add(map(self._written, allow), consumer)
        self._block.add(map(self._written, block), consumer)

    def _written(self, pattern: str) -> str:
        return pattern if is_regex(pattern) else self._normal(pattern)

    def consumers(self, value: object) -> int:
        return self._remembered(value) if isinstance(value, str) else self._open

    def _judge(self, value: str) -> int:
        if not value:
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
        self._remembered = lru_cache(_REMEMBERED)(self._judge)

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

    def consumers(self, event: Event) -> int:
        return self._remembered(event.user_id, event.username)

    def _judge(self, user_id: int | None, username: str | None) -> int:
        allowed, blocked = self._any, 0
        for value, block in ((user_id, self._block_by_id), (username, self._block_by_name)):
            if value:
                allowed |= self._allow.consumers(value)
                blocked |= self._block.consumers(value)
            else:
                blocked |= block
        return self._open | (allowed & ~blocked if user_id or username else 0)


class _RightsOnTypes:
    """The rules on activity types of all consumers of one protocol: each type of an event's statements has to pass."""

    def __init__(self, everybody: int, consumer: Consumer) -> None:
        # Imported here: the mappings need not be there for what has no such rule.
        from edx2lrs.transforms.activity_types import ActivityTypes

        self._types_of = ActivityTypes(consumer.protocol)
        self.rights = _Rights(everybody)

    def consumers(self, event: Event) -> int:
        types = self._types_of(event)
        mask = self.rights.consumers(types[0] if types else None)
        for other in types[1:]:
            mask &= self.rights.consumers(other)
        return mask


class Matcher:
    """The rules of all consumers, compiled."""

    def __init__(self, consumers: Sequence[Consumer]) -> None:
        """Raises KeyError for a path that no event has, re.error for a bad regular expression."""
        self._everybody = (1 << len(consumers)) - 1
        self._courses = _Rights(self._everybody)
        self._orgs = _Rights(self._everybody)
        self._by_course = False
        wishes: dict[str, _Wishes] = {}
        rights = _FurtherRights(self._everybody)
        for index, consumer in enumerate(consumers):
            for path, wanted in consumer.match_params.items():
                wishes.setdefault(path, _Wishes(self._everybody)).add(1 << index, wanted)
            if consumer.access != "all":
                self._add_access(1 << index, consumer.access)
                rights.add(1 << index, consumer, consumer.access)
        self._fields = [(getter(path), each) for path, each in wishes.items()]
        self._rights = rights.by_field()
        self._of_events = rights.of_events()
        self._indexes = lru_cache(_REMEMBERED)(_indexes)

    def _add_access(self, consumer: int, access: Access) -> None:
        if all(getattr(access, field) is None for field in access.__struct_fields__):
            self._courses.add(consumer, ())  # nothing was opened
            self._by_course = True
        for rule, rights in ((access.courses, self._courses), (access.orgs, self._orgs)):
            if rule is not None:
                rights.add(consumer, rule.allow, rule.block)
                self._by_course = True

    def __call__(self, event: Event) -> tuple[int, ...]:
        """The places, in the configuration's list, of the consumers that get the event, in order.

        What raises here lets the event through to nobody: the caller makes a dead letter of it.
        """
        mask = self._entitled(event) if self._by_course else self._everybody
        for value_of, rights in self._rights:
            mask &= rights.consumers(value_of(event))
        for of_event in self._of_events:
            mask &= of_event.consumers(event)
        for value_of, wishes in self._fields:
            if not mask:
                break
            mask &= wishes.consumers(value_of(event))
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


class _FurtherRights:
    """Collects the rules of ``access`` beside those on courses; only what some consumer has a rule on is ever looked at."""

    def __init__(self, everybody: int) -> None:
        self._everybody = everybody
        self._fields: dict[str, _Rights] = {}
        self._users: _RightsOnUsers | None = None
        self._types: dict[str, _RightsOnTypes] = {}

    def add(self, bit: int, consumer: Consumer, access: Access) -> None:
        for field, rule in (("host", access.sites), ("enterprise_uuid", access.enterprises)):
            if rule is not None:
                self._fields.setdefault(field, _Rights(self._everybody, str.lower)).add(bit, rule.allow, rule.block)
        if access.users is not None:
            self._users = self._users or _RightsOnUsers(self._everybody)
            self._users.add(bit, access.users.allow, access.users.block)
        if access.activity_types is not None:
            rule = access.activity_types
            if consumer.protocol not in self._types:
                self._types[consumer.protocol] = _RightsOnTypes(self._everybody, consumer)
            self._types[consumer.protocol].rights.add(bit, rule.allow, rule.block)

    def by_field(self) -> list[tuple[Callable[[Event], object], _Rights]]:
        return [(attrgetter(field), rights) for field, rights in self._fields.items()]

    def of_events(self) -> list[_RightsOnUsers | _RightsOnTypes]:
        return [*([self._users] if self._users else []), *self._types.values()]


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
