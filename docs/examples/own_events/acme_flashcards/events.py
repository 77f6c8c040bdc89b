"""Flashcards: what may be read of their events. Nothing but ``transforms.families`` is imported here."""

from __future__ import annotations

from edx2lrs.transforms.families.problem.events import ProblemContext
from edx2lrs.transforms.fields import EventData, Scalar, SourceEvent


class CardTurnedData(EventData, gc=False):
    """A learner turned the card ``card`` of a deck after ``seconds``, and says whether the answer was ``known``."""

    card: Scalar = None
    known: Scalar = None
    seconds: Scalar = None


EVENTS = {
    "acme.flashcard.turned": SourceEvent("flashcards", CardTurnedData, ProblemContext, since="1.0"),
}
