"""What an event about a card is about, in the same way for both protocols."""

from __future__ import annotations


def card_iri(root: str, block: object, card: object) -> str | None:
    """``Root/xblock/<usage key of the deck>#card-<card>``; the deck is the block that sent the event."""
    return None if not block or card is None or card == "" else f"{root}/xblock/{block}#card-{card}"
