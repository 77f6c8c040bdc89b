"""The problem that a browser's answer is about: in the names of a form's inputs, and in the address of the page."""

from __future__ import annotations

import re
from urllib.parse import unquote

from edx2lrs.transforms.keys.course_key import LONGEST

_INPUT = "input_"
_FIELDS = 20
_ACTIVATE_BLOCK = re.compile(r"[?&]activate_block_id=([^&#]+)")


def named_in_inputs(form: str) -> str | None:
    """The name of the problem in a browser's form data (``input_NAME_2_1=choice_0&...``). capa names an input after the problem, then
    writes two numbers (response and answer), then perhaps a suffix that begins with a letter: ``input_NAME_2_1_choiceinput_0``. The
    problem's own name may end with numbers too."""
    for field in form[: _FIELDS * LONGEST].split("&", _FIELDS):
        name = field.partition("=")[0]
        if name.startswith(_INPUT) and len(name) <= LONGEST:
            return _problem_of(unquote(name.removeprefix(_INPUT)).removesuffix("[]"))
    return None


def _problem_of(name: str) -> str | None:
    parts = name.split("_")
    for end in range(len(parts), 2, -1):
        is_end = end == len(parts) or parts[end][:1].isalpha()
        if is_end and _is_number(parts[end - 1]) and _is_number(parts[end - 2]):
            return "_".join(parts[: end - 2]) or None
    return parts[0] or None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def named_in_referrer(referrer: object, block_type: str) -> str | None:
    """The key of the block of this type that a page's address activates (``activate_block_id=``), if any."""
    found = _ACTIVATE_BLOCK.search(referrer) if isinstance(referrer, str) and "activate_block_id=" in referrer else None
    key = unquote(found[1]).strip() if found and len(found[1]) <= 3 * LONGEST else ""
    return key if f"type@{block_type}+" in key or f"/{block_type}/" in key else None
