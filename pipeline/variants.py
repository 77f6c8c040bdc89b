"""Consumers that get the same statements: an event is translated once for each group of such consumers, however many consumers the
group has."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from edx2lrs.transforms.config_types import ActorChoice, ActorOptions, Config, Consumer, IdKind, Lms, Protocol, TranslationOptions


class Variant(NamedTuple):
    """What statements are made by, and the indexes of the consumers that get them in the configuration's list."""

    protocol: Protocol
    actor: ActorOptions
    options: TranslationOptions
    consumers: tuple[int, ...]


def variants(config: Config) -> list[Variant]:
    """Every consumer in exactly one variant; variants in the order of their first consumers."""
    found: dict[tuple[Protocol, ActorOptions, bytes], Variant] = {}
    for index, consumer in enumerate(config.consumers):
        actor = actor_options(consumer.protocol, consumer.actor, config.lms)
        options = translation_options(consumer)
        if "actor" in options.override_args:
            actor = actor._replace(shown_as=msgspec.json.encode(options.override_args["actor"]).decode())
        key = (consumer.protocol, actor, msgspec.json.encode(options, order="deterministic"))
        variant = found.get(key) or Variant(consumer.protocol, actor, options, ())
        found[key] = variant._replace(consumers=(*variant.consumers, index))
    return list(found.values())


def translation_options(consumer: Consumer) -> TranslationOptions:
    """The options as far as the consumer's protocol knows them, so that consumers with the same statements have equal options."""
    options = TranslationOptions(**{name: getattr(consumer, name) for name in TranslationOptions.__struct_fields__})
    if consumer.protocol == "caliper":
        # Answers have one format; overrides of ``envelope`` are applied when the envelope is made (``io.delivery.bodies``).
        options = replace(options, response_format="erb", override_args=options.override_args.get("event", {}))
    return replace(options, redact=sorted(set(options.redact)))


def actor_options(protocol: Protocol, actor: ActorChoice, lms: Lms) -> ActorOptions:
    """The options, with their defaults filled in: external ids if the site has a table, of the type of the protocol."""
    kind: IdKind = actor.id or ("external_id" if lms.external_ids else "hmac")
    id_type = actor.type or ("XAPI" if protocol == "xapi" else "CALIPER")
    # An HMAC id knows everybody, so that the option makes no other variant.
    unknown = "dead_letter" if kind == "hmac" else actor.unknown
    return ActorOptions(kind, id_type, unknown, None if actor.key == lms.id_key else actor.key, actor.sha1_of)
