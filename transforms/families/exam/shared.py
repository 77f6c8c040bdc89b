"""What both protocols share of special exams."""

from __future__ import annotations

from urllib.parse import quote

from edx2lrs.transforms.mapping.usage_key import xblock_iri
from edx2lrs.transforms.mapping.values import first


def attempt_iri(root: str, exam: object, code: object, number: object) -> str | None:
    """``Root/xblock/<exam>/attempt/<code>``, the attempt's number where it has no code; None without both."""
    attempt = first(code, number)
    return None if attempt is None else f"{xblock_iri(root, exam)}/attempt/{quote(str(attempt), safe='')}"
