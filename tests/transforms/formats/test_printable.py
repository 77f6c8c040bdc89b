"""Whatever a text holds, a terminal, a log or a page obeys nothing of it."""

from __future__ import annotations

import json

import pytest

from edx2lrs.transforms.formats.printable import printable, printable_lines

OBEYED = ["\x00", "\x07", "\x1b[2J", "\r", "\n", "\t", "\x7f", "\x85", "\x9b2J", "\u202e", "\u2066", "\u2028", "\u2029"]


@pytest.mark.parametrize("sign", OBEYED)
def test_what_is_obeyed_is_escaped_and_json_stays_the_same_json(sign):
    shown = printable(f"a{sign}b")
    assert shown.isprintable()
    assert json.loads(f'"{shown}"') == f"a{sign}b"


@pytest.mark.parametrize("text", ["", "plain", "Zürich, 北京 🎓", 'a "quoted" \\ text'])
def test_other_text_is_unchanged(text):
    assert printable(text) is text


def test_lines_stay_lines():
    assert printable_lines("one\n\x1btwo\n") == "one\n\\u001btwo\n"
