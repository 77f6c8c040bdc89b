"""What both protocols share of video events: what they are about, and lengths of time in parts."""

from __future__ import annotations

from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.keys.usage_key import usage_key
from edx2lrs.transforms.mapping.rows import Unmappable
from edx2lrs.transforms.mapping.usage_key import block_iri, xblock_iri

_LONGEST = 86_400_000_000_000_000_000  # microseconds: a billion days


def clock(microseconds: int, expected: str) -> tuple[int, int, int, int, int]:
    """Days, hours, minutes, seconds and microseconds. Raises Unmappable (``expected``) below 0 and from a billion days on."""
    if not 0 <= microseconds < _LONGEST:
        raise Unmappable(expected, "out_of_range")
    seconds, fraction = divmod(microseconds, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return 0, 0, minutes, seconds, fraction
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return days, hours, minutes, seconds, fraction


@remembered(16_384, numbers=False)  # a site has few videos, and many events about each; 1 and 1.0 are other ids
def video_iri(root: str, course_key: str | None, video: object) -> str | None:
    """``Root/xblock/<usage key of the video>``; None without an id, or without a course where the id is no whole key."""
    video = video.strip() if type(video) is str else video
    if video is None or video == "":
        return None
    if not course_key:
        return xblock_iri(root, video) if type(video) is str and usage_key(video) else None
    if type(video) is float:
        video += 0.0  # -0.0 is 0.0
    return block_iri(root, course_key, "video", video if type(video) is str else str(video))
