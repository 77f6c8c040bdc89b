"""Where a learner went, in the same way for both protocols."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin

from edx2lrs.transforms.formats.iri import escaped_url
from edx2lrs.transforms.formats.link_secrets import without_secrets
from edx2lrs.transforms.formats.texts import is_iri
from edx2lrs.transforms.keys.links import LONGEST_LINK
from edx2lrs.transforms.mapping.rows import Unmappable
from edx2lrs.transforms.mapping.usage_key import xblock_iri

LINK = ("site.root", "site.plain_links", "data.target_url", "data.current_url")
"""What ``target_iri`` gets."""
_has_scheme = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:").match


def target_iri(root: str, is_plain: bool, target_url: str | None, current_url: str | None) -> str | None:
    """A link's URL, without secrets; ``is_plain``: without query and fragment. A URL with a scheme stays as it is (``mailto:`` and
    ``javascript:`` too); a place on the same page, such as ``#answers``, is of that page, where the record names it; all others are of
    the site (RFC 3986, 5.2). What an IRI cannot hold is escaped. Raises Unmappable."""
    target_url = target_url and target_url.strip()
    if not target_url:
        return None
    if len(target_url) > LONGEST_LINK:
        raise Unmappable(f"expected an address of at most {LONGEST_LINK:,} characters, found a longer one", "out_of_range")
    on_page = target_url[0] in "#?" and current_url and current_url.startswith(("https://", "http://"))
    try:
        if not _has_scheme(target_url):
            target_url = urljoin(current_url if on_page and current_url else f"{root}/", target_url)
        return escaped_url(without_secrets(target_url, is_plain))
    except ValueError:
        raise Unmappable("expected a URL, found a text that cannot be read as one", instead=_page(is_plain, current_url)) from None


def or_page(iri: str | None, is_plain: bool, current_url: str | None, is_one: Callable[[str], bool]) -> str | None:
    """``iri``. Raises Unmappable for an IRI that the standard does not take; in its place stands the page of the link, if the record
    names the page."""
    if iri is not None and not is_one(iri) and (page := _page(is_plain, current_url)):
        raise Unmappable("expected a URL that is an IRI, found another text", "invalid", page)
    return iri


def _page(is_plain: bool, current_url: str | None) -> str | None:
    """The page of a link, where the page's address is an IRI."""
    if not current_url or len(current_url) > LONGEST_LINK or not current_url.startswith(("https://", "http://")):
        return None
    try:
        page = escaped_url(without_secrets(current_url, is_plain))
    except ValueError:
        return None
    return page if is_iri(page) else None


def link_or_sequence_iri(root: str, is_plain: bool, target_url: str | None, current_url: str | None, sequence: object) -> str | None:
    """What an outline leads to: its link, else the sequence."""
    return target_iri(root, is_plain, target_url, current_url) or xblock_iri(root, sequence)


def sequence_or_link_iri(root: str, is_plain: bool, sequence: object, target_url: str | None, current_url: str | None) -> str | None:
    """What an outline leads to: the sequence, else its link."""
    return xblock_iri(root, sequence) or target_iri(root, is_plain, target_url, current_url)
