"""Why a consumer gets an event or not, rule by rule: slowly, one consumer at a time, with the same verdict as
``transforms.matching.match``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from edx2lrs.transforms.config_types import AccessRule, Consumer, Protocol, UserRule
from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.matching.activity_types import ActivityTypes
from edx2lrs.transforms.matching.course_org import org_of
from edx2lrs.transforms.matching.event_paths import getter
from edx2lrs.transforms.matching.patterns import Names, is_regex

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event


class Reason(NamedTuple):
    """What one rule says. ``rule`` is its key in the consumer's configuration. ``why`` names types and what the configuration
    has, never the event's values: these are in ``found``."""

    rule: str
    passes: bool
    why: str
    found: tuple[object, ...] = ()


def reasons(event: Event, consumer: Consumer) -> tuple[Reason, ...]:
    """What each rule of the consumer says to the event; it gets the event when all of them pass."""
    return (*_access(event, consumer), *(_wish(event, path, wanted) for path, wanted in consumer.match_params.items()))


def _access(event: Event, consumer: Consumer) -> Iterator[Reason]:
    access = consumer.access
    if access == "all":
        yield Reason("access", True, "it may see everything")
        return
    course, other = event.course_id, getattr(event.data, "course_id", None)
    courses = dict.fromkeys([course or other, *([other] if course and other else [])])
    types = _activity_types(consumer.protocol)(event) if access.activity_types is not None else ()
    asked: list[tuple[str, AccessRule | None, list[Any], str, Callable[[str], str]]] = [
        ("courses", access.courses, list(courses), "course", str),
        ("orgs", access.orgs, [org_of(key) if isinstance(key, str) else None for key in courses], "organisation", str),
        ("sites", access.sites, [event.host], "host", str.lower),
        ("enterprises", access.enterprises, [event.enterprise_uuid], "enterprise", str.lower),
        ("activity_types", access.activity_types, list(types) or [None], "activity type", str),
    ]
    given = [each for each in asked if each[1] is not None]
    if access.users is not None:
        yield _of_users(event, access.users)
    elif not given:
        yield Reason("access", False, "it opens nothing")
    for key, rule, values, what, normal in given:
        assert rule is not None
        verdicts = [_entitled(rule, value, what, normal) for value in values]
        passes, why = next((verdict for verdict in verdicts if not verdict[0]), verdicts[0])
        yield Reason(f"access.{key}", passes, why, tuple(values))


@cache
def _activity_types(protocol: Protocol) -> ActivityTypes:
    return ActivityTypes(protocol)


def _entitled(rule: AccessRule, value: object, what: str, normal: Callable[[str], str]) -> tuple[bool, str]:
    """Whether the rule lets the value in, and why. ``normal`` makes texts equal that mean the same."""
    if not isinstance(value, str) or not value:
        return False, f"the event has no {what}"
    if normal(value) in _names(rule.block, normal):
        return False, f"block has the event's {what}"
    if rule.allow is None:
        return True, f"block lacks the event's {what}"
    if normal(value) in _names(rule.allow, normal):
        return True, f"allow has the event's {what}"
    return False, f"allow lacks the event's {what}"


def _names(patterns: list[str], normal: Callable[[str], str]) -> Names:
    return Names(pattern if is_regex(pattern) else normal(pattern) for pattern in patterns)


def _of_users(event: Event, rule: UserRule) -> Reason:
    """By id and by name; who has not what the rule blocks by is kept out."""
    has = [value for value in (event.user_id, event.username) if value]
    passes, why = False, "the event has neither a user id nor a username"
    if has:
        without_id = not event.user_id and any(isinstance(value, int) for value in rule.block)
        without_name = not event.username and any(isinstance(value, str) for value in rule.block)
        if any(_is_one_of(value, rule.block) for value in has):
            why = "block has the event's user"
        elif without_id or without_name:
            why = f"block goes by {'user id' if without_id else 'username'}, and the event has none"
        elif rule.allow is None:
            passes, why = True, "block lacks the event's user"
        else:
            passes = any(_is_one_of(value, rule.allow) for value in has)
            why = f"allow {'has' if passes else 'lacks'} the event's user"
    return Reason("access.users", passes, why, (event.user_id, event.username))


def _wish(event: Event, path: str, wanted: Any) -> Reason:
    value = getter(path)(event)
    each_wanted = wanted if isinstance(wanted, list) else [wanted]
    passes = any(_fits(value, each) for each in each_wanted)
    found = "nothing" if value is None else "an empty text" if value == "" else json_type(value)
    words = [_in_words(each) for each in each_wanted]
    shown = " or ".join(words[:3]) + (f" or {len(words) - 3} more" if len(words) > 3 else "")
    verdict = "which fits" if passes else "which does not fit"
    return Reason(f"match_params.{path}", passes, f"wanted {shown}; found {found}, {verdict}", (value,))


def _fits(value: object, wanted: Any) -> bool:
    """A value of the event against one of the wanted ones: a literal, ``/regex/``, ``{not: ...}``, ``{exists: ...}``."""
    is_there = value is not None and value != ""
    if isinstance(wanted, dict) and "exists" in wanted:
        return is_there is bool(wanted["exists"])
    if not is_there or not isinstance(value, (str, int, float)):
        return False
    if isinstance(wanted, dict):
        unwanted = wanted["not"] if isinstance(wanted["not"], list) else [wanted["not"]]
        return not _is_one_of(value, unwanted)
    return _is_one_of(value, [wanted])


def _is_one_of(value: object, wanted: list[Any]) -> bool:
    """Whether ``value`` is one of ``wanted``, or matches an expression among them; ``1`` and ``true`` are two values."""
    if isinstance(value, str):
        return value in Names(each for each in wanted if isinstance(each, str))
    return any(each == value and isinstance(each, bool) is isinstance(value, bool) for each in wanted)


def _in_words(wanted: Any) -> str:
    if not isinstance(wanted, dict):
        return repr(wanted) if not isinstance(wanted, str) else wanted
    if "exists" in wanted:
        return "any value" if wanted["exists"] else "no value"
    unwanted = wanted["not"] if isinstance(wanted["not"], list) else [wanted["not"]]
    return f"a value that is not {' or '.join(map(_in_words, unwanted))}"
