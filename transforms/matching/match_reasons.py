"""Why a consumer gets an event or not, rule by rule: by the rules and tables of ``transforms.matching.match``, which have only this
consumer here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edx2lrs.transforms.config_types import AccessRule, Consumer, UserRule
from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.matching.event_paths import getter
from edx2lrs.transforms.matching.masks import WishMasks
from edx2lrs.transforms.matching.match import single
from edx2lrs.transforms.matching.rules import BY_NAME, Right, opens_nothing, operators, rules_of

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

_ALONE = 1  # the bit of the consumer, and the mask of everybody


class Reason(NamedTuple):
    """What one rule says. ``rule`` is its key in the consumer's configuration. ``why`` names types and what the configuration
    has, never the event's values: these are in ``found``."""

    rule: str
    passes: bool
    why: str
    found: tuple[object, ...] = ()


def reasons(event: Event, consumer: Consumer, hosts: frozenset[str] = frozenset(), users: Right = BY_NAME) -> tuple[Reason, ...]:
    """What each rule of the consumer says about the event. The consumer gets the event if every rule passes."""
    rules = [_right(event, right, rule) for right, rule in rules_of(consumer, hosts, users)]
    wishes = [_wish(event, path, written) for path, written in consumer.match_params.items()]
    return (*(rules or [Reason("access", True, "it may see everything")]), *wishes)


def _right(event: Event, right: Right, rule: AccessRule | UserRule) -> Reason:
    masks = right.masks(_ALONE)
    right.add(masks, _ALONE, rule)
    value = right.of(event)
    standings = right.standings(masks, value)
    decisive = next((standing for standing in standings if not standing.mask), standings[0])
    if opens_nothing(rule):
        return Reason("access", bool(decisive.mask), "it opens nothing")
    found = tuple(name for names in right.each(value) for name in names)
    return Reason(f"{right.block}.{right.key}", bool(decisive.mask), right.why(decisive), found)


def _wish(event: Event, path: str, written: Any) -> Reason:
    wanted = operators(written)
    masks = WishMasks(_ALONE)
    masks.add(_ALONE, [operator.fit for operator in wanted])
    passes = bool(masks.mask(single(getter(path))(event)))
    value = getter(path)(event)
    found = "nothing" if value is None else "an empty text" if value == "" else json_type(value)
    words = [operator.words for operator in wanted]
    shown = " or ".join(words[:3]) + (f" or {len(words) - 3} more" if len(words) > 3 else "")
    verdict = "which fits" if passes else "which does not fit"
    return Reason(f"match_params.{path}", passes, f"wanted {shown}; found {found}, {verdict}", (value,))
