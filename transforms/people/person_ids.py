"""What is the id of a person: one place for records, for the table of external ids, and for the rules of ``access.users``.

A person of the site has a primary key (``user_id``) and a username. Exports of data frames and databases write other things at
these places: ``43.0`` for 43, and words such as ``None``, ``null`` and ``nan`` for nobody.
"""

from __future__ import annotations

import re

from edx2lrs.transforms.fields import Scalar

LARGEST_ID = 2**63 - 1
AROUND = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\x00\u200b\u2060\ufeff"
)
"""White space of Unicode, and signs without width: around an id, these are no part of the id."""
_NOBODY = frozenset({
    "", "none", "null", "(null)", "nil", "nan", "-nan", "<na>", "n/a", "undefined", r"\n", "-", "anonymous", "anonymoususer",
})
"""What programs write, in any case of letters, where there is no person; ``\\N`` is MySQL's."""
_LARGEST_FLOAT = 2**53  # above, a float is no exact whole number
_LONGEST_NUMBER = 40
_has_number_form = re.compile(r"[+-]?(?:\d[\d.,]*|[.,]\d[\d.,]*)(?:[eE][+-]?\d+)?").fullmatch
_whole_number = re.compile(r"\+?(\d+)(?:\.0*)?", re.ASCII).fullmatch
_has_name_form = re.compile(r"[\w .@+-]+").fullmatch  # as the LMS allows usernames at most


class NoPersonError(ValueError):
    """A value that is neither a person's id nor nobody's. The message says what was expected, and holds no value."""


def bare(text: str) -> str:
    """The text without white space around it."""
    return text.strip(AROUND)


def means_nobody(text: str) -> bool:
    """Whether programs write the text where there is no person."""
    return bare(text).lower() in _NOBODY


def person(user_id: object, username: object) -> tuple[int | None, str | None]:
    """The primary key and the username that a record's values name; (None, None): nobody. A username may stand at the place of the
    primary key, unless ``username`` is another one. Raises NoPersonError."""
    found = id_or_name(user_id)
    name = username_of(username) if type(found) is not int or type(username) is str else None
    if not isinstance(found, str):
        return found, name
    if name not in (None, found):
        raise NoPersonError("user_id: expected a whole number or the username, found another text")
    return None, found


def id_or_name(value: object) -> int | str | None:
    """A primary key, or a username, from the place of a primary key. None: nobody. A number that is no primary key is refused,
    since a part of the number may be lost (``4.3E+05``). Raises NoPersonError."""
    if value is None:
        return None
    if type(value) is int and 0 <= value <= LARGEST_ID:
        return value or None
    if type(value) is float and 0 <= value <= _LARGEST_FLOAT and value.is_integer():
        return int(value) or None
    if type(value) is str:
        text = bare(value)
        if text.lower() in _NOBODY:
            return None
        if not _has_number_form(text):
            if _has_name_form(text) and text.lower() not in ("true", "false"):
                return text
        elif len(text) <= _LONGEST_NUMBER and (whole := _whole_number(text)) and (number := int(whole[1])) <= LARGEST_ID:
            return number or None
    raise NoPersonError("user_id: expected a whole number from 1 to 2^63 - 1, or a username")


def username_of(value: object) -> str | None:
    """A username without the white space around it. None: nobody. A number is a username of digits; 0 is nobody. Raises
    NoPersonError."""
    if value is None:
        return None
    if type(value) is int and value >= 0:
        return str(value) if value else None
    if type(value) is not str:
        raise NoPersonError("username: expected a text")
    name = bare(value)
    return None if name.lower() in _NOBODY else name


def session_of(value: Scalar) -> Scalar:
    """What tells an anonymous visitor from another, or None. A text without the white space around it; a number as it is."""
    if type(value) is str:
        text = bare(value)
        return None if text.lower() in _NOBODY else text
    return value if value and value is not True else None
