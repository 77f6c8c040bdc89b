"""The block of a problem, where the server names it, and what belongs to it, in the same way for both protocols."""

from __future__ import annotations

from edx2lrs.transforms.mapping.usage_key import xblock_iri

BLOCK = ("site.root", "data.problem_id", "data.module_id", "context.module.usage_key")
"""What ``problem_block_iri`` gets."""


def problem_block_iri(root: str, key: object, other_key: object, block: object) -> str | None:
    """``Root/xblock/<usage key>`` of the problem that the payload names (0 and false are none); else of the block that sent it."""
    return xblock_iri(root, key or other_key or block or None)


def hint_iri(root: str, key: object, other_key: object, block: object, hint_index: object) -> str | None:
    """``<problem>/hint/<index>``; None where the record does not say which hint."""
    problem = problem_block_iri(root, key, other_key, block)
    return None if problem is None or hint_index is None or hint_index == "" else f"{problem}/hint/{hint_index}"
