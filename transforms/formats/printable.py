"""Text of records, dead letters and answers, for a terminal, a log or a page: nothing in it is obeyed, or shown as what it is not."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    """``text`` on one line, with JSON's escapes (``\\u001b``) for every sign that is no letter, number, sign or blank: control
    characters (also C1 and DEL), line breaks, turns of the direction of writing. A JSON text on one line stays the same JSON."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))
