"""IRIs from texts of browsers and tables: signs that RFC 3987 does not allow at their place are escaped."""

from __future__ import annotations

import re
from urllib.parse import quote

from edx2lrs.transforms.formats.texts import is_iri

_PARTS = re.compile(r"([^:/?#]+:)?(//[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_NOT_IN_A_PATH = re.compile(r"(?:%(?![0-9A-Fa-f]{2})|[\x00-\x20<>\"{}|\\^`\[\]\x7f-\x9f#])+")


def escaped_url(url: str) -> str:
    """``url`` itself if ``url`` is an IRI. Else ``url`` with escaped bytes (RFC 3986, 2.1) for signs that its path, query and
    fragment cannot hold. The result may still be no IRI."""
    found = None if is_iri(url) else _PARTS.fullmatch(url)
    if found is None:
        return url
    scheme, authority, path, query, fragment = (part or "" for part in found.groups())
    return f"{scheme}{authority}{escaped(path)}{query[:1]}{escaped(query[1:])}{fragment[:1]}{escaped(fragment[1:])}"


def escaped(text: str) -> str:
    """``text`` with escaped bytes for signs that no part of an IRI can hold."""
    return _NOT_IN_A_PATH.sub(lambda signs: quote(signs[0], safe=""), text)
