"""Who could have written an event: the site itself, or a learner by way of a browser or an app."""

from __future__ import annotations

SITE = ("server", "task")
"""``event_source`` of what the site's own programs write. Live events of the site have no ``event_source`` at all, and events of
browsers and apps always have one."""


def is_posted(source: object) -> bool:
    """Whether a browser or an app posted the event: its name and its payload are a learner's own text."""
    return bool(source) and source not in SITE
