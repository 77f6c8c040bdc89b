"""Which consumers get an event: the consumers that want the event (``match_params``) and may see the event (``access``).

Consumers are bits of an integer, a mask. For each aspect of an event that some rule names, a table maps the aspect's value to the
mask of the consumers whose rules the value passes. The event's consumers are the ``and`` of the masks of all aspects. Both are
remembered: a value by the number of its mask, the event's consumers by these few numbers. So an event costs as much with a thousand
consumers as with one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.matching.event_paths import getter
from edx2lrs.transforms.matching.masks import STRUCTURE, RuleMasks, WishMasks, indexes
from edx2lrs.transforms.matching.rules import BY_NAME, Right, operators, rules_of

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event

_REMEMBERED = 16_384  # values per aspect: courses, organisations and names are few, some users just miss
_SINGLE = frozenset({str, int, float, type(None)})


Aspect = tuple[Callable[["Event"], Any], Callable[[Any], int]]
"""Gives a value of an event that rules are about, as something that can be remembered; and the number of the mask of those
consumers that it passes for."""


@dataclass(frozen=True, eq=False)
class Recipients:
    """The indexes, in the configuration's list, of the consumers that get an event, and of those that may see it. Equal events have one
    object, so that events are counted by it."""

    consumers: tuple[int, ...]
    entitled: tuple[int, ...]


class Matcher:
    """The rules of all consumers, compiled."""

    def __init__(self, consumers: Sequence[Consumer], hosts: frozenset[str] = frozenset(), users: Right = BY_NAME) -> None:
        """``hosts``: those of the site, for keys in links; none: every link is one of the site. ``users``: how users are told apart.
        Raises KeyError for a path that no event has, UnfitError for a wish that cannot be read, re.error for a bad regular expression
        in a rule."""
        self._everybody = (1 << len(consumers)) - 1
        self._numbers: dict[int, int] = {}
        self._masks: list[int] = []
        self._aspects: list[Aspect] = []
        wishes: dict[str, WishMasks] = {}
        rights: dict[Right, RuleMasks] = {}
        for index, consumer in enumerate(consumers):
            for right, rule in rules_of(consumer, hosts, users):
                right.add(rights.setdefault(right, right.masks(self._everybody)), 1 << index, rule)
            for path, written in consumer.match_params.items():
                fits = [operator.fit for operator in operators(written)]
                wishes.setdefault(path, WishMasks(self._everybody)).add(1 << index, fits)
        for value_of in dict.fromkeys(right.of for right in rights):
            self._aspect(value_of, _mask_of({right: masks for right, masks in rights.items() if right.of == value_of}))
        self._rights = len(self._aspects)  # before the wishes
        for path, wish in wishes.items():
            self._aspect(single(getter(path)), wish.mask)
        self._decided = lru_cache(_REMEMBERED)(self._decide)

    def _aspect(self, value_of: Callable[[Event], Any], mask_of: Callable[[Any], int]) -> None:
        def number(value: Any) -> int:
            mask = mask_of(value)
            if mask not in self._numbers:
                self._numbers[mask] = len(self._masks)
                self._masks.append(mask)
            return self._numbers[mask]

        self._aspects.append((value_of, remembered(_REMEMBERED)(number)))

    def __call__(self, event: Event) -> tuple[int, ...]:
        """The indexes, in the configuration's list, of the consumers that get the event, in order."""
        return self.decide(event).consumers

    def decide(self, event: Event) -> Recipients:
        """Who gets the event. What raises here lets the event through to nobody: the caller makes a dead letter of it."""
        return self._decided(tuple([number(value_of(event)) for value_of, number in self._aspects]))

    def _decide(self, numbers: tuple[int, ...]) -> Recipients:
        entitled = reduce(and_, [self._masks[number] for number in numbers[: self._rights]], self._everybody)
        wanted = reduce(and_, [self._masks[number] for number in numbers[self._rights :]], entitled)
        return Recipients(indexes(wanted), indexes(entitled))


def _mask_of(rights: Mapping[Right, RuleMasks]) -> Callable[[Any], int]:
    """The mask for which every thing that the event has passes each of the rights."""

    def mask_of(value: Any) -> int:
        mask = -1
        for right, masks in rights.items():
            for standing in right.standings(masks, value):
                mask &= standing.mask
        return mask

    return mask_of


def single(value_of: Callable[[Event], object]) -> Callable[[Event], object]:
    """As ``value_of``, with ``STRUCTURE`` for a value that is no single value."""

    def value(event: Event) -> object:
        found = value_of(event)
        return found if found.__class__ in _SINGLE else (bool, found) if found.__class__ is bool else STRUCTURE

    return value
