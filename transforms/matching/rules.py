"""What ``match_params`` and ``access`` of a consumer may say. Each operator and each right is one type or row here: how a person
writes it, its part of the JSON Schema, its words, and the values that fit. The matcher compiles the values that fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from edx2lrs.transforms.config_types import Access, AccessRule, Consumer, Dialect, UserRule
from edx2lrs.transforms.config_types import Protocol as ConsumerProtocol
from edx2lrs.transforms.formats.unfit import UnfitError, kind_of
from edx2lrs.transforms.keys.course_key import normal_course_key
from edx2lrs.transforms.keys.usage_key import Shown
from edx2lrs.transforms.matching.masks import Fit, RuleMasks, RuleStanding
from edx2lrs.transforms.matching.patterns import compile_regex, is_regex, pattern
from edx2lrs.transforms.matching.shown_courses import ShownCourses
from edx2lrs.transforms.people.person_ids import bare

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

Unfit = Callable[[UnfitError], None]
"""Takes note of something that is wrong with what was written."""
_SCALAR = {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True)
class Found:
    """The test whether an expression is found in a text."""

    regex: re.Pattern[str]

    def __call__(self, value: object) -> bool:
        return isinstance(value, str) and self.regex.search(value) is not None


class Operator(Protocol):
    """What one value of ``match_params`` asks for."""

    @property
    def words(self) -> str:
        """For a person."""

    @property
    def written(self) -> Any:
        """As it stands in a configuration."""

    @property
    def fit(self) -> Fit:
        """Which values fit. Raises re.error for a bad regular expression."""


class KeyedOperator(Operator, Protocol):
    """An operator that is written as a mapping with one key."""

    KEY: ClassVar[str]
    EXAMPLE: ClassVar[str]
    """Of what is written; the first sentence of the type's docstring says what it matches."""
    SCHEMA: ClassVar[dict[str, Any]]
    """What the key's value has to be."""

    @classmethod
    def read(cls, value: object, unfit: Unfit) -> Operator | None:
        """The operator with the key's value; None when ``unfit`` was told."""


@dataclass(frozen=True)
class Literal:
    """One value, or a text in which ``/regex/`` is found. ``1`` and ``true`` are two values."""

    value: str | int | float | bool

    @property
    def words(self) -> str:
        return self.value if isinstance(self.value, str) else repr(self.value)

    @property
    def written(self) -> str | int | float | bool:
        return self.value

    @property
    def fit(self) -> Fit:
        if isinstance(self.value, str) and is_regex(self.value):
            return Fit(tests=(Found(compile_regex(self.value)),))
        return Fit(literals=(self.value,))

    @classmethod
    def read(cls, value: object, unfit: Unfit) -> Literal | None:
        """The value, unless ``unfit`` was told."""
        try:
            if isinstance(value, (bool, int, float)):
                return cls(value)
            if value is None or isinstance(value, (list, dict)):
                raise UnfitError(kind_of(value), "text, /regex/, a number, true, false, or a list of these")
            return cls(pattern(value))
        except UnfitError as error:
            unfit(error)
        return None


@dataclass(frozen=True)
class Not:
    """Any single value but the named ones."""

    KEY: ClassVar[str] = "not"
    EXAMPLE: ClassVar[str] = "{not: ...}"
    SCHEMA: ClassVar[dict[str, Any]] = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
    literals: tuple[Literal, ...]

    @property
    def words(self) -> str:
        return f"a value that is not {' or '.join(each.words for each in self.literals)}"

    @property
    def written(self) -> Any:
        return {"not": [each.written for each in self.literals]}

    @property
    def fit(self) -> Fit:
        fits = [each.fit for each in self.literals]
        literals = tuple(literal for fit in fits for literal in fit.literals)
        return Fit(otherwise=True, literals=literals, tests=tuple(test for fit in fits for test in fit.tests))

    @classmethod
    def read(cls, value: object, unfit: Unfit) -> Not | None:
        """One literal or a list of literals."""
        made = [Literal.read(item, noted) for item, noted in _items(value, unfit)]
        return cls(tuple(each for each in made if each is not None)) if made and None not in made else None


@dataclass(frozen=True)
class Exists:
    """Any value, and with `false` no value. An object or an array is a value; an empty text is none."""

    KEY: ClassVar[str] = "exists"
    EXAMPLE: ClassVar[str] = "{exists: true}"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "boolean"}
    there: bool

    @property
    def words(self) -> str:
        return "any value" if self.there else "no value"

    @property
    def written(self) -> Any:
        return {"exists": self.there}

    @property
    def fit(self) -> Fit:
        return Fit(structure=True, otherwise=True) if self.there else Fit(absent=True)

    @classmethod
    def read(cls, value: object, unfit: Unfit) -> Exists | None:
        """true or false."""
        if isinstance(value, bool):
            return cls(value)
        unfit(UnfitError(kind_of(value), "true or false"))
        return None


OPERATORS: tuple[type[KeyedOperator], ...] = (Not, Exists)


def wish_schema() -> dict[str, Any]:
    """What ``match_params`` may have at one path, in JSON Schema."""
    keyed = (
        {"type": "object", "properties": {each.KEY: each.SCHEMA}, "required": [each.KEY], "additionalProperties": False}
        for each in OPERATORS
    )
    one = [_SCALAR, *keyed]
    return {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}, "minItems": 1}]}


def wish_words() -> str:
    """The operators for the options' reference."""
    return "; ".join(f"`{each.EXAMPLE}`: {(each.__doc__ or '').partition('.')[0].lower()}" for each in OPERATORS) + "."


def read_wish(written: object, unfit: Unfit, structured: bool = False) -> list[Operator] | None:
    """The operators that ``match_params`` has at one path, of which one has to fit; None when ``unfit`` was told. ``structured``: the
    path never has a single value, but an object or an array."""
    wrong: list[UnfitError] = []
    read = [_read(item, noted) for item, noted in _items(written, wrong.append)]
    made = [each for each in read if each is not None]
    if sum(isinstance(each, Not) for each in made) > 1:
        wrong.append(UnfitError("several not: in one list, which match everything", fix="write not: [..., ...]"))
    if structured and any(each.fit.structure is not each.fit.otherwise or each.fit.literals or each.fit.tests for each in made):
        wrong.append(UnfitError("a value for an object or an array", "{exists: true} or {exists: false}"))
    for error in wrong:
        unfit(error)
    return None if wrong else made


def _read(written: object, unfit: Unfit) -> Operator | None:
    if not isinstance(written, dict):
        return Literal.read(written, unfit)
    expected = " or ".join(each.EXAMPLE for each in OPERATORS)
    if len(written) != 1:
        unfit(UnfitError(f"a mapping with {len(written)} keys", expected))
        return None
    ((key, value),) = written.items()
    for operator in OPERATORS:
        if key == operator.KEY:
            return operator.read(value, _within(unfit, key))
    unfit(UnfitError("unknown key", fix=f"write {expected}", at=(key,)))
    return None


def _items(written: object, unfit: Unfit) -> Iterable[tuple[object, Unfit]]:
    """One value or those of a list, each with what takes note of its faults."""
    if not isinstance(written, list):
        return [(written, unfit)]
    if not written:
        unfit(UnfitError("an empty list", "at least one value", "an empty list matches nothing"))
    return [(item, _within(unfit, index)) for index, item in enumerate(written)]


def _within(unfit: Unfit, step: str | int) -> Unfit:
    def noted(error: UnfitError) -> None:
        unfit(UnfitError(error.found, error.expected, error.fix, (step, *error.at)))

    return noted


def operators(written: object) -> list[Operator]:
    """The operators of a wish that was checked. Raises UnfitError for what could not be read."""

    def unfit(error: UnfitError) -> None:
        raise error

    return read_wish(written, unfit) or []


class Right(NamedTuple):
    """What a rule of ``access`` is about. ``key``: of the configuration's ``access``, or of another ``block``. ``what``: in words.
    ``of``: what an event has, as something that can be remembered. ``each``: of that, the names of each thing that has to pass.
    ``names``: what the names of one thing are called, and their types. ``normal`` makes texts equal that mean the same. ``also``:
    further names of what a text names."""

    key: str
    what: str
    of: Callable[[Event], Any]
    each: Callable[[Any], Sequence[tuple[object, ...]]]
    names: tuple[tuple[str, type], ...]
    normal: Callable[[str], str] = str
    also: Callable[[str], tuple[int, ...]] | None = None
    block: str = "access"

    def masks(self, everybody: int) -> RuleMasks:
        """To be filled with rules (``add``)."""
        return RuleMasks(everybody, [kind for _, kind in self.names])

    def add(self, masks: RuleMasks, consumer: int, rule: AccessRule | UserRule) -> None:
        """The rule of one more consumer, given by its bit. Raises re.error for a bad regular expression."""
        masks.add(consumer, None if rule.allow is None else self._listed(rule.allow), self._listed(rule.block))
        if self.also is not None:
            masks.add_names(consumer, self._further(rule.allow or ()), self._further(rule.block))

    def standings(self, masks: RuleMasks, value: Any) -> list[RuleStanding]:
        """What the rules say to each thing in what an event has (``of``)."""
        normal = self.normal
        return [masks.standing([normal(name) if isinstance(name, str) else name for name in names]) for names in self.each(value)]

    def why(self, standing: RuleStanding) -> str:
        """The standing with the rule of one consumer alone, in words."""
        names = [name for name, _ in self.names]
        if standing.nameless:
            return f"the event has {f'no {names[0]}' if len(names) == 1 else f'neither a {names[0]} nor a {names[1]}'}"
        if standing.blocked:
            return f"block has the event's {self.what}"
        for name, unknown in zip(names, standing.unknown, strict=True):
            if unknown:
                return f"block goes by {name}, and the event has none"
        if standing.any:
            return f"block lacks the event's {self.what}"
        return f"allow {'has' if standing.allowed else 'lacks'} the event's {self.what}"

    def _further(self, patterns: Sequence[str | int]) -> Fit:
        assert self.also is not None
        texts = (each for each in patterns if isinstance(each, str) and not is_regex(each))
        return Fit(literals=tuple(name for text in texts for name in self.also(self.normal(text))))

    def _listed(self, patterns: Sequence[str | int]) -> Fit:
        regexes = dict.fromkeys(each for each in patterns if isinstance(each, str) and is_regex(each))
        literals = [self.normal(each) if isinstance(each, str) else each for each in patterns if each not in regexes]
        return Fit(literals=tuple(literals), tests=tuple(Found(compile_regex(each)) for each in regexes))


def _each_course(shown: tuple[Shown, ...]) -> list[tuple[object]]:
    return [(course,) for course, _ in shown]


def _each_org(shown: tuple[Shown, ...]) -> list[tuple[object]]:
    return [(org,) for _, org in shown]


def _normal_course(key: str) -> str:
    return normal_course_key(key) or key


def _user_of(event: Event) -> tuple[int | None, str | None]:
    return event.user_id, event.username


def _kind_of_person(event: Event) -> str:
    return "user" if event.user_id or event.username else "visitor"


def _itself(value: object) -> list[tuple[object]]:
    return [(value,)]


def _its_names(names: tuple[object, ...]) -> list[tuple[object, ...]]:
    return [names]


def _each_type(types: tuple[str, ...]) -> list[tuple[object]]:
    return [(each,) for each in types or (None,)]


_PERSONS = Right("visitors", "kind of person", _kind_of_person, _itself, (("kind of person", str),), block="actor")
BY_NAME = Right("users", "user", _user_of, _its_names, (("user id", int), ("username", str)), bare)
"""Users, where no table says which user id a username has: a name counts as the event has it."""


def by_table(user_id_of: Callable[[str], int | None]) -> Right:
    """Users, where a table says which user id a username has. A username in a rule names the person who has the username in the table,
    by whatever name an event calls this person. The username of an event counts only for the user id that has the username."""

    def each(names: tuple[int | None, str | None]) -> list[tuple[object, ...]]:
        user_id, username = names
        known = user_id_of(username) if username else None
        return [(user_id or known, username if not user_id or known in (None, user_id) else None)]

    def ids(username: str) -> tuple[int, ...]:
        found = user_id_of(username)
        return () if found is None else (found,)

    return BY_NAME._replace(each=each, also=ids)


_RIGHTS = {
    right.key: right
    for right in (
        Right("sites", "host", attrgetter("host"), _itself, (("host", str),), str.lower),
        Right("enterprises", "enterprise", attrgetter("enterprise_uuid"), _itself, (("enterprise", str),), str.lower),
    )
}


@cache
def _right(key: str, protocol: ConsumerProtocol, dialect: Dialect, shown_courses: ShownCourses) -> Right:
    if key == "courses":
        return Right(key, "course", shown_courses, _each_course, (("course", str),), _normal_course)
    if key == "orgs":
        return Right(key, "organisation", shown_courses, _each_org, (("organisation", str),))
    if key == "activity_types":
        # Imported here: the mappings need not be there for what has no such rule.
        from edx2lrs.transforms.matching.activity_types import ActivityTypes

        return Right(key, "activity type", ActivityTypes(protocol, dialect), _each_type, (("activity type", str),))
    return _RIGHTS[key]


_CLOSED = AccessRule(allow=[])
_USERS = AccessRule(allow=["user"])


def written_rules(access: Access) -> list[tuple[str, AccessRule | UserRule]]:
    """The rules that an ``access`` has, by their keys."""
    rules = ((key, getattr(access, key)) for key in access.__struct_fields__)
    return [(key, rule) for key, rule in rules if isinstance(rule, (AccessRule, UserRule))]


def rules_of(consumer: Consumer, hosts: frozenset[str], users: Right = BY_NAME) -> list[tuple[Right, AccessRule | UserRule]]:
    """The rules of a consumer's ``access``; an access that opens nothing is a rule that allows no course (``opens_nothing``).
    ``hosts``: those of the site. ``users``: how users are told apart."""
    access = consumer.access
    visitors: list[tuple[Right, AccessRule | UserRule]] = [(_PERSONS, _USERS)] if leaves_visitors_out(consumer) else []
    if access == "all":
        return visitors
    shown = ShownCourses(hosts, access.library_blocks == "rules")
    protocol, dialect = consumer.protocol, consumer.dialect
    rules = written_rules(access)
    rights = [(users if key == users.key else _right(key, protocol, dialect, shown), rule) for key, rule in rules]
    return visitors + (rights or [(_right("courses", protocol, dialect, shown), _CLOSED)])


def leaves_visitors_out(consumer: Consumer) -> bool:
    """Whether the consumer gets no events of anonymous visitors."""
    return (consumer.actor.visitors or ("leave_out" if consumer.dialect == "aspects" else "send")) == "leave_out"


def named_users(consumer: Consumer) -> list[str]:
    """What the consumer's rule of users names by usernames and expressions."""
    rule = None if consumer.access == "all" else consumer.access.users
    return [name for name in (*(rule.allow or ()), *rule.block) if isinstance(name, str)] if rule else []


def opens_nothing(rule: AccessRule | UserRule) -> bool:
    """Whether the rule stands for an access without rules."""
    return rule is _CLOSED


def rule_words(key: str, allow: Sequence[str | int] | None, block: Sequence[str | int]) -> str:
    """What a rule of ``access`` lets see, in words; the first names of each list."""
    allowed = "all" if allow is None else _few(allow)
    return f"{key.replace('_', ' ')} {allowed}" + (f" but {_few(block)}" if block else "")


def _few(names: Sequence[str | int]) -> str:
    shown = ", ".join(map(str, names[:3])) or "none"
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
