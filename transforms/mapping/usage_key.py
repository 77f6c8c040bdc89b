"""Course keys and the keys of blocks in a course, as Open edX writes them.

| Course key | Its blocks |
|---|---|
| ``course-v1:ORG+COURSE+RUN`` | ``block-v1:ORG+COURSE+RUN+type@video+block@NAME`` |
| ``ccx-v1:ORG+COURSE+RUN+ccx@1`` | ``ccx-block-v1:ORG+COURSE+RUN+ccx@1+type@video+block@NAME`` |
| ``library-v1:ORG+LIBRARY`` | ``lib-block-v1:ORG+LIBRARY+type@video+block@NAME`` |
| ``ORG/COURSE/RUN`` (until 2014) | ``i4x://ORG/COURSE/video/NAME`` |
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_plus

from edx2lrs.transforms.mapping.rows import Unmappable
from edx2lrs.transforms.mapping.values import absolute

_ID = r"[\w\-~.:]+"
_COURSE_KEY = re.compile(
    rf"course-v1:{_ID}(\+{_ID}){{2}}(\+branch@{_ID})?(\+version@[a-f0-9]+)?"
    rf"|ccx-v1:{_ID}(\+{_ID}){{2}}(\+branch@{_ID})?(\+version@[a-f0-9]+)?\+ccx@\d+"
    rf"|library-v1:{_ID}\+{_ID}(\+branch@{_ID})?(\+version@[a-f0-9]+)?"
    rf"|lib:{_ID}:[\w\-~.]+"
    rf"|[\w\-~.]+/[\w\-~.]+/[\w\-~.]+"
)
_BLOCK_PREFIXES = {"course-v1": "block-v1", "ccx-v1": "ccx-block-v1", "library-v1": "lib-block-v1"}
_NO_WORD = re.compile(r"[^\w-]")
_ACTIVATE_BLOCK = re.compile(r"[?&]activate_block_id=([^&#]+)")
_INPUT = re.compile(r"input_(.+?)_\d+_\d+(?:_\w+)?(?:\[\]|%5B%5D)?(?:[=&]|\Z)")


def is_course_key(text: str) -> bool:
    """Whether ``text`` is the key of a course or library."""
    return _COURSE_KEY.fullmatch(text) is not None


@lru_cache(16_384)  # a site has few blocks, and many events about each
def block_iri(root: str, course_key: str, block_type: str, name: str) -> str:
    """``Root/xblock/<usage key>`` of a block. ``name`` may be the id of a block in a page of an old-style course
    (``i4x-ORG-COURSE-video-NAME``). Raises Unmappable if ``course_key`` is no course key."""
    if not is_course_key(course_key):
        raise Unmappable("expected a course key such as course-v1:ORG+COURSE+RUN, found another text", "bad_course_key")
    if course_key.startswith("lib:"):
        return f"{root}/xblock/lb:{course_key.removeprefix('lib:')}:{block_type}:{name}"
    if "+" not in course_key:
        org, course, _ = course_key.split("/")
        name = name.removeprefix(_NO_WORD.sub("_", f"i4x-{org}-{course}-{block_type}-"))
        return f"{root}/xblock/i4x://{org}/{course}/{block_type}/{name}"
    namespace, _, rest = course_key.partition(":")
    return f"{root}/xblock/{_BLOCK_PREFIXES[namespace]}:{rest}+type@{block_type}+block@{name}"


def xblock_iri(root: str, usage_key: object) -> str | None:
    """``Root/xblock/<usage key>``; None without a key."""
    return absolute(root, "xblock", usage_key)


def named_in_referrer(referrer: object, block_type: str) -> str | None:
    """The block of this type that a page's address activates (``activate_block_id=``), if any."""
    found = _ACTIVATE_BLOCK.search(referrer) if isinstance(referrer, str) else None
    key = unquote_plus(found[1]) if found else ""
    return key if f"type@{block_type}+" in key or f"/{block_type}/" in key else None


def named_in_inputs(text: str) -> str | None:
    """The name of the problem in a browser's form data (``input_NAME_2_1=choice_0&...``)."""
    found = _INPUT.match(text)
    if found:
        return found[1]
    parts = text.split("_")
    return parts[1] if len(parts) > 1 and parts[1] else None
