"""The video player. Most events have two names: the browser's old name, and an alias that mobile apps send."""

from __future__ import annotations

from edx2lrs.transforms.fields import BlockKey, EventData, Scalar, SourceEvent


class VideoData(EventData, gc=False):
    """``id`` is the block id of the video; ``duration`` its length in seconds."""

    id: BlockKey = None
    duration: Scalar = None


class VideoMomentData(VideoData, gc=False):
    """With the player's position in seconds: mobile apps call it ``current_time``, browsers ``currentTime``."""

    current_time: Scalar = None
    currentTime: Scalar = None  # noqa: N815 -- the name in the record


class VideoSeekData(VideoData, gc=False):
    """From ``old_time`` to ``new_time``, in seconds."""

    old_time: Scalar = None
    new_time: Scalar = None
    currentTime: Scalar = None  # noqa: N815 -- the name in the record


class VideoSpeedData(VideoMomentData, gc=False):
    """From ``old_speed`` to ``new_speed``: factors, usually as text ("1.50")."""

    old_speed: Scalar = None
    new_speed: Scalar = None


class VideoLanguageData(VideoData, gc=False):
    """With the ``language`` that was chosen for the captions (``en``); only when the menu is hidden again."""

    language: Scalar = None


_OLD_FIELDS = {"module_id": "id"}  # mobile apps, in 2014

EVENTS = {
    "load_video": SourceEvent("video", VideoMomentData, aliases=("edx.video.loaded",), old_fields=_OLD_FIELDS),
    "play_video": SourceEvent("video", VideoMomentData, aliases=("edx.video.played",), old_fields=_OLD_FIELDS),
    "pause_video": SourceEvent("video", VideoMomentData, aliases=("edx.video.paused",), old_fields=_OLD_FIELDS),
    "stop_video": SourceEvent("video", VideoMomentData, aliases=("edx.video.stopped",), old_fields=_OLD_FIELDS),
    "complete_video": SourceEvent("video", VideoMomentData, aliases=("edx.video.completed",), old_fields=_OLD_FIELDS),
    "seek_video": SourceEvent("video", VideoSeekData, aliases=("edx.video.position.changed",), old_fields=_OLD_FIELDS),
    "hide_transcript": SourceEvent("video", VideoMomentData, aliases=("edx.video.transcript.hidden",), old_fields=_OLD_FIELDS),
    "show_transcript": SourceEvent("video", VideoMomentData, aliases=("edx.video.transcript.shown",), old_fields=_OLD_FIELDS),
    "video_hide_cc_menu": SourceEvent("video", VideoMomentData, aliases=("edx.video.closed_captions.hidden",), old_fields=_OLD_FIELDS),
    "video_show_cc_menu": SourceEvent("video", VideoMomentData, aliases=("edx.video.closed_captions.shown",), old_fields=_OLD_FIELDS),
    "speed_change_video": SourceEvent("video", VideoSpeedData, old_fields=_OLD_FIELDS),
    "edx.video.language_menu.shown": SourceEvent("video", VideoLanguageData, old_fields=_OLD_FIELDS),
    "edx.video.language_menu.hidden": SourceEvent("video", VideoLanguageData, old_fields=_OLD_FIELDS),
}
