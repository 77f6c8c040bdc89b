"""Every event name that some mapping knows, and what may be read of the event.

Importing this module imports the ``events`` modules of all families, and no mapping. It raises OwnEventsError when a package of own
events is wrong. The families of edx2lrs pass the same checks in a test, and not at every start."""

from __future__ import annotations

from typing import NamedTuple

from edx2lrs.transforms.families.event_checks import checked_events, checked_replaces
from edx2lrs.transforms.families.packages import OwnEventsError, Package, module_of, packages
from edx2lrs.transforms.fields import SourceEvent


class _Claim(NamedTuple):
    """A package that has events of a name: under which main name, and whether the package means to replace another's."""

    package: Package
    main_name: str
    event: SourceEvent
    replaces: bool


def _claims() -> dict[str, list[_Claim]]:
    claims: dict[str, list[_Claim]] = {}
    for package in packages():
        module = module_of(package, "events")
        events, replaces = getattr(module, "EVENTS", None), getattr(module, "REPLACES", ())
        if not package.is_built_in:
            events = checked_events(package, events, (claim.event for claimants in claims.values() for claim in claimants))
            replaces = checked_replaces(package, replaces, events)
        for main_name, event in (events or {}).items():
            for name in (main_name, *event.aliases):
                claims.setdefault(name, []).append(_Claim(package, main_name, event, name in replaces))
    return claims


def _owner(name: str, claimants: list[_Claim]) -> _Claim:
    """The package that owns the events of ``name``: the only one that has it, or the one that replaces it. Raises OwnEventsError."""
    first = [claim for claim in claimants if not claim.replaces]
    second = [claim for claim in claimants if claim.replaces]
    if len(first) > 1:
        raise _both(name, first, f"remove one of them, or put {name} into REPLACES of the one that is to win")
    if len(second) > 1:
        raise _both(name, second, "remove one of them")
    if second and not first:
        raise second[0].package.wrong("events", f"REPLACES: nobody else has {name}; remove it there")
    return (second or first)[0]


def _both(name: str, claimants: list[_Claim], fix: str) -> OwnEventsError:
    one, other = (claim.package.source for claim in claimants[:2])
    return OwnEventsError(f"{one} and {other} both have events named {name}; {fix}")


_OWNERS = {name: _owner(name, claimants) for name, claimants in _claims().items()}
SOURCE_EVENTS = {name: owner.event for name, owner in _OWNERS.items()}
"""By every name of an event, aliases included."""
MAIN_NAMES = {name: owner.main_name for name, owner in _OWNERS.items()}
"""The name that mappings know an event by: ``play_video`` for ``edx.video.played``, and for ``play_video`` itself."""
PACKAGES = {name: owner.package for name, owner in _OWNERS.items()}
"""Whose events they are."""
