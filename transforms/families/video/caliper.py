"""The video player as Caliper media events (Caliper 1.2, Media Profile)."""

from __future__ import annotations

from edx2lrs.transforms.families.video.shared import clock, video_iri
from edx2lrs.transforms.formats.json_text import Json
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.mapping import caliper_vocabulary as terms
from edx2lrs.transforms.mapping.caliper_event import IN_COURSE, EventMapping, is_part_of
from edx2lrs.transforms.mapping.rows import AS_ERB, STANDARD, Constant, Row, Rows, Unmappable
from edx2lrs.transforms.mapping.values import seconds

MAPPING_VERSION = 2
_MINUTE, _HOUR = 60_000_000, 3_600_000_000  # microseconds


def duration(value: object) -> Json:
    """Seconds as an ISO 8601 duration, exact to the microsecond: ``PT3M15.6S``, ``P0D`` for 0."""
    expected = "expected a number of seconds from 0 to a billion days, found another one"
    try:
        microseconds = round((value if type(value) is float else seconds(value)) * 1_000_000)
    except OverflowError:
        raise Unmappable(expected, "out_of_range") from None
    if 0 < microseconds < _HOUR and microseconds % _MINUTE:  # nearly always; the rest would say the same, slower
        minutes, left = divmod(microseconds, _MINUTE)
        text = f"{left / 1_000_000:.6f}".rstrip("0").rstrip(".")
        return (f'"PT{minutes}M{text}S"' if minutes else f'"PT{text}S"').encode()
    days, hours, minutes, seconds_left, fraction = clock(microseconds, expected)
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if fraction:
        time += f"{seconds_left}.{fraction:06}".rstrip("0") + "S"
    elif seconds_left:
        time += f"{seconds_left}S"
    date = f"{days}D" if days or not time else ""
    return (f'"P{date}T{time}"' if time else f'"P{date}"').encode()


length = remembered(4096)(duration)
"""The duration of a video, which comes again with every event about it."""


def position(browsers_current_time: object, current_time: object) -> Json | None:
    """Where the player is: the browsers' field or the mobile apps', whichever the event has."""
    value = current_time if browsers_current_time is None or browsers_current_time == "" else browsers_current_time
    return None if value is None or value == "" else duration(value)


def language_menu_iri(root: str, course_key: str | None, video: object) -> str | None:
    """The menu of a video's languages: ``<video>#language_menu``."""
    iri = video_iri(root, course_key, video)
    return f"{iri}#language_menu" if iri else None


def location(video: str | None, browsers_current_time: object, current_time: object) -> Json | None:
    """The position in a video, under an id of its own: ``<video>?t=321.5``; None where the record does not say where the player is
    (Caliper 1.2, MediaLocation). ``video`` is an IRI, so there is nothing to escape."""
    value = current_time if browsers_current_time is None or browsers_current_time == "" else browsers_current_time
    if video is None or value is None or value == "":
        return None
    at = repr(value if type(value) is float else seconds(value)).removesuffix(".0")
    return b'{"id":"%b?t=%b","type":"MediaLocation","currentTime":%b}' % (video.encode(), at.encode(), duration(value))


THE_VIDEO: Rows = (
    Row(("object", "id"), ("site.root", "course_id", "data.id"), video_iri, required=True),
    Constant(("object", "type"), terms.VIDEO_OBJECT),
    Row(("object", "duration"), "data.duration", length),
    *IN_COURSE,
)
ABOUT_THE_VIDEO: Rows = (
    *THE_VIDEO,
    Constant(("profile",), terms.MEDIA_PROFILE, STANDARD),
    Constant(("target", "id"), "_:MediaLocation", AS_ERB),
    Constant(("target", "type"), terms.MEDIA_LOCATION, AS_ERB),
)
AT_A_MOMENT: Rows = (
    *ABOUT_THE_VIDEO,
    Row(("target", "currentTime"), ("data.currentTime", "data.current_time"), position, dialects=AS_ERB),
    Row(("target",), ("object.id", "data.currentTime", "data.current_time"), location, dialects=STANDARD),
)
SEEK: Rows = (
    *ABOUT_THE_VIDEO,
    Row(("target", "currentTime"), ("data.currentTime", "data.old_time"), position, dialects=AS_ERB),
    Row(("target", "extensions", "newTime"), "data.new_time", duration, dialects=AS_ERB),
    Row(("target",), ("object.id", "data.currentTime", "data.old_time"), location, dialects=STANDARD),
    Row(("extensions", "newTime"), "data.new_time", duration, dialects=STANDARD),
)
SPEED: Rows = (*AT_A_MOMENT, Row(("extensions", "oldSpeed"), "data.old_speed"), Row(("extensions", "newSpeed"), "data.new_speed"))
LANGUAGE_MENU: Rows = (
    Constant(("profile",), terms.GENERAL_PROFILE),  # the Media Profile has no action for parts of the player
    Row(("group",), "course.id", is_part_of),
    *THE_VIDEO,
    Row(("target", "id"), ("site.root", "course_id", "data.id"), language_menu_iri, required=True),
    Constant(("target", "type"), terms.DIGITAL_RESOURCE),
    Row(("extensions", "language"), "data.language"),
)

MAPPINGS = {
    "load_video": EventMapping(terms.MEDIA_EVENT, terms.STARTED, AT_A_MOMENT),
    "play_video": EventMapping(terms.MEDIA_EVENT, terms.RESUMED, AT_A_MOMENT),
    "pause_video": EventMapping(terms.MEDIA_EVENT, terms.PAUSED, AT_A_MOMENT),
    "stop_video": EventMapping(terms.MEDIA_EVENT, terms.ENDED, AT_A_MOMENT),
    "complete_video": EventMapping(terms.MEDIA_EVENT, terms.ENDED, AT_A_MOMENT),
    "seek_video": EventMapping(terms.MEDIA_EVENT, terms.JUMPED_TO, SEEK),
    "show_transcript": EventMapping(terms.MEDIA_EVENT, terms.ENABLED_CLOSED_CAPTIONING, AT_A_MOMENT),
    "video_show_cc_menu": EventMapping(terms.MEDIA_EVENT, terms.ENABLED_CLOSED_CAPTIONING, AT_A_MOMENT),
    "hide_transcript": EventMapping(terms.MEDIA_EVENT, terms.DISABLED_CLOSED_CAPTIONING, AT_A_MOMENT),
    "video_hide_cc_menu": EventMapping(terms.MEDIA_EVENT, terms.DISABLED_CLOSED_CAPTIONING, AT_A_MOMENT),
    "speed_change_video": EventMapping(terms.MEDIA_EVENT, terms.CHANGED_SPEED, SPEED),
    "edx.video.language_menu.shown": EventMapping(terms.EVENT, terms.SHOWED, LANGUAGE_MENU),
    "edx.video.language_menu.hidden": EventMapping(terms.EVENT, terms.HID, LANGUAGE_MENU),
}
