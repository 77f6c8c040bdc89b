"""Answers in the formats that xAPI has for each interaction type (1.0.3, 2.4.4.1, Response Patterns; appendix C has examples).

| Interaction type | Format |
|---|---|
| choice | the ids of what was chosen, ``choice_0[,]choice_2`` |
| fill-in | texts, ``a[,]b`` |
| matching | pairs, ``source[.]target[,]source[.]target`` |
| numeric | a number |
| true-false | ``true`` or ``false`` |
"""

from __future__ import annotations

import re
from collections.abc import Callable

from edx2lrs.transforms.mapping.values import response_text

_BETWEEN_ITEMS, _WITHIN_A_PAIR = "[,]", "[.]"
_is_number = re.compile(r"[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?").fullmatch


def formatted(interaction_type: str, answer: object, chosen: object) -> str | None:
    """``answer`` as a learner sees it and ``chosen`` as the page sent it, if the record has that, in the type's format. Where the
    record does not allow that, as without this option (``values.response_text``)."""
    of_type = _FORMATS.get(interaction_type)
    text = of_type(answer, chosen) if of_type else None
    return response_text(answer) if text is None else text


def choice(answer: object, chosen: object) -> str | None:
    """What the page sent are the choices' ids; what the learner saw stands for them in records that have nothing else."""
    ids = items(chosen)
    return items(answer) if ids is None else ids


def fill_in(answer: object, _: object) -> str | None:
    return items(answer)


def items(value: object) -> str | None:
    """A text, or several joined. None for anything else, and for texts that would read as several."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(_is_item(text) for text in texts):
        return None
    return _BETWEEN_ITEMS.join(texts)


def _is_item(value: object) -> bool:
    return isinstance(value, str) and value != "" and _BETWEEN_ITEMS not in value and _WITHIN_A_PAIR not in value


def matching(answer: object, chosen: object) -> str | None:
    """An object from sources to targets."""
    pairs = answer if isinstance(answer, dict) else chosen
    if not isinstance(pairs, dict) or not pairs or not all(_is_item(each) for pair in pairs.items() for each in pair):
        return None
    return _BETWEEN_ITEMS.join(f"{source}{_WITHIN_A_PAIR}{target}" for source, target in pairs.items())


def numeric(answer: object, _: object) -> str | None:
    """A number, or a text that is one; learners also type units, fractions and formulas."""
    if isinstance(answer, str):
        text = answer.strip()
        return text if _is_number(text) else None
    return None if isinstance(answer, bool) or not isinstance(answer, (int, float)) else response_text(answer)


def true_false(answer: object, chosen: object) -> str | None:
    for value in (answer, chosen):
        only = value[0] if isinstance(value, list) and len(value) == 1 else value
        text = str(only).lower() if isinstance(only, (bool, str)) else ""
        if text in ("true", "false"):
            return text
    return None


_FORMATS: dict[str, Callable[[object, object], str | None]] = {
    "choice": choice,
    "fill-in": fill_in,
    "matching": matching,
    "numeric": numeric,
    "true-false": true_false,
}
