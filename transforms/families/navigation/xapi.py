"""Links, the outline and the units of a sequence as xAPI statements that a learner navigated to them."""

from __future__ import annotations

from edx2lrs.transforms.families.navigation.shared import LINK, link_or_sequence_iri, or_page, target_iri
from edx2lrs.transforms.mapping import xapi_vocabulary as terms
from edx2lrs.transforms.mapping.guard import is_activity_id
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Row, Rows
from edx2lrs.transforms.mapping.usage_key import xblock_iri
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import context_extension, definition, result_extension

MAPPING_VERSION = 2


def link_iri(root: str, is_plain: bool, target_url: str | None, current_url: str | None) -> str | None:
    """A link's URL; the page of the link, if the URL is no IRI that all LRSs accept."""
    return or_page(target_iri(root, is_plain, target_url, current_url), is_plain, current_url, is_activity_id)


TO_A_LINK: Rows = (
    Row(("object", "id"), LINK, link_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), terms.LINK),
    *IN_COURSE,
)
TO_A_MODULE: Rows = (
    Row(("object", "id"), LINK, link_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), terms.MODULE),
    Row((*definition("name"), "en"), "data.target_name"),
    *IN_COURSE,
)
TO_A_MODULE_OR_SEQUENCE: Rows = (
    *TO_A_MODULE,
    Row(("object", "id"), (*LINK, "data.id"), link_or_sequence_iri, required=True),
)
IN_A_SEQUENCE: Rows = (
    Row(("object", "id"), ("site.root", "data.id"), xblock_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), terms.RESOURCE),
    Row((*definition("extensions"), terms.TOTAL_ITEMS), "data.tab_count"),
    *IN_COURSE,
)
TO_A_TAB: Rows = (
    *IN_A_SEQUENCE,
    Row(context_extension(terms.STARTING_POSITION), "data.current_tab"),
    Row(context_extension(terms.ENDING_POINT), "data.target_tab", dialects=AS_ERB),
    Row(result_extension(terms.ENDING_POINT), "data.target_tab", dialects=STANDARD),
)
TO_THE_NEXT: Rows = (
    *IN_A_SEQUENCE,
    Row(context_extension(terms.STARTING_POSITION), "data.current_tab"),
    Constant(context_extension(terms.ENDING_POINT), "next unit", AS_ERB),
    Constant(result_extension(terms.ENDING_POINT), "next unit", STANDARD),
)
TO_THE_PREVIOUS: Rows = (
    *IN_A_SEQUENCE,
    Row(context_extension(terms.STARTING_POSITION), "data.current_tab"),
    Constant(context_extension(terms.ENDING_POINT), "previous unit", AS_ERB),
    Constant(result_extension(terms.ENDING_POINT), "previous unit", STANDARD),
)

MAPPINGS = {
    "edx.ui.lms.link_clicked": StatementMapping(terms.NAVIGATED, TO_A_LINK),
    "edx.ui.lms.outline.selected": StatementMapping(terms.NAVIGATED, TO_A_MODULE),
    "edx.ui.lms.sequence.outline.selected": StatementMapping(terms.NAVIGATED, TO_A_MODULE_OR_SEQUENCE),
    "edx.ui.lms.sequence.tab_selected": StatementMapping(terms.NAVIGATED, TO_A_TAB),
    "edx.ui.lms.sequence.next_selected": StatementMapping(terms.NAVIGATED, TO_THE_NEXT),
    "edx.ui.lms.sequence.previous_selected": StatementMapping(terms.NAVIGATED, TO_THE_PREVIOUS),
}
