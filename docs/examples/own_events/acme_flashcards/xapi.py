"""Flashcards as xAPI statements."""

from __future__ import annotations

from acme_flashcards.deck import card_iri
from edx2lrs.transforms.families.video.xapi import duration
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows
from edx2lrs.transforms.mapping.values import success
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import CMI_INTERACTION, definition

MAPPING_VERSION = 1

ANSWERED = {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered"}}

TURNED: Rows = (
    Row(("object", "id"), ("site.root", "context.module.usage_key", "data.card"), card_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), CMI_INTERACTION),
    Constant(definition("interactionType"), "other"),
    Row(("result", "success"), "data.known", success),
    Row(("result", "duration"), "data.seconds", duration),
    *IN_COURSE,
)

MAPPINGS = {
    "acme.flashcard.turned": StatementMapping(ANSWERED, TURNED),
}
