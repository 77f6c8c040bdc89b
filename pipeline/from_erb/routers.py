"""From a router of event-routing-backends to a consumer: what can be carried over, and notes on what cannot."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from edx2lrs.pipeline.config.kinds import header_name, url
from edx2lrs.pipeline.config.overrides import override_misfits
from edx2lrs.pipeline.from_erb.rows import UNREADABLE, RouterRow
from edx2lrs.transforms.auth import BasicAuth, BearerAuth, NoAuth
from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.formats.unfit import UnfitError
from edx2lrs.transforms.matching.event_paths import declared_paths, structured_paths
from edx2lrs.transforms.matching.rules import Exists, operators

_PROTOCOLS: dict[str, Protocol] = {"xapi": "xapi", "caliper": "caliper"}
_KNOWN = ("match_params", "override_args", "headers")
_PLAIN = re.compile(r"[^\\.^$*+?{}\[\]|()]*\Z")
_COURSE = re.compile(r"\^?((?:course|ccx|library)-v1:[A-Za-z0-9_.~-]+(?:\+[A-Za-z0-9_.~-]+){1,2}(?:\+ccx@[0-9]+)?)\$?\Z")


class Imported(NamedTuple):
    """A consumer as our configuration has it. ``options`` in their order; ``secrets``: environment variables and what each has to
    hold; ``notes`` what changed on the way; ``left_out``: why it cannot be used as it is, "" when it can."""

    name: str
    row: RouterRow
    options: dict[str, Any]
    secrets: dict[str, str]
    notes: tuple[str, ...]
    left_out: str


class _NotTranslated(Exception):
    """A filter that cannot be carried over: without the filter, the consumer would get more than before."""


def imported(row: RouterRow, taken: Collection[str], off: Collection[Protocol] = ()) -> Imported:
    """The consumer of one current row. ``taken``: names that others have; ``off``: protocols that the site has not turned on."""
    protocol = _PROTOCOLS.get(row.backend.lower())
    notes: list[str] = []
    options: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    name = _name(row, protocol or "router", taken)
    left_out = ""
    try:
        if protocol is None:
            raise _NotTranslated("its backend is neither xAPI nor Caliper")
        options |= {"protocol": protocol, "dialect": "erb", "url": _address(row, protocol, notes)}
        options |= _auth(row, name, secrets, notes)
        options["access"] = "all"
        for key, value in _configured(row, protocol, name, secrets, notes).items():
            if value:
                options[key] = value
        if not row.enabled:
            raise _NotTranslated("its newest row is disabled, so that erb sends it nothing")
        if protocol in off:
            raise _NotTranslated(f"the settings have {protocol.upper()}_EVENTS_ENABLED off, so that erb sends it nothing")
    except _NotTranslated as reason:
        left_out = str(reason)
    return Imported(name, row, options, secrets, tuple(notes), left_out)


def _name(row: RouterRow, protocol: str, taken: Collection[str]) -> str:
    host = _split(row.url).hostname or "router"
    base = re.sub(r"[^A-Za-z0-9.-]+", "-", host).strip(".-")[:50] or "router"
    name = base if base not in taken else f"{base}-{protocol}"
    number = 2
    while name in taken:
        name = f"{base}-{number}"
        number += 1
    return name


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text if text.startswith("http") else f"http://{text}")
    except ValueError:
        return SplitResult("http", "", "", "", "")


def _address(row: RouterRow, protocol: Protocol, notes: list[str]) -> str:
    text = row.url if row.url.startswith("http") else f"http://{row.url}"
    if text != row.url:
        notes.append("its URL had no scheme; erb takes http for that")
    parts = _split(text)
    if "@" in parts.netloc:
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        text = urlunsplit(parts)
        notes.append("the user name or password in its URL is left out: give it in auth, by reference")
    if parts.fragment:
        text = urlunsplit(parts._replace(fragment=""))
        notes.append("the fragment of its URL is left out")
    if parts.query:
        notes.append("its URL has a query, which stays in the configuration: look whether it is a secret")
    if protocol == "xapi" and parts.path.rstrip("/").endswith("/statements"):
        notes.append("its URL ends in /statements, where erb puts another one behind; edx2lrs sends to the URL as it is")
    try:
        return url(text)
    except UnfitError as unfit:
        raise _NotTranslated(f"its URL is {unfit.found}") from None


def _variable(name: str, what: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9]+', '_', name).upper().lstrip('0123456789_') or 'ROUTER'}_{what}"


_OF_ERB = {"username": ("username", "USER"), "password": ("password", "PASSWORD"), "token": ("auth_key", "TOKEN")}
"""What our secrets are called in a row of erb, and at the end of an environment variable."""


def _auth(row: RouterRow, name: str, secrets: dict[str, str], notes: list[str]) -> dict[str, Any]:
    scheme = {"basic": BasicAuth, "bearer": BearerAuth}.get(row.auth_scheme.lower())
    if scheme is None:
        if row.auth_scheme.lower() not in ("", "none", "null"):
            notes.append("its auth_scheme is neither Basic nor Bearer; erb sends no credentials then")
        return {"auth": msgspec.to_builtins(NoAuth())}
    references = {}
    for key in scheme.__struct_fields__:
        field, what = _OF_ERB[key]
        variable = _variable(name, what)
        references[key] = f"env:{variable}"
        secrets[variable] = f"{field} of {row.place}"
        if field not in row.secrets:
            notes.append(f"{field} is empty in its row: erb could not log in with that")
    return {"auth": msgspec.to_builtins(scheme(**references))}


def _configured(row: RouterRow, protocol: Protocol, name: str, secrets: dict[str, str], notes: list[str]) -> dict[str, Any]:
    found = row.configurations
    if found is UNREADABLE:
        raise _NotTranslated("its configurations are encrypted, or no JSON: dump them with the site's own Django")
    if not found:
        return {}
    if not isinstance(found, dict):
        raise _NotTranslated("its configurations are no object, with which erb sends nothing")
    idle = [_shown(key) for key in found if key not in _KNOWN]
    notes += [f"{key} in its configurations is left out, since erb does nothing with it" for key in idle]
    return {
        "match_params": _match_params(found.get("match_params", {}), notes),
        "override_args": _override_args(found.get("override_args"), protocol, notes),
        "headers": _headers(found.get("headers"), protocol, name, row, secrets, notes),
    }


def _shown(key: object) -> str:
    text = str(key)
    return text if re.fullmatch(r"[\w.:-]{1,60}", text) else "a key"


def _match_params(found: Any, notes: list[str]) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _NotTranslated("its match_params are no object, with which erb sends nothing")
    return {path: _wanted(path, pattern, notes) for path, pattern in found.items()}


def _wanted(path: str, pattern: Any, notes: list[str]) -> Any:
    if path not in declared_paths() or path in structured_paths():
        raise _NotTranslated(f"match_params has {_shown(path)}, which edx2lrs does not read of any event")
    if path.endswith("user_id"):
        notes.append(f"match_params.{path}: erb never matches numbers, and an expression does not here; write the number itself")
    patterns = pattern if isinstance(pattern, list) else [pattern]
    texts = [each for each in patterns if isinstance(each, str)]
    if not texts:
        raise _NotTranslated(f"match_params.{path} is no text, which erb never matches")
    if len(texts) < len(patterns):
        notes.append(f"match_params.{path}: items that are no text are left out, since erb never matches them")
    made = [_pattern(path, each, notes) for each in dict.fromkeys(texts)]
    return made if isinstance(pattern, list) else made[0]


def _pattern(path: str, text: str, notes: list[str]) -> Any:
    """erb searches for every text as edx2lrs does for one between slashes. An expression that matches one text becomes this text."""
    if not text:
        return Exists(there=True).written
    course = _COURSE.match(text)
    if course and not re.search(text, course[1]):
        notes.append(
            f"match_params.{path}: {course[1]} matches nothing in erb, since + is an operator there; here it is the course itself"
        )
        return course[1]
    inner = text[1:-1]
    if text[:1] == "^" and text[-1:] == "$" and _PLAIN.match(inner) and inner and not inner.startswith("/"):
        return inner
    try:
        (made,) = operators(f"/{text}/")
    except UnfitError:
        raise _NotTranslated(f"match_params.{path} has a bad regular expression, with which erb sends nothing to anybody") from None
    return made.written


def _override_args(found: Any, protocol: Protocol, notes: list[str]) -> dict[str, Any]:
    if not found:
        return {}
    if not isinstance(found, dict):
        raise _NotTranslated("its override_args are no object, with which erb sends nothing")
    misfits = override_misfits(protocol, found if protocol == "xapi" else {"envelope": found})
    wrong = {misfit.key.removeprefix("override_args.").removeprefix("envelope.") for misfit in misfits}
    kept = {name: value for name, value in found.items() if not any(_is_of(key, name) for key in wrong)}
    for name in found.keys() - kept.keys():
        if name == "actor":
            raise _NotTranslated("override_args replaces the actor by what the standard does not allow")
        notes.append(f"override_args.{_shown(name)} is left out: the standard does not allow it, or every statement has its own")
    return {"envelope": kept} if protocol == "caliper" and kept else kept


def _is_of(key: str, name: str) -> bool:
    return key == name or key.startswith((f"{name}.", f"{name}["))


def _headers(found: Any, protocol: Protocol, name: str, row: RouterRow, secrets: dict[str, str], notes: list[str]) -> dict[str, str]:
    """The headers. Every value may be a secret, so every value becomes a reference."""
    if not isinstance(found, dict) or not found:
        return {}
    if protocol == "xapi":
        notes.append("headers are left out: erb never sends them to an xAPI router; add them if they are wanted")
        return {}
    made = {}
    for key in found:
        try:
            header_name(key)
        except UnfitError as unfit:
            notes.append(f"headers.{_shown(key)} is left out: {unfit.found}")
            continue
        variable = _variable(name, f"HEADER_{_variable(key, '').strip('_')}")
        made[key] = f"env:{variable}"
        secrets[variable] = f"headers.{_shown(key)} of {row.place}"
    return made
