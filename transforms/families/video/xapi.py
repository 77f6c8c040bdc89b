"""The video player as xAPI statements (terms of the xAPI video profile)."""

from __future__ import annotations

from edx2lrs.transforms.families.video.shared import clock, video_iri
from edx2lrs.transforms.formats.json_text import Json
from edx2lrs.transforms.formats.json_type import json_type
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.mapping import xapi_vocabulary as terms
from edx2lrs.transforms.mapping.rows import AS_ERB, ASPECTS, ERB, STANDARD, Constant, Row, Rows, Unmappable
from edx2lrs.transforms.mapping.values import milliseconds, milliseconds_of_aspects
from edx2lrs.transforms.mapping.xapi_statement import IN_COURSE, StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import context_extension, definition, result_extension

MAPPING_VERSION = 2


def position(current_time: object, browsers_current_time: object) -> Json | None:
    """Where the player is: the mobile apps' field or the browsers', whichever the event has."""
    value = browsers_current_time if current_time is None or current_time == "" else current_time
    if type(value) is float:  # nearly always; milliseconds would say the same
        return b"%.3f" % value
    return None if value is None or value == "" else milliseconds(value)


@remembered(4096)  # a video's length comes again with every event about it
def duration(value: object) -> Json:
    """Seconds as an ISO 8601 duration with hours and minutes where needed, of two digits: ``PT03M15S``, ``PT45.5S``."""
    expected = "expected a length from 0 seconds to a billion days, found another number"
    try:
        microseconds = round(float(milliseconds(value)) * 1_000_000)
    except OverflowError:
        raise Unmappable(expected, "out_of_range") from None
    days, hours, minutes, seconds_left, fraction = clock(microseconds, expected)
    text = f"P{days}DT" if days else "PT"
    if days or hours:
        text += f"{hours:02}H"
    if days or hours or minutes:
        text += f"{minutes:02}M"
    text += f"{seconds_left:02}"
    if fraction:
        text += f".{fraction:06}".rstrip("0")
    return f'"{text}S"'.encode()


def position_of_aspects(current_time: object, browsers_current_time: object) -> Json | None:
    """As ``position``, as the SQL of Aspects reads positions."""
    value = browsers_current_time if current_time is None or current_time == "" else current_time
    return None if value is None or value == "" else milliseconds_of_aspects(value)


def end(current_time: object, browsers_current_time: object, length: object) -> Json | None:
    """Where the player is at the end of a video: the video's length, where the event does not say."""
    found = position(current_time, browsers_current_time)
    return found or (None if length is None or length == "" else milliseconds(length))


def speed(value: object) -> str:
    """A factor as ``1.50x``."""
    if type(value) is bool:
        raise Unmappable(f"expected a number or a text, found {json_type(value)}")
    return f"{value}x"


MOMENT = ("data.current_time", "data.currentTime")
"""What ``position`` gets."""

ABOUT_THE_VIDEO: Rows = (
    Constant(("context", "contextActivities", "category"), terms.VIDEO_PROFILE, STANDARD),
    Row(("object", "id"), ("site.root", "course_id", "data.id"), video_iri, required=True),
    Constant(("object", "objectType"), "Activity"),
    Constant(definition("type"), terms.VIDEO),
    Row(context_extension(terms.VIDEO_LENGTH), "data.duration", milliseconds),
    Row(context_extension(terms.VIDEO_LENGTH), "data.duration", milliseconds_of_aspects, dialects=ASPECTS),
    *IN_COURSE,
)
AT_A_MOMENT: Rows = (
    *ABOUT_THE_VIDEO,
    Row(result_extension(terms.VIDEO_TIME), MOMENT, position),
    Row(result_extension(terms.VIDEO_TIME), MOMENT, position_of_aspects, dialects=ASPECTS),
)


def captions(shown: bool) -> Rows:
    """Whether captions are shown: the profile's text and the profile's templates have a key each. ``und`` is the tag of a language
    that is not told (BCP 47)."""
    return (
        Constant(result_extension(terms.VIDEO_CC_ENABLED), shown, AS_ERB),
        Constant(context_extension(terms.VIDEO_CC_ENABLED), shown, STANDARD),
        Constant(context_extension(terms.VIDEO_CC_SUBTITLE_ENABLED), shown, STANDARD),
        Constant(context_extension(terms.VIDEO_CC_SUBTITLE_LANGUAGE), "und", STANDARD),
    )


CAPTIONS_ON: Rows = (*AT_A_MOMENT, *captions(True))
CAPTIONS_OFF: Rows = (*AT_A_MOMENT, *captions(False))
COMPLETE: Rows = (
    *ABOUT_THE_VIDEO,
    Constant(("result", "completion"), True),
    Row(("result", "duration"), "data.duration", duration, dialects=AS_ERB),  # the profile: the time spent, which no event tells
    Row(result_extension(terms.VIDEO_TIME), "data.duration", milliseconds, dialects=ERB),
    Row(result_extension(terms.VIDEO_TIME), "data.duration", milliseconds_of_aspects, dialects=ASPECTS),
    Row(result_extension(terms.VIDEO_TIME), (*MOMENT, "data.duration"), end, dialects=STANDARD),
)
SEEK: Rows = (
    *ABOUT_THE_VIDEO,
    Row(result_extension(terms.VIDEO_TIME_FROM), "data.old_time", milliseconds),
    Row(result_extension(terms.VIDEO_TIME_TO), "data.new_time", milliseconds),
    Row(result_extension(terms.VIDEO_TIME_FROM), "data.old_time", milliseconds_of_aspects, dialects=ASPECTS),
    Row(result_extension(terms.VIDEO_TIME_TO), "data.new_time", milliseconds_of_aspects, dialects=ASPECTS),
)
SPEED: Rows = (
    *ABOUT_THE_VIDEO,
    Row(result_extension(terms.SPEED_FROM), "data.old_speed", speed),
    Row(result_extension(terms.SPEED_TO), "data.new_speed", speed),
    Row(result_extension(terms.VIDEO_TIME), MOMENT, position, dialects=STANDARD),
    Row(context_extension(terms.VIDEO_SPEED), "data.new_speed", speed, dialects=STANDARD),
)

MAPPINGS = {
    "load_video": StatementMapping(terms.INITIALIZED, ABOUT_THE_VIDEO),
    "play_video": StatementMapping(terms.PLAYED, AT_A_MOMENT),
    "pause_video": StatementMapping(terms.PAUSED, AT_A_MOMENT),
    "stop_video": StatementMapping(terms.TERMINATED, AT_A_MOMENT),
    "complete_video": StatementMapping(terms.COMPLETED, COMPLETE),
    "seek_video": StatementMapping(terms.SEEKED, SEEK),
    "show_transcript": StatementMapping(terms.INTERACTED, CAPTIONS_ON),
    "video_show_cc_menu": StatementMapping(terms.INTERACTED, CAPTIONS_ON),
    "hide_transcript": StatementMapping(terms.INTERACTED, CAPTIONS_OFF),
    "video_hide_cc_menu": StatementMapping(terms.INTERACTED, CAPTIONS_OFF),
    "speed_change_video": StatementMapping(terms.INTERACTED, SPEED),
}
