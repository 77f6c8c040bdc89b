"""What a configuration may say, and probably does not mean: names that nothing has, rules that let nothing through, short keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from edx2lrs.pipeline.config.faults import nearest
from edx2lrs.transforms.config_types import Config, Consumer
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.keys.course_key import normal_course_key
from edx2lrs.transforms.matching.patterns import compile_regex, is_regex
from edx2lrs.transforms.matching.rules import written_rules

SHORTEST_KEY = 16
"""Bytes of a key that nobody can guess."""


class _Texts(NamedTuple):
    """The names and expressions at one place of the configuration. ``kind``: what they name."""

    place: str
    kind: str
    texts: list[str]


def doubtful_rules(config: Config) -> Iterator[str]:
    """A line for each thing that is probably not meant."""
    yield from _empty_allows(config)
    for each in _every_text(config):
        for text in each.texts:
            if text.startswith("/") != text.endswith("/") and len(text) > 1:
                yield f"{each.place} has {text}, which is an exact text: a regular expression has / at both ends"
            elif each.kind in _FAULTS and (why := _FAULTS[each.kind](text)):
                yield f"{each.place} has {text}, {why}"
        for one, other in _alike(each.texts):
            yield f"{each.place} has {one} and {other}, which differ by case alone: upper and lower case are two names there"
    for consumer in config.consumers:
        yield from _without_mapping(consumer)
    for one, other in _alike(consumer.name for consumer in config.consumers):
        yield f"the consumers {one} and {other} differ by case alone: give one of them another name"


def short_keys(config: Config, resolve: Callable[[str], str]) -> Iterator[str]:
    """The keys of persons' ids that can be guessed; ``resolve`` gives the secret of a reference."""
    keys = {"lms.id_key": config.lms.id_key, **{f"actor.key of {each.name}": each.actor.key for each in config.consumers}}
    for place, reference in keys.items():
        if reference is not None and len(resolve(reference).encode()) < SHORTEST_KEY:
            make = "make one with: openssl rand -hex 32"
            yield f"{place} has fewer than {SHORTEST_KEY} bytes: who guesses the key can tell who a person is; {make}"


def _empty_allows(config: Config) -> Iterator[str]:
    if config.events.allow == []:
        yield "events.allow is an empty list: no event is let in, for any consumer"
    for consumer in config.consumers:
        for name, rule in [] if consumer.access == "all" else written_rules(consumer.access):
            if rule.allow == []:
                yield f"access.{name}.allow of {consumer.name} is an empty list: the consumer sees nothing"


def _every_text(config: Config) -> Iterator[_Texts]:
    yield _Texts("events.allow", "name", list(config.events.allow or ()))
    yield _Texts("events.block", "name", list(config.events.block))
    for consumer in config.consumers:
        for name, rule in [] if consumer.access == "all" else written_rules(consumer.access):
            for key, texts in (("allow", rule.allow or ()), ("block", rule.block)):
                yield _Texts(f"access.{name}.{key} of {consumer.name}", name, [text for text in texts if isinstance(text, str)])
        for path, wish in consumer.match_params.items():
            yield _Texts(f"match_params.{path} of {consumer.name}", _PATHS.get(path, ""), list(_texts(wish)))


def _texts(wish: object) -> Iterator[str]:
    """The texts of a wish: one, a list of them, or those that are not wanted (``{not: ...}``)."""
    if isinstance(wish, str):
        yield wish
    for inner in wish.values() if isinstance(wish, dict) else wish if isinstance(wish, list) else ():
        yield from _texts(inner)


def _alike(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Those that are told apart by case alone."""
    seen: dict[str, str] = {}
    for name in names:
        before = seen.setdefault(name.lower(), name)
        if before != name:
            yield before, name


def _no_event(text: str) -> str:
    if is_regex(text):
        regex = compile_regex(text)
        return "" if any(regex.search(name) for name in SOURCE_EVENTS) else "which fits the name of no event that has a mapping"
    near = "" if text in SOURCE_EVENTS else nearest(text, SOURCE_EVENTS)
    fix = f"; {near}" if near.startswith("did you mean") else "; `edx2lrs events` prints those that have one"
    return f"an event that no mapping has{fix}" if near else ""


def _no_course(text: str) -> str:
    if is_regex(text) or normal_course_key(text) is not None:
        return ""
    return "which is no course key, such as course-v1:MITx+6.00x+2026: no event has it"


def _no_org(text: str) -> str:
    return "" if is_regex(text) or not set(text) & set(":+/ ") else "which is no organisation, such as MITx: no event has it"


def _no_host(text: str) -> str:
    return "" if is_regex(text) or not set(text) & set("/ ") else "which is no host, such as campus.example.com: no event has it"


def _no_uuid(text: str) -> str:
    try:
        return "" if is_regex(text) else str(uuid.UUID(text))[:0]
    except ValueError:
        return "which is no UUID: no enterprise has it"


_PATHS = {"name": "name", "context.course_id": "courses", "context.org_id": "orgs", "context.enterprise_uuid": "enterprises"}
_FAULTS: dict[str, Callable[[str], str]] = {
    "name": _no_event,
    "courses": _no_course,
    "orgs": _no_org,
    "sites": _no_host,
    "enterprises": _no_uuid,
}
"""By the kind of a text: why nothing has it; "" where something may have it."""


def _without_mapping(consumer: Consumer) -> Iterator[str]:
    known = mappings(consumer.protocol)
    for name in _texts(consumer.match_params.get("name")):
        if name in SOURCE_EVENTS and name not in known:
            yield f"match_params.name of {consumer.name} has {name}, an event that has no {consumer.protocol} mapping"
