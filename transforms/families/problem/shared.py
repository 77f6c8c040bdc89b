"""What a problem_check event is about, in the same way for both protocols."""

from __future__ import annotations

from edx2lrs.transforms.keys.problem_inputs import named_in_inputs, named_in_referrer
from edx2lrs.transforms.mapping.usage_key import block_iri, xblock_iri

PROBLEM = ("site.root", "data.problem_id", "data.module_id", "context.module.usage_key", "referrer")
"""What ``problem_iri`` gets."""
FORM = ("site.root", "data.text", "course_id", "referrer")
"""What ``problem_iri_of_form`` gets."""
NO_FORM = "data: expected an object, found a text; only browsers send one"


def problem_iri(root: str, problem_id: object, module_id: object, block: object, referrer: object) -> str | None:
    """The problem that the payload names, else the block that sent the event, else the problem that the page's address names."""
    return xblock_iri(root, problem_id or module_id or block or named_in_referrer(referrer, "problem"))


def problem_iri_of_form(root: str, form: str, course_key: str | None, referrer: object) -> str | None:
    """As ``problem_iri``, for the form data that a browser sends: the problem that the form's inputs name, else the problem that the
    page's address names."""
    name = named_in_inputs(form) if course_key else None
    if name and course_key:
        return block_iri(root, course_key, "problem", name)
    return xblock_iri(root, named_in_referrer(referrer, "problem"))
