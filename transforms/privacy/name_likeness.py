"""Which names of fields and keys resemble personal data: by the words of a name, in any case and spelling, joined or misspelt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

_KINDS: Mapping[str, str] = {
    "an e-mail address": "email mail eml mbox mailbox mailto",
    "a person's name": "username fullname firstname lastname surname forename nickname realname screenname login uname fname lname",
    "a postal address": "address addr street postal postcode postalcode zipcode zip city town country",
    "a phone number": "phone telephone cellphone mobile tel fax msisdn contactnumber contactno",
    "a birth date or age": "birth birthday birthdate bday dob yob age",
    "a gender": "gender sex pronoun",
    "an IP address": "ip ipv ipaddr remoteaddr forwardedfor",
    "a place": "geo geoip gps location latitude longitude lat lon lng coordinate coord",
    "a password": "password passwd pwd pswd passphrase passcode",
    "a token or secret": "token secret apikey accesskey privatekey credential cred cookie csrf jwt otp bearer oauth",
    "a state's or bank's number": "ssn socialsecurity nationalid taxid passport iban creditcard cardnumber",
    "a person's device": "useragent agent fingerprint deviceid macaddress imei acceptlanguage",
    "a person's picture": "photo avatar selfie biometric",
    "what the law protects most": "ethnicity religion nationality disability",
    "a person's id": "userid",
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_KIND_OF = {word: kind for kind, spellings in _KINDS.items() for word in spellings.split()}
_PERSONS = _set("user learner student person people author member customer contact owner instructor teacher staff")
_OF_A_NAME = _PERSONS | _set("full first last middle given family real legal maiden sur nick profile")
_FILLERS = _set("of the display own lms external primary")
_AFFIXES = _set("client remote home work hash md sha no num number val value code auth access refresh api my date year")
_ORDINARY = _set("taken prone broken frame frames flame passed revision")
"""Words that are nearly one of the above and mean something else."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WORD_WITH_DIGITS = re.compile(r"[a-z]+(?:[0-9]+[a-z]+)+")
_SUBSTRING = 5  # letters; a shorter word is a part of too many words: ip in description
_LONG = 8  # letters; a word of this length may have two mistakes
_PARTS = _OF_A_NAME | _FILLERS | _AFFIXES | _KIND_OF.keys() | {"name", "id"}


@lru_cache(None)
def resemblance(name: str) -> str | None:
    """The kind of personal data that ``name`` resembles, in words; None for others. Of an IRI, path and fragment count."""
    if "://" in name:
        name = "/".join(name.partition("://")[2].split("/")[1:])
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    written = [word.lower() for word in _WORD.findall(ascii_name)]
    words = [part for word in written for part in _parts(word)]
    with_digits = _WORD_WITH_DIGITS.findall(ascii_name.lower())
    spellings = (*_neighbours(written), *written, *words, *with_digits)
    for kind_of in (_kind_of_known, _kind_of_similar):
        for kind in filter(None, map(kind_of, spellings)):
            return kind
    for first, second in _pairs([word for word in words if word not in _FILLERS]):
        if _singular(second) == "name" and (first in _OF_A_NAME or _singular(first) in _PERSONS):
            return "a person's name"
        if second in ("id", "ids") and _singular(first) in _PERSONS:
            return "a person's id"
    return None


def _kind_of_known(word: str) -> str | None:
    return _KIND_OF.get(_singular(word))


def _kind_of_similar(word: str) -> str | None:
    if word in _ORDINARY:
        return None
    singular = _singular(word)
    for known, kind in _KIND_OF.items():
        if len(known) >= _SUBSTRING and (known in word or _misspelt(word, known) or _misspelt(singular, known)):
            return kind
    return None


def _parts(word: str) -> list[str]:
    """The known words of which ``word`` consists (``geoip``, ``studentname``), or ``word`` itself."""
    ways: dict[int, list[str]] = {0: []}
    for end in range(1, len(word) + 1):
        for start in range(end):
            if start in ways and end not in ways and word[start:end] in _PARTS:
                ways[end] = [*ways[start], word[start:end]]
    return ways.get(len(word), [word])


def _neighbours(words: list[str]) -> Iterator[str]:
    """Two and three words joined (``e_mail``, ``postal-code``, ``frist_name``), if the joined word is known or nearly a known word."""
    for size in (2, 3):
        for start in range(len(words) - size + 1):
            joined = "".join(words[start : start + size])
            if _singular(joined) in _KIND_OF or any(len(known) >= _LONG and _distance(joined, known) < 2 for known in _KIND_OF):
                yield joined


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Two neighbouring words, in both orders."""
    for first, second in pairwise(words):
        yield first, second
        yield second, first


def _singular(word: str) -> str:
    for ending in ("es", "s"):
        if word.endswith(ending) and word.removesuffix(ending) in _PARTS:
            return word.removesuffix(ending)
    return word


def _misspelt(word: str, known: str) -> bool:
    """Whether a word is a known word with one mistake, or two in a long word; the first letter has to be right."""
    allowed = 2 if len(known) >= _LONG and not known.endswith("name") else 1  # filename, rename and similar words resemble known names
    return word[:1] == known[:1] and abs(len(word) - len(known)) <= allowed and _distance(word, known) <= allowed


def _distance(one: str, other: str) -> int:
    """Optimal string alignment: the number of edits between two words. Two letters in the wrong order are one edit."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]
