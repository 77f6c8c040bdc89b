"""IRIs out of what browsers and tables hold: escaped where RFC 3987 has no place for a sign."""

from __future__ import annotations

import re
from urllib.parse import quote

from edx2lrs.transforms.formats.texts import is_iri

_PARTS = re.compile(r"([^:/?#]+:)?(//[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_NOT_IN_A_PATH = re.compile(r"%(?![0-9A-Fa-f]{2})|[\x00-\x20<>\"{}|\\^`\[\]\x7f-\x9f#]")


def escaped_url(url: str) -> str:
    """``url`` itself when it is an IRI; else with what its path, query and fragment cannot hold as escaped bytes (RFC 3986,
    2.1). May still be none."""
    found = None if is_iri(url) else _PARTS.fullmatch(url)
    if found is None:
        return url
    scheme, authority, path, query, fragment = (part or "" for part in found.groups())
    return f"{scheme}{authority}{escaped(path)}{query[:1]}{escaped(query[1:])}{fragment[:1]}{escaped(fragment[1:])}"


def escaped(text: str) -> str:
    """``text`` with what no part of an IRI can hold as escaped bytes."""
    return _NOT_IN_A_PATH.sub(lambda sign: quote(sign[0], safe=""), text)
