"""The site of the families' examples. Course names and external ids are made from what they stand for, so that people can write
the statements of an example by hand."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from edx2lrs.transforms.config_types import Protocol, TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.people.actor import Actor, account_actor
from edx2lrs.transforms.translate import Translator

ROOT = "https://lms.example.com"


def translator_of_examples(protocol: Protocol, **options: Any) -> Translator:
    """Translates the examples into one protocol. ``options``: those of ``Translator``, and those of a consumer."""
    of_consumer = TranslationOptions(**{key: options.pop(key) for key in list(options) if key in TranslationOptions.__struct_fields__})
    options = {"transformer_version": "edx2lrs@test", **options}
    return Translator(protocol, ROOT, _actor_of(protocol), course_name, of_consumer, **options)


def course_name(key: str) -> str | None:
    """``Course <key>``; no name for a course that is called ``Unnamed``."""
    return None if "Unnamed" in key else f"Course {key}"


def _actor_of(protocol: Protocol) -> Callable[[Event], Actor | Refusal]:
    def actor_of(event: Event) -> Actor | Refusal:
        user = event.username if event.user_id is None else event.user_id
        if user is None:
            return Refusal("translate", "no_actor", "nobody")
        return account_actor(ROOT, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{protocol.upper()}:{user}")))

    return actor_of
