"""Keys of courses and blocks in addresses of pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.keys.course_key import LONGEST, normal_course_key, org_of
from edx2lrs.transforms.keys.usage_key import Shown, shown_by_block, usage_key

LONGEST_LINK = 16_384
"""Characters of an address. Browsers and servers take no longer addresses."""
_KEY = re.compile(
    r"(?:(?:ccx-|lib-)?block|course|ccx|library)-v1:[^\s/?#&\"'<>]+|(?<![A-Za-z0-9])(?:lib|lb):[^\s/?#&\"'<>]+"
    r"|i4x-[^\s/?#&]+|i4x:/+[^\s/?#&]+(?:/[^\s/?#&]+){3}"
)
_OLD_COURSE = re.compile(r"(?:\A|/)courses/([^\s/?#:+]+/[^\s/?#:+]+/[^\s/?#:+]+)(?=[/?#]|\Z)")
_may_hold_keys = re.compile(r"%|-v1:|li?b:|i4x[:-]|courses/[^/]").search
_SLASHES = re.compile(r"\Ai4x:/+")


def keys_in(address: str) -> Iterator[str]:
    """The keys in an address, in their order, those of courses of the old style last; also keys whose signs are escaped."""
    text = unquote(unquote(address[:LONGEST_LINK]))
    for found in _KEY.finditer(text):
        yield _SLASHES.sub("i4x://", found[0])
    for found in _OLD_COURSE.finditer(text):
        yield found[1]


def course_in(address: str) -> str | None:
    """The course whose page ``address`` is, by the first key that names a course."""
    for key in keys_in(address):
        block = usage_key(key)
        course = block.course if block else normal_course_key(key)
        if course:
            return course
    return None


def shown_by_link(link: str, course_key: str | None, hosts: frozenset[str] = frozenset()) -> list[Shown]:
    """The courses that a statement shows by a link, without the event's own (``course_key``, in normal form). A link to another site
    than those of ``hosts`` and their neighbours shows no course of ours."""
    if len(link) <= LONGEST:
        return _remembered(link, course_key, hosts)
    return _shown_by_link(link, course_key, hosts) if len(link) <= LONGEST_LINK else [(None, None)]


def _shown_by_link(link: str, course_key: str | None, hosts: frozenset[str]) -> list[Shown]:
    if not _may_hold_keys(link.replace(f"/{course_key}/", "//") if course_key else link):
        return []
    if hosts and not _is_ours(link, hosts):
        return []
    return [shown for key in keys_in(link) if (shown := _shown_by_key(key, course_key))]


_remembered = remembered(4096)(_shown_by_link)  # many events lead to the same pages


def _shown_by_key(key: str, course_key: str | None) -> Shown | None:
    is_block = key.startswith("i4x-") or usage_key(key)
    return shown_by_block(key, course_key) if is_block else shown_by_course(key, course_key)


def shown_by_course(key: str, course_key: str | None) -> Shown | None:
    """As ``shown_by_block``, for the key of a course."""
    course = normal_course_key(key)
    return None if course == course_key and course else (course, course and org_of(course))


def _is_ours(link: str, hosts: frozenset[str]) -> bool:
    """Whether a link leads to one of ``hosts``, or to a host beside it: ``studio.example.com`` is beside ``lms.example.com``."""
    try:
        scheme, host = (parts := urlsplit(link)).scheme, parts.hostname
    except ValueError:
        return True
    if host is None or scheme not in ("http", "https", ""):
        return True
    return any(host == own or f".{host}".endswith(f".{_domain(own)}") for own in hosts)


def _domain(host: str) -> str:
    return host.partition(".")[2] if host.count(".") > 1 else host
