"""A site's own events: families that other installed packages bring, by entry points of the group ``edx2lrs.mappings``.

An entry point names a package with the three modules that a family has here: ``events`` (``EVENTS``, and ``REPLACES`` for
names of others that it means to replace), ``xapi`` and ``caliper`` (``MAPPINGS`` and ``MAPPING_VERSION``; either may be missing).
More: ``docs/own-events.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Literal, NamedTuple, TypeVar, cast

from edx2lrs.transforms.fields import SourceEvent

GROUP = "edx2lrs.mappings"
_MappingT = TypeVar("_MappingT")


class OwnEventsError(Exception):
    """What is wrong with a package of own events, in one line: which package, where, what was found, what was expected."""


class Package(NamedTuple):
    """``module`` is the importable name, ``source`` the distribution that it came with, and its version."""

    module: str
    source: str

    def wrong(self, module: str, what: str) -> OwnEventsError:
        """The error for what was found in one of its modules."""
        return OwnEventsError(f"{self.source}: {self.module}.{module}: {what}")


class Events(NamedTuple):
    """All events, and those of them that are another package's."""

    events: dict[str, SourceEvent]
    owners: dict[str, Package]


@cache
def packages() -> tuple[Package, ...]:
    """What is installed, in the order of the distributions' names. Raises OwnEventsError."""
    return tuple(sorted((_package(found) for found in entry_points(group=GROUP)), key=lambda package: package.source))


def _package(found: EntryPoint) -> Package:
    source = f"{found.dist.name} {found.dist.version}" if found.dist else found.name
    if found.attr:
        what = f"found {found.value}, expected the name of a package alone"
        raise OwnEventsError(f"{source}: entry point {found.name} of {GROUP}: {what}")
    return Package(found.module, source)


def module_of(package: Package, part: Literal["events", "xapi", "caliper"]) -> ModuleType | None:
    """One of a package's modules; None where it has no mappings for a protocol. Raises OwnEventsError."""
    name = f"{package.module}.{part}"
    try:
        return import_module(name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == name and part != "events":
            return None
        reason = " ".join(str(error).split())
        raise package.wrong(part, f"cannot be imported: {type(error).__name__}: {reason}") from None


def with_own_events(built_in: Mapping[str, SourceEvent]) -> Events:
    """The events of edx2lrs and of all packages. Raises OwnEventsError, also where two have events of one name."""
    found = Events(dict(built_in), {})
    if not packages():
        return found
    from edx2lrs.transforms.families.package_checks import checked_events, checked_replaces

    claims: dict[str, list[_Claim]] = {name: [_Claim(None, source, False)] for name, source in built_in.items()}
    for package in packages():
        module = module_of(package, "events")
        others = [claim.event for claimants in claims.values() for claim in claimants]
        events = checked_events(package, getattr(module, "EVENTS", None), others)
        replaces = checked_replaces(package, getattr(module, "REPLACES", ()), events)
        for name, source in events.items():
            claims.setdefault(name, []).append(_Claim(package, source, name in replaces))
    for name, claimants in claims.items():
        owner, event, _ = _owner(name, claimants)
        found.events[name] = event
        if owner is not None:
            found.owners[name] = owner
    return found


class _Claim(NamedTuple):
    """Who has events of a name (None: edx2lrs), and whether to replace another's."""

    package: Package | None
    event: SourceEvent
    replaces: bool


def _owner(name: str, claimants: list[_Claim]) -> _Claim:
    """Whose events those of ``name`` are: the only one's, or that one's who replaces the other's. Raises OwnEventsError."""
    first = [claim for claim in claimants if not claim.replaces]
    second = [claim for claim in claimants if claim.replaces]
    if len(first) > 1:
        raise _both(name, first, f"remove one of them, or put {name} into REPLACES of the one that is to win")
    if len(second) > 1:
        raise _both(name, second, "remove one of them")
    if second and not first and second[0].package:
        raise second[0].package.wrong("events", f"REPLACES: nobody else has {name}; remove it there")
    return (second or first)[0]


def _both(name: str, claimants: list[_Claim], fix: str) -> OwnEventsError:
    one, other = (claim.package.source if claim.package else "edx2lrs" for claim in claimants[:2])
    return OwnEventsError(f"{one} and {other} both have events named {name}; {fix}")


class Mappings(Mapping[str, _MappingT]):
    """The mappings of one protocol by the event's name: those of edx2lrs and of all packages.

    The packages' are loaded at the first look, and not before: they import the modules around this one. That look raises
    OwnEventsError."""

    def __init__(self, protocol: Literal["xapi", "caliper"], kind: object, built_in: Mapping[str, _MappingT]) -> None:
        """``kind``: the type of a mapping."""
        self._protocol = protocol
        self._kind = kind
        self._built_in = built_in

    @cached_property
    def _all(self) -> dict[str, _MappingT]:
        from edx2lrs.transforms.families.registry import OWNERS, SOURCE_EVENTS

        if not OWNERS:
            return dict(self._built_in)
        from edx2lrs.transforms.families.package_checks import checked_mappings

        mappings = {name: mapping for name, mapping in self._built_in.items() if name not in OWNERS}
        for package in dict.fromkeys(OWNERS.values()):
            events = {name: SOURCE_EVENTS[name] for name, owner in OWNERS.items() if owner == package}
            of_package = checked_mappings(package, events, self._protocol, self._kind)
            mappings.update(cast("dict[str, _MappingT]", of_package))
        return mappings

    def __getitem__(self, name: str) -> _MappingT:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def load_packages() -> None:
    """Loads all that the packages have, which otherwise happens when it is needed. Raises OwnEventsError."""
    from edx2lrs.transforms.families import caliper, xapi

    for mappings in (xapi.MAPPINGS, caliper.MAPPINGS):
        len(mappings)
