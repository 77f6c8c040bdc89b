"""Which consumers a value passes for. Consumers are bits of an integer, a mask.

The cost of a value hardly grows with the number of consumers: equal values and equal tests of several consumers are one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

STRUCTURE = object()
"""Stands for an array or an object, of which can only be told that it is there."""
LONGEST_TESTED = 500
"""Characters of a text that an expression of the configuration looks at: ``/a.*b.*c$/`` takes minutes for a text of 10,000."""
Test = Callable[[object], bool]
"""Whether a value is named. Equal tests of several consumers are asked once, so that a test has to be hashable."""


class Fit(NamedTuple):
    """Which values fit: what an operator means, and what the matcher compiles it to.

    ``absent``: nothing, or an empty text. ``structure``: an array or an object. ``otherwise``: single values that neither
    ``literals`` nor ``tests`` name; for values that are named it is the other way round."""

    absent: bool = False
    structure: bool = False
    otherwise: bool = False
    literals: tuple[str | int | float | bool, ...] = ()
    tests: tuple[Test, ...] = ()


class Named:
    """Which consumers name a value, by literals and by tests."""

    def __init__(self) -> None:
        self._literals: dict[object, int] = {}
        self._tests: dict[Test, int] = {}
        self._tested = 0  # the consumers of all tests

    def add(self, consumer: int, fit: Fit) -> None:
        """``consumer``: its bit."""
        for literal in fit.literals:
            key = _literal(literal)
            self._literals[key] = self._literals.get(key, 0) | consumer
        for test in fit.tests:
            self._tests[test] = self._tests.get(test, 0) | consumer
            self._tested |= consumer

    def consumers(self, value: object, keeps_out: bool = False) -> int:
        """The mask of the consumers that name ``value``. No test looks at a long text: every test that ``keeps_out`` names it, and no
        test that lets in."""
        mask = self._literals.get(_literal(value), 0)
        if isinstance(value, str) and len(value) > LONGEST_TESTED:
            return mask | self._tested if keeps_out else mask
        for test, consumers in self._tests.items():
            if consumers & ~mask and test(value):
                mask |= consumers
        return mask


class WishMasks:
    """All consumers' wishes on one path of an event."""

    def __init__(self, everybody: int) -> None:
        self._open = everybody  # consumers that do not name the path
        self._absent = 0
        self._structure = 0
        self._wanted = Named()
        self._but: list[tuple[int, Named]] = []  # consumers that want all values but some; each consumer once in an entry

    def add(self, consumer: int, fits: Iterable[Fit]) -> None:
        """Of ``fits`` one has to fit."""
        self._open &= ~consumer
        entry = 0
        for fit in fits:
            self._absent |= consumer if fit.absent else 0
            self._structure |= consumer if fit.structure else 0
            if not fit.otherwise:
                self._wanted.add(consumer, fit)
                continue
            consumers, unwanted = self._but[entry] if entry < len(self._but) else (0, Named())
            unwanted.add(consumer, fit)
            self._but[entry : entry + 1] = [(consumers | consumer, unwanted)]
            entry += 1

    def mask(self, value: object) -> int:
        """The consumers that a value passes for."""
        if value is None or value == "":
            return self._open | self._absent
        if value is STRUCTURE:
            return self._open | self._structure
        mask = self._open | self._wanted.consumers(value)
        for consumers, unwanted in self._but:
            mask |= consumers & ~unwanted.consumers(value, keeps_out=True)
        return mask


class RuleStanding(NamedTuple):
    """What all consumers' rules say to something, as masks. ``any``: the rule allows all that it does not block. ``unknown``: for each
    kind of name, the rules that block by it while the name is missing. ``nameless``: there is no name at all."""

    no_rule: int
    any: int
    allowed: int
    blocked: int
    unknown: tuple[int, ...]
    nameless: bool

    @property
    def mask(self) -> int:
        """The consumers that it passes for."""
        if self.nameless:
            return self.no_rule
        mask = (self.any | self.allowed) & ~self.blocked
        for unknown in self.unknown:
            mask &= ~unknown
        return self.no_rule | mask


class RuleMasks:
    """The rules of all consumers to allow and to block a thing that has one or several names: a user has an id and a username. A thing
    without a name passes no rule. A rule that blocks by one kind of name passes no thing without a name of this kind."""

    def __init__(self, everybody: int, kinds: Sequence[type]) -> None:
        """``kinds``: the types of the names, in their order."""
        self._no_rule = everybody
        self._any = 0
        self._allow = Named()
        self._block = Named()
        self._kinds = tuple(kinds)
        self._blocks_by = [0] * len(self._kinds)

    def add(self, consumer: int, allow: Fit | None, block: Fit) -> None:
        """``allow`` None: all."""
        self._no_rule &= ~consumer
        if allow is None:
            self._any |= consumer
        else:
            self._allow.add(consumer, allow)
        self._block.add(consumer, block)
        for index, kind in enumerate(self._kinds):
            if any(isinstance(literal, kind) for literal in block.literals) or (kind is str and block.tests):
                self._blocks_by[index] |= consumer

    def add_names(self, consumer: int, allow: Fit, block: Fit) -> None:
        """Further names of what the consumer's rule names."""
        self._allow.add(consumer, allow)
        self._block.add(consumer, block)

    def standing(self, names: Sequence[object]) -> RuleStanding:
        """What the rules say to something with these names."""
        allowed = blocked = 0
        unknown = []
        nameless = True
        for name, kind, blocks in zip(names, self._kinds, self._blocks_by, strict=True):
            if name and isinstance(name, kind):
                allowed |= self._allow.consumers(name)
                blocked |= self._block.consumers(name, keeps_out=True)
                unknown.append(0)
                nameless = False
            else:
                unknown.append(blocks)
        return RuleStanding(self._no_rule, self._any, allowed, blocked, tuple(unknown), nameless)


def _literal(value: object) -> object:
    """A key that tells ``1`` and ``true`` apart, which Python's dict does not."""
    return (bool, value) if isinstance(value, bool) else value


def indexes(mask: int) -> tuple[int, ...]:
    """The indexes of the bits that are set, in order."""
    return tuple(index for index, bit in enumerate(reversed(f"{mask:b}")) if bit == "1")
