"""Consumers that get the same statements: an event is translated once for each group of such consumers, however many consumers the
group has."""

from __future__ import annotations

import json
from typing import NamedTuple

from edx2lrs.transforms.config_types import Actor, ActorOptions, Config, Consumer, FreeText, IdKind, Lms, Protocol, ResponseFormat


class Variant(NamedTuple):
    """What statements are made by, and the places of the consumers that get them in the configuration's list. ``override_args``:
    those of statements and events, as JSON."""

    protocol: Protocol
    actor: ActorOptions
    redact: frozenset[FreeText]
    override_args: str
    response_format: ResponseFormat
    consumers: tuple[int, ...]


def variants(config: Config) -> list[Variant]:
    """Every consumer in exactly one variant; variants in the order of their first consumers."""
    groups: dict[tuple[Protocol, ActorOptions, frozenset[FreeText], str, ResponseFormat], list[int]] = {}
    for index, consumer in enumerate(config.consumers):
        options = actor_options(consumer.protocol, consumer.actor, config.lms)
        # answers have one format in Caliper
        response_format = consumer.response_format if consumer.protocol == "xapi" else "erb"
        made_by = (consumer.protocol, options, frozenset(consumer.redact), _overrides(consumer), response_format)
        groups.setdefault(made_by, []).append(index)
    return [Variant(*made_by, tuple(consumers)) for made_by, consumers in groups.items()]


def _overrides(consumer: Consumer) -> str:
    """The overrides of statements and events. Overrides of Caliper's ``envelope`` are applied when the envelope is made
    (``io.delivery.bodies``)."""
    overrides = consumer.override_args if consumer.protocol == "xapi" else consumer.override_args.get("event", {})
    return json.dumps(overrides, sort_keys=True)


def actor_options(protocol: Protocol, actor: Actor, lms: Lms) -> ActorOptions:
    """The options, with their defaults filled in: external ids if the site has a table, of the type of the protocol."""
    kind: IdKind = actor.id or ("external_id" if lms.external_ids else "hmac")
    id_type = actor.type or ("XAPI" if protocol == "xapi" else "CALIPER")
    # An HMAC id knows everybody, so that the option makes no other variant.
    unknown = "dead_letter" if kind == "hmac" else actor.unknown
    return ActorOptions(kind, id_type, unknown, None if actor.key == lms.id_key else actor.key, actor.sha1_of)
