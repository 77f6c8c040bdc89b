"""The formats of texts: pure functions that say whether a text has a format, in a time that is linear in the text's length."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from ipaddress import IPv6Address

from edx2lrs.transforms.formats.remembered import remembered

Matches = Callable[[str], object]

UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
# RFC 3339 with a known zone; -00:00 means an unknown zone (and ISO 8601 has no such zone)
TIMESTAMP = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-[0-3][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:Z|(?:\+|-(?!00:00))(?:[01][0-9]|2[0-3]):[0-5][0-9])"
)

# RFC 3987, 2.2: the grammar of an IRI, with one character or more after the scheme
_UCS = (
    "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
    + "".join(f"{chr(plane * 0x10000)}-{chr(plane * 0x10000 + 0xFFFD)}" for plane in range(1, 14))
    + f"{chr(0xE1000)}-{chr(0xEFFFD)}"
)
_PRIVATE = f"\ue000-\uf8ff{chr(0xF0000)}-{chr(0xFFFFD)}{chr(0x100000)}-{chr(0x10FFFD)}"
_SEGMENT = rf"A-Za-z0-9\-._~!$&'()*+,;={_UCS}"


def _run(characters: str) -> str:
    """Any number of these characters, or of escaped bytes."""
    return rf"[{characters}]*(?:%[0-9A-Fa-f]{{2}}[{characters}]*)*"


_FUTURE = r"[Vv][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+"
_AUTHORITY = rf"//(?:{_run(_SEGMENT + ':')}@)?(?:\[(?:([0-9A-Fa-f:.]+)|{_FUTURE})\]|{_run(_SEGMENT)})(?::[0-9]*)?"
_PATH = _run(_SEGMENT + ":@/")
_IRI = (
    rf"[A-Za-z][A-Za-z0-9+.\-]*:(?=.)(?:{_AUTHORITY}(?:/{_PATH})?|(?!//){_PATH})"
    rf"(?:\?{_run(_SEGMENT + ':@/?' + _PRIVATE)})?(?:\#{_run(_SEGMENT + ':@/?')})?"
)
_iri = re.compile(_IRI).fullmatch

# RFC 5322, 3.4.1 and RFC 6531: words with dots between them, at a host
_WORD = rf"(?:[A-Za-z0-9!#$&'*+/=?^_`{{|}}~\-{_UCS}]|%[0-9A-Fa-f]{{2}})+"
_LABEL = rf"[A-Za-z0-9{_UCS}](?:[A-Za-z0-9\-{_UCS}]*[A-Za-z0-9{_UCS}])?"
is_mailto: Matches = re.compile(rf"mailto:{_WORD}(?:\.{_WORD})*@{_LABEL}(?:\.{_LABEL})*").fullmatch

# RFC 5646, 2.1: well-formed tags; whether the parts of a tag are registered is not checked
_LANGUAGE = r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
_VARIANTS = r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
_EXTENSIONS = r"(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
_GRANDFATHERED = (
    "en-GB-oed|i-ami|i-bnn|i-default|i-enochian|i-hak|i-klingon|i-lux|i-mingo|i-navajo|i-pwn|i-tao|i-tay|i-tsu|sgn-BE-FR|"
    "sgn-BE-NL|sgn-CH-DE|art-lojban|cel-gaulish|no-bok|no-nyn|zh-guoyu|zh-hakka|zh-min|zh-min-nan|zh-xiang"
)
is_language: Matches = re.compile(
    rf"{_LANGUAGE}{_VARIANTS}{_EXTENSIONS}|x(?:-[a-z0-9]{{1,8}})+|{_GRANDFATHERED}", re.IGNORECASE | re.ASCII
).fullmatch

# ISO 8601:2004, 4.4.3.2: the last part alone may have a fraction; weeks stand alone
_duration = re.compile(r"P(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?|P\d+W").fullmatch
_last_fraction = re.compile(r"[.,]\d+(?=[YMWDHS]\Z)")

is_uuid: Matches = re.compile(UUID).fullmatch
is_uuid_of_rfc_4122: Matches = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){2}[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}").fullmatch
is_urn_uuid: Matches = re.compile(rf"urn:uuid:{UUID}").fullmatch
is_blank_node: Matches = re.compile(r"_:[^\s\"<>]+").fullmatch
is_sha1: Matches = re.compile(r"[0-9A-Fa-f]{40}").fullmatch
is_sha2: Matches = re.compile(r"[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128}").fullmatch
# RFC 6838, 4.2, with parameters as in RFC 2045, 5.1
is_media_type: Matches = re.compile(
    r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&'*^.+-]+|\"[^\"\\\r\n]*\"))*", re.ASCII
).fullmatch

_timestamp = re.compile(TIMESTAMP).fullmatch
_instant = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII).fullmatch


@remembered(16_384)  # a site has few activities, and many statements about each
def is_iri(text: str) -> bool:
    """RFC 3987: an absolute IRI."""
    found = _iri(text)
    return found is not None and (found[1] is None or _is_ipv6(found[1]))


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def is_timestamp(text: str) -> bool:
    """RFC 3339: the day exists in its month, and the zone is known."""
    return _timestamp(text) is not None and _is_day(text[:10])


def is_instant(text: str) -> bool:
    """The only form of Caliper: ``YYYY-MM-DDTHH:mm:ss.SSSZ``."""
    return _instant(text) is not None and _is_day(text[:10])


def is_duration(text: str) -> bool:
    """ISO 8601:2004, 4.4.3.2; only the last part may have a fraction."""
    return _duration(_last_fraction.sub("", text)) is not None and text.isascii()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
