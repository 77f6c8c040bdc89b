"""What an event about a card is about, in the same way for both protocols."""

from __future__ import annotations

from edx2lrs.transforms.families.problem.events import Module


def card_iri(root: str, module: Module | None, card: object) -> str | None:
    """``Root/xblock/<usage key of the deck>#card-<card>``; the deck is the block that sent the event."""
    if module is None or not module.usage_key or card is None or card == "":
        return None
    return f"{root}/xblock/{module.usage_key}#card-{card}"
