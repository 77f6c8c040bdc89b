"""Links, the outline and the units of a sequence as Caliper events (Caliper 1.2, NavigationEvent)."""

from __future__ import annotations

from edx2lrs.transforms.families.navigation.shared import LINK, or_page, sequence_or_link_iri, target_iri
from edx2lrs.transforms.formats.texts import is_iri
from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping
from edx2lrs.transforms.mapping.rows import STANDARD, Constant, Row, Rows
from edx2lrs.transforms.mapping.usage_key import xblock_iri

MAPPING_VERSION = 2


def link_iri(root: str, is_plain: bool, target_url: str | None, current_url: str | None) -> str | None:
    """A link's URL; the page of the link, if the URL is no IRI."""
    return or_page(target_iri(root, is_plain, target_url, current_url), is_plain, current_url, is_iri)


def name_of_target(sequence: object, target_name: object) -> object:
    """``Unit`` for what is known by its usage key, else the link's name."""
    return target_name or None if sequence is None or sequence == "" else "Unit"


def extension(key: str) -> tuple[str, str, str]:
    return ("object", "extensions", key)


TARGET: Rows = (
    Constant(("profile",), terms.READING_PROFILE, STANDARD),
    Row(("object", "id"), LINK, link_iri, required=True),
    Row(("object", "name"), "data.target_name"),
    *IN_COURSE,
)
SEQUENCE: Rows = (
    Constant(("profile",), terms.READING_PROFILE, STANDARD),
    Row(("object", "id"), ("site.root", "data.id"), xblock_iri, required=True),
    Constant(("object", "type"), terms.DIGITAL_RESOURCE_COLLECTION),
    Constant(("object", "name"), "Unit"),
    Row(extension("tab_count"), "data.tab_count"),
    Row(extension("current_tab"), "data.current_tab"),
    *IN_COURSE,
)
TO_A_MODULE_OR_SEQUENCE: Rows = (
    Constant(("profile",), terms.READING_PROFILE, STANDARD),
    *SEQUENCE,
    Row(
        ("object", "id"), ("site.root", "site.plain_links", "data.id", "data.target_url", "data.current_url"), sequence_or_link_iri,
        required=True,
    ),
    Constant(("object", "type"), terms.DIGITAL_RESOURCE),
    Row(("object", "name"), ("data.id", "data.target_name"), name_of_target),
    Row(extension("target"), "data.target_tab"),
)
TO_A_TAB: Rows = (*SEQUENCE, Row(extension("target"), "data.target_tab"))
TO_THE_NEXT: Rows = (*SEQUENCE, Constant(extension("target"), "next unit"))
TO_THE_PREVIOUS: Rows = (*SEQUENCE, Constant(extension("target"), "previous unit"))
TO_A_LINK: Rows = (*TARGET, Constant(("object", "type"), terms.WEB_PAGE))
TO_A_MODULE: Rows = (*TARGET, Constant(("object", "type"), terms.DIGITAL_RESOURCE))

MAPPINGS = {
    "edx.ui.lms.link_clicked": EventMapping(terms.NAVIGATION_EVENT, terms.NAVIGATED_TO, TO_A_LINK),
    "edx.ui.lms.outline.selected": EventMapping(terms.NAVIGATION_EVENT, terms.NAVIGATED_TO, TO_A_MODULE),
    "edx.ui.lms.sequence.outline.selected": EventMapping(terms.NAVIGATION_EVENT, terms.NAVIGATED_TO, TO_A_MODULE_OR_SEQUENCE),
    "edx.ui.lms.sequence.tab_selected": EventMapping(terms.NAVIGATION_EVENT, terms.NAVIGATED_TO, TO_A_TAB),
    "edx.ui.lms.sequence.next_selected": EventMapping(terms.NAVIGATION_EVENT, terms.NAVIGATED_TO, TO_THE_NEXT),
    "edx.ui.lms.sequence.previous_selected": EventMapping(terms.NAVIGATION_EVENT, terms.NAVIGATED_TO, TO_THE_PREVIOUS),
}
