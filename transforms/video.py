"""What a video event is about, in the same way for both protocols."""

from __future__ import annotations

from edx2lrs.transforms.usage_key import block_iri


def video_iri(root: str, course_key: str | None, video: object) -> str | None:
    """``Root/xblock/<usage key of the video>``; None without a course or an id."""
    if not course_key or video is None or video == "":
        return None
    return block_iri(root, course_key, "video", video if type(video) is str else str(video))
