"""Where families come from: the folders beside this file, and packages of a site's own events.

A family is a Python package with three modules: ``events`` (``EVENTS``, and ``REPLACES`` for names of others that the package means
to replace), ``xapi`` and ``caliper`` (``MAPPINGS`` and ``MAPPING_VERSION``; either module may be missing), and a folder ``examples``.
A site's own package is named by an entry point of the group ``edx2lrs.mappings``. More: ``docs/own-events.md``.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Literal, NamedTuple

GROUP = "edx2lrs.mappings"
_BUILT_IN = Path(__file__).parent


class OwnEventsError(Exception):
    """A fault in a package of own events, in one line: which package, where, what was found, what was expected."""


class Package(NamedTuple):
    """``module`` is the importable name, ``source`` the distribution that the package came with, and its version."""

    module: str
    source: str
    is_built_in: bool = False

    def wrong(self, module: str, what: str) -> OwnEventsError:
        """The error for a fault in one of the package's modules."""
        return OwnEventsError(f"{self.source}: {self.module}.{module}: {what}")


@cache
def packages() -> tuple[Package, ...]:
    """The families of edx2lrs by name, then the installed packages by the names of their distributions. Raises OwnEventsError."""
    names = sorted(found.name for found in pkgutil.iter_modules([str(_BUILT_IN)]) if found.ispkg)
    built_in = [Package(f"{__package__}.{name}", "edx2lrs", True) for name in names]
    return (*built_in, *sorted(map(_package, entry_points(group=GROUP)), key=lambda package: package.source))


def _package(found: EntryPoint) -> Package:
    source = f"{found.dist.name} {found.dist.version}" if found.dist else found.name
    if found.attr:
        what = f"found {found.value}, expected the name of a package alone"
        raise OwnEventsError(f"{source}: entry point {found.name} of {GROUP}: {what}")
    return Package(found.module, source)


def module_of(package: Package, part: Literal["events", "xapi", "caliper"]) -> ModuleType | None:
    """One of a package's modules; None where the package has no mappings for a protocol. Raises OwnEventsError."""
    name = f"{package.module}.{part}"
    try:
        return import_module(name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == name and part != "events":
            return None
        if package.is_built_in:
            raise
        reason = " ".join(str(error).split())
        raise package.wrong(part, f"cannot be imported: {type(error).__name__}: {reason}") from None
