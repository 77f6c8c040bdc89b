"""One stream, several sites: each event is translated with the root of its own site."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.translate import Outcome, Translator


class SiteTranslator:
    """Translates like ``Translator``, with a root by the event's ``host``."""

    def __init__(self, root_url: str, sites: Mapping[str, str], make: Callable[[str], Translator]) -> None:
        """``sites`` maps hosts (in lower case) to roots; every other host has ``root_url``. ``make`` makes the translator of a
        root, when the first event of a site comes."""
        self._root_url = root_url
        self._sites = sites
        self._make = make
        self._made = {root_url: make(root_url)}
        self.believed = self._made[root_url].believed

    def translate(self, event: Event) -> Outcome:
        """As ``Translator.translate``."""
        host = event.host
        root = self._sites.get(host.lower(), self._root_url) if isinstance(host, str) else self._root_url
        translator = self._made.get(root)
        if translator is None:
            translator = self._made[root] = self._make(root)
        return translator.translate(event)


AnyTranslator = Translator | SiteTranslator


def by_site(root_url: str, sites: Mapping[str, str], make: Callable[[str], Translator]) -> AnyTranslator:
    """The translator for a stream of these sites. For a single site, the translator of the site's root."""
    return SiteTranslator(root_url, sites, make) if sites else make(root_url)
