"""Flashcards as Caliper events (Caliper 1.2, Assessment Profile)."""

from __future__ import annotations

from acme_flashcards.deck import card_iri
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows
from edx2lrs.transforms.mapping.values import milliseconds, success

MAPPING_VERSION = 1

TURNED: Rows = (
    Row(("object", "id"), ("site.root", "context.module.usage_key", "data.card"), card_iri, required=True),
    Constant(("object", "type"), "AssessmentItem"),
    Row(("extensions", "known"), "data.known", success),
    Row(("extensions", "seconds"), "data.seconds", milliseconds),
    *IN_COURSE,
)

MAPPINGS = {
    "acme.flashcard.turned": EventMapping("AssessmentItemEvent", "Completed", TURNED),
}
