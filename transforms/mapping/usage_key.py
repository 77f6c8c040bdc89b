"""The IRIs of blocks: ``Root/xblock/<usage key>``."""

from __future__ import annotations

from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.keys.usage_key import key_of_block, normal_usage_key
from edx2lrs.transforms.mapping.rows import Unmappable
from edx2lrs.transforms.mapping.values import absolute


@remembered(16_384)  # a site has few blocks, and many events about each
def block_iri(root: str, course_key: str, block_type: str, name: str) -> str:
    """The IRI of a block that the event names (``keys.usage_key.key_of_block``). Raises Unmappable if ``course_key`` is no key."""
    key = key_of_block(course_key, block_type, name)
    if key is None:
        raise Unmappable("expected a course key such as course-v1:ORG+COURSE+RUN, found another text", "bad_course_key")
    return f"{root}/xblock/{key}"


def xblock_iri(root: str, usage_key: object) -> str | None:
    """``Root/xblock/<usage key>``, the key without white space around it, branch and version; None without a key."""
    if type(usage_key) is str:
        usage_key = usage_key.strip()
        if "+branch@" in usage_key or "+version@" in usage_key:
            usage_key = normal_usage_key(usage_key)
    return absolute(root, "xblock", usage_key)
