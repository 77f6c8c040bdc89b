"""Secrets in addresses: sign-ins, and the tokens of the LMS's own pages and of other sites' queries."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_TOKEN_FOLLOWS = re.compile(
    r"/(password_reset_confirm|account_recovery_confirm|activate|activate_secondary_email|email_confirm|unsubscribe"
    r"|unsubscribe_from_course_goal|optout)/[^?#]*"
)
_is_secret = re.compile(r"token|passw|secret|session_?id|signature|\bsig\b|jwt|ticket|api_?key|credential", re.IGNORECASE).search


def without_secrets(url: str, is_plain: bool) -> str:
    """``url`` without user and password, without what follows a page of the LMS that a token opens, and without parameters whose names
    say that they are secret. ``is_plain``: without query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a text that is no address
        return url
    changed = parts._replace(
        netloc=parts.netloc.rpartition("@")[2],
        path=_TOKEN_FOLLOWS.sub(r"/\1/", parts.path, 1),
        query="" if is_plain else _public(parts.query),
        fragment="" if is_plain else _public(parts.fragment),
    )
    return url if changed == parts else urlunsplit(changed)


def _public(parameters: str) -> str:
    """The parameters of a query, or of a fragment, whose names are no names of secrets."""
    if "=" not in parameters:
        return parameters
    return "&".join(each for each in parameters.split("&") if not _is_secret(each.partition("=")[0]))
