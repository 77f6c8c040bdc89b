"""The mappings of all events, by every name of an event. A protocol's mappings are loaded when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, overload

from edx2lrs.transforms.config_types import Protocol, ResponseFormat
from edx2lrs.transforms.families.packages import Package, module_of
from edx2lrs.transforms.families.source_events import MAIN_NAMES, PACKAGES
from edx2lrs.transforms.mapping.caliper_event import CaliperMapping
from edx2lrs.transforms.mapping.xapi_statement import XapiMapping

PROTOCOLS: tuple[Protocol, ...] = ("xapi", "caliper")
KINDS: Mapping[Protocol, tuple[type, ...]] = {"xapi": get_args(XapiMapping), "caliper": get_args(CaliperMapping)}
"""What a mapping of each protocol may be."""


@overload
def mappings(protocol: Literal["xapi"], response_format: ResponseFormat = ...) -> Mapping[str, XapiMapping]: ...
@overload
def mappings(protocol: Literal["caliper"], response_format: ResponseFormat = ...) -> Mapping[str, CaliperMapping]: ...
@overload
def mappings(protocol: Protocol, response_format: ResponseFormat = ...) -> Mapping[str, XapiMapping | CaliperMapping]: ...


def mappings(protocol: Protocol, response_format: ResponseFormat = "erb") -> Mapping[str, Any]:
    """The mapping of each event that the protocol has one for. With ``response_format="standard"``, a family's
    ``MAPPINGS_WITH_STANDARD_RESPONSES`` stand in place of its ``MAPPINGS``. Raises OwnEventsError."""
    return _mappings(protocol, response_format)


@cache
def _mappings(protocol: Protocol, response_format: ResponseFormat) -> dict[str, Any]:
    of_package = {package: _of(package, protocol, response_format) for package in dict.fromkeys(PACKAGES.values())}
    found = {name: of_package[package].get(MAIN_NAMES[name]) for name, package in PACKAGES.items()}
    return {name: mapping for name, mapping in found.items() if mapping is not None}


def _of(package: Package, protocol: Protocol, response_format: ResponseFormat) -> dict[str, Any]:
    """A package's mappings, by main names. Those of edx2lrs pass the same checks in a test, and not at every start."""
    if not package.is_built_in:
        from edx2lrs.transforms.families.mapping_checks import check_mappings

        check_mappings(package, protocol, KINDS[protocol])
    module = module_of(package, protocol)
    found = getattr(module, "MAPPINGS", {})
    return found if response_format == "erb" else {**found, **getattr(module, "MAPPINGS_WITH_STANDARD_RESPONSES", {})}


def load_packages() -> None:
    """Loads all mappings now, instead of at their first use. Raises OwnEventsError."""
    for protocol in PROTOCOLS:
        mappings(protocol)
