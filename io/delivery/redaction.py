"""Takes secrets out of a text of somebody else, in whatever form the text repeats them. Pure.

A text is compared with the secrets without regard to capitals, as it is and after its escapes are undone (of URLs, JSON, HTML, C). A
secret is also looked for in base64, base32 and hexadecimal digits. A part of a secret counts as the secret, from half of its length or
16 characters on. Of a secret of less than 12 characters, only the whole counts."""

from __future__ import annotations

import base64
import html
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

_SHORTEST = 4  # characters of a secret: less is in every text
_PARTED = 12  # characters of a secret from which on a part of it counts
_PART = 16  # characters of a part that always counts
_ROUNDS = 3  # of undoing escapes
_ESCAPE = re.compile(
    r"%(?P<url>[0-9a-f]{2})|\\u(?P<json>[0-9a-f]{4})|\\u\{(?P<script>[0-9a-f]{1,8})\}|\\x(?P<c>[0-9a-f]{2})"
    r"|\\(?P<octal>[0-3][0-7]{2})|\\(?P<other>.)|(?P<html>&(?:#[0-9]{1,7};?|#x[0-9a-f]{1,6};?|[a-z]{2,8};))",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_LARGEST = 0x10FFFF


class Redaction:
    """Knows the secrets that are to be taken out. Never shows them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._parts: defaultdict[int, set[str]] = defaultdict(set)  # by their length
        for secret in secrets:
            if len(secret) < _SHORTEST:
                continue
            for form in _forms(secret):
                folded = _folded(form)
                length = len(folded) if len(secret) < _PARTED else min(len(folded) // 2, _PART)
                self._parts[length].update(folded[at : at + length] for at in range(len(folded) - length + 1))

    def __repr__(self) -> str:
        return "Redaction(...)"

    def redacted(self, text: str) -> str:
        """``text`` with ``***`` for each secret."""
        hidden = bytearray(len(text))  # 1 for each character that goes
        characters, starts = text, list(range(len(text) + 1))  # where in ``text`` each character begins, and where the last one ends
        for _ in range(_ROUNDS):
            for start, end in self._found(characters):
                first, last = starts[start], starts[end]
                hidden[first:last] = b"\1" * (last - first)
            plain, places = _unescaped(characters)
            if len(plain) == len(characters):
                break
            characters, starts = plain, [starts[place] for place in places]
        hidden_text = "".join("\0" if hides else character for character, hides in zip(text.replace("\0", " "), hidden, strict=True))
        return re.sub("\0+=*", "***", hidden_text)  # with the fill of base64

    def _found(self, characters: str) -> Iterator[tuple[int, int]]:
        folded = _folded(characters)
        for length, parts in self._parts.items():
            for at in range(len(folded) - length + 1):
                if folded[at : at + length] in parts:
                    yield at, at + length


def _folded(text: str) -> str:
    """Without capitals, character by character."""
    return "".join(lower if len(lower := character.lower()) == 1 else character for character in text)


def _forms(secret: str) -> set[str]:
    data = secret.encode("utf-8", "surrogatepass")
    texts = (secret, data.decode("latin-1"))  # an escape of a URL stands for a byte
    forms = {*texts, *(text.replace(" ", "+") for text in texts)}
    for before in range(3):  # base64 of a text in which the secret stands: what its bytes alone decide
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        whole = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        forms |= {whole, whole.translate(str.maketrans("+/", "-_"))}
    forms.add(base64.b32encode(data).decode().rstrip("=")[: len(data) * 8 // 5])
    digits = [f"{byte:02x}" for byte in data]
    forms |= {"".join(digits), ":".join(digits), " ".join(digits)}
    return {form for form in forms if len(form) >= _SHORTEST}


def _unescaped(text: str) -> tuple[str, list[int]]:
    """The text with each escape as the character that it means, and where in ``text`` each character begins, and the last one ends."""
    pieces: list[str] = []
    places: list[int] = []
    end = 0
    for found in _ESCAPE.finditer(text):
        pieces += (text[end : found.start()], meant := _meant(found))
        places += range(end, found.start())
        places += [found.start()] * len(meant)
        end = found.end()
    pieces.append(text[end:])
    places += range(end, len(text) + 1)
    return "".join(pieces), places


def _meant(escape: re.Match[str]) -> str:
    if escape["html"]:
        return html.unescape(escape["html"])[:1]
    if escape["other"]:
        return escape["other"]
    digits = escape["url"] or escape["json"] or escape["script"] or escape["c"]
    code = int(digits, 16) if digits else int(escape["octal"], 8)
    return chr(min(code, _LARGEST))
