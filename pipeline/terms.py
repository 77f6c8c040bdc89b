"""The terms under which a consumer's statements are made: fingerprints of what decides who gets them, and what stands in them.

They hold no value of the configuration, so they may lie in state directories and dead letters."""

from __future__ import annotations

import hashlib
import json

import msgspec

from edx2lrs.pipeline.variants import actor_options, translation_options
from edx2lrs.transforms.config_types import Config, Consumer


def terms_of(config: Config) -> dict[str, str]:
    """The terms of each consumer, by its name: a JSON object of fingerprints, by the keys of the configuration."""
    return {consumer.name: _terms(consumer, config) for consumer in config.consumers}


def _terms(consumer: Consumer, config: Config) -> str:
    options = translation_options(consumer)
    decides = {
        "access": consumer.access,
        "match_params": consumer.match_params,
        "events": config.events,
        "protocol": consumer.protocol,
        "url": consumer.url,
        "actor": actor_options(consumer.protocol, consumer.actor, config.lms),
        "lms": (config.lms.root_url, config.lms.sites),
        **{name: getattr(options, name) for name in options.__struct_fields__},
    }
    return json.dumps({key: _fingerprint(value) for key, value in decides.items()}, sort_keys=True)


def _fingerprint(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]
