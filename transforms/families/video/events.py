"""The video player. Most events have two names: the browser's old one and the one that mobile apps send."""

from __future__ import annotations

from edx2lrs.transforms.fields import EventData, Scalar, SourceEvent


class VideoData(EventData, gc=False):
    """``id`` is the block id of the video; ``duration`` its length in seconds."""

    id: Scalar = None
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


_MOMENT = SourceEvent("video", VideoMomentData)
_SEEK = SourceEvent("video", VideoSeekData)
_SPEED = SourceEvent("video", VideoSpeedData)
_LANGUAGE = SourceEvent("video", VideoLanguageData)

EVENTS = {
    "load_video": _MOMENT,
    "edx.video.loaded": _MOMENT,
    "play_video": _MOMENT,
    "edx.video.played": _MOMENT,
    "pause_video": _MOMENT,
    "edx.video.paused": _MOMENT,
    "stop_video": _MOMENT,
    "edx.video.stopped": _MOMENT,
    "complete_video": _MOMENT,
    "edx.video.completed": _MOMENT,
    "seek_video": _SEEK,
    "edx.video.position.changed": _SEEK,
    "hide_transcript": _MOMENT,
    "edx.video.transcript.hidden": _MOMENT,
    "show_transcript": _MOMENT,
    "edx.video.transcript.shown": _MOMENT,
    "video_hide_cc_menu": _MOMENT,
    "edx.video.closed_captions.hidden": _MOMENT,
    "video_show_cc_menu": _MOMENT,
    "edx.video.closed_captions.shown": _MOMENT,
    "speed_change_video": _SPEED,
    "edx.video.language_menu.shown": _LANGUAGE,
    "edx.video.language_menu.hidden": _LANGUAGE,
}
