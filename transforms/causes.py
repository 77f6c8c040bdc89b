"""The table of causes: why a record ends without a statement, and why a record or a statement is a dead letter.

The report and ``/metrics`` count by these words, dead letters hold them, and the pages list them. A new cause is a word in
``FilterReason`` or ``Cause``, a row here, and the place that finds the fault.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Stage = Literal["read", "parse", "filter", "match", "translate", "guard", "deliver"]
FilterReason = Literal[
    "page_request", "no_name", "unknown_event", "wrong_source", "not_allowed", "blocked", "nobody", "outside_time", "no_consumer",
]
"""Why a record was filtered: nothing is wrong with the record, and no dead letter is made."""
Cause = Literal[
    "unreadable", "not_a_log", "truncated_gzip", "corrupt_gzip", "truncated_zstd", "corrupt_zstd", "truncated_bzip2",
    "corrupt_bzip2", "truncated_xz", "corrupt_xz", "line_too_long", "bad_avro",
    "unknown_schema", "lost_at_source", "not_an_event", "not_utf8", "not_json", "too_deep", "wrong_type", "not_finite", "bad_text",
    "no_time", "bad_time", "forged", "crash", "missing", "out_of_range", "too_many", "bad_course_key", "unknown_user", "no_email",
    "no_actor", "invalid", "id_collision", "refused", "server_error", "outage", "damaged", "dropped", "unfit_for_aspects",
]
"""Why a record or a statement is a dead letter."""


FILE_CAUSES: frozenset[Cause] = frozenset(
    cause for cause in get_args(Cause) if cause in ("unreadable", "not_a_log") or cause.startswith(("truncated_", "corrupt_"))
)
"""The causes of a fault of a whole file, or of the rest of a file."""


ConsumerReason = Literal["not_entitled", "not_wanted"]
"""Why a record that passed the filter does not go to one consumer."""


class FilteredBy(NamedTuple):
    """Why records were filtered, in words that go on from "the record was filtered:"."""

    reason: FilterReason | ConsumerReason
    meaning: str
    advice: str


class DeadBy(NamedTuple):
    """What causes that mean at these stages, and what a person does about them."""

    stages: tuple[Stage, ...]
    causes: tuple[Cause, ...]
    meaning: str
    advice: str


FILTERED: tuple[FilteredBy, ...] = (
    FilteredBy("page_request", "its name is the path or address of a page", "nothing: the LMS writes such a record for each request"),
    FilteredBy("no_name", "it has no name", "nothing: without `name` and `event_type`, the record does not say what happened"),
    FilteredBy(
        "unknown_event",
        "no mapping knows events of this name (`edx2lrs events` prints those that are known)",
        "[add the event](adding-an-event.md), if a consumer needs the event",
    ),
    FilteredBy(
        "wrong_source",
        "its name is one that only servers emit, and a browser or an app posted it (`event_source`)",
        "nothing: a learner can post any name. `lms.posted_events: erb` believes such events",
    ),
    FilteredBy("not_allowed", "events.allow lacks its name", "change `events.allow`, if a consumer needs the event"),
    FilteredBy("blocked", "events.block has its name", "change `events.block`, if a consumer needs the event"),
    FilteredBy(
        "nobody", "it has neither a user nor a session", "nothing: no statement can be made of it, since nothing tells whom it is about"
    ),
    FilteredBy("outside_time", "its time is outside --since and --until", "run again with other times"),
    FilteredBy("no_consumer", "no consumer is to get it", "`edx2lrs explain` shows which rule of each consumer leaves the event out"),
)

FILTERED_FOR_ONE: tuple[FilteredBy, ...] = (
    FilteredBy("not_entitled", "the consumer's `access` does not open it to the consumer", "change `access`, if it may be seen"),
    FilteredBy("not_wanted", "the consumer may see it, and `match_params` do not ask for it", "change `match_params`, if it is wanted"),
)

DEAD: tuple[DeadBy, ...] = (
    DeadBy(
        ("read",), ("unreadable",),
        "the file could not be opened, or could not be read further. The file counts as one record",
        "repair the file or its access rights; a later run reads the file",
    ),
    DeadBy(("read",), ("not_a_log",), "the file is not a log (an image, a zip file ...)", "leave the file out of `--input`"),
    DeadBy(
        ("read",),
        (
            "truncated_gzip", "corrupt_gzip", "truncated_zstd", "corrupt_zstd", "truncated_bzip2", "corrupt_bzip2", "truncated_xz",
            "corrupt_xz",
        ),
        "the file ends too early, or is damaged from this position on. Everything before was read. The payload is the part of the cut "
        "line that was read",
        "copy the whole file again, and run the job over the file",
    ),
    DeadBy(
        ("read",), ("line_too_long",),
        "the line is longer than 4 MiB. Only its beginning is kept",
        "find the program that writes such lines",
    ),
    DeadBy(
        ("read",), ("not_an_event", "bad_avro", "unknown_schema"),
        "a message of the [event bus](event-bus.md) has no value, or is not Avro of the event, or has the schema of another event",
        "read the topic of tracking events; give the schema registry that the sender uses",
    ),
    DeadBy(
        ("read",), ("lost_at_source",),
        "messages were deleted or trimmed before they were read. The dead letter has their number, and no payload",
        "run the job over the tracking logs of that time; let the source keep messages for longer",
    ),
    DeadBy(
        ("parse",), ("not_utf8", "not_json", "too_deep", "not_an_event"),
        "the line is not a tracking event",
        "look at the payload; nothing is to be done for lines of other programs",
    ),
    DeadBy(
        ("parse",), ("wrong_type", "not_finite", "bad_text"),
        "a field that a mapping reads has another type, or is NaN or an infinity, or holds half of a surrogate pair",
        "correct the program that emits the event; the message names the field",
    ),
    DeadBy(
        ("parse",), ("no_time", "bad_time"),
        "the event has no time, or a time without a zone. Without a time, all such events of one person would have the same statement "
        "id. Without a zone, the moment is not known",
        "correct the program that emits the event",
    ),
    DeadBy(
        ("parse",), ("forged",),
        "a browser or an app posted a payload that names another person than the context does",
        "nothing: a learner tried to speak for somebody else, or the app is wrong. `lms.posted_events: erb` believes such payloads",
    ),
    DeadBy(
        ("parse", "filter", "match", "translate"), ("crash",),
        "an error of edx2lrs itself: the step raised an exception, or the process died three times with this record alone in its wave",
        "report the error with an invented record; replay with a version that corrects the error",
    ),
    DeadBy(
        ("translate",), ("missing", "wrong_type", "not_finite", "out_of_range", "bad_course_key", "no_time", "bad_time", "invalid"),
        "a value that the mapping needs is missing or cannot be used. The message names the value's field",
        "correct the program that emits the event",
    ),
    DeadBy(
        ("translate",), ("too_many",),
        "the event has more than 1,000 parts that get a statement each, such as the questions of a problem",
        "find out who sends such events: no problem has so many questions",
    ),
    DeadBy(("translate",), ("unknown_user",), "the table of external ids lacks this person", "replay with a newer export"),
    DeadBy(
        ("translate",), ("no_email",),
        "the consumer wants an e-mail address, and the table has no address for this person",
        "replay with an export that has addresses",
    ),
    DeadBy(
        ("translate",), ("no_actor",),
        "the event is of an anonymous visitor, and no `lms.id_key` is set",
        "set `lms.id_key` and replay, if visitors are wanted",
    ),
    DeadBy(
        ("translate",), ("unfit_for_aspects",),
        "the consumer has `dialect: aspects`, and the SQL of Aspects would refuse the whole insert for this statement: a graded answer "
        "without success or number of the attempt, a position of ten million seconds",
        "nothing: Aspects has no place for the event; other dialects take the event",
    ),
    DeadBy(
        ("guard",), ("invalid",),
        "the finished statement would break its standard. The message names the clause",
        "report the error with an invented record",
    ),
    DeadBy(
        ("guard",), ("id_collision",),
        "two different events have the same statement id (same person, verb and microsecond). This dead letter is the second event",
        "`statement_ids: strict` tells more events apart",
    ),
    DeadBy(
        ("deliver",), ("refused",),
        "the LRS refuses this statement and accepts others",
        "read the LRS's answer in `http_body`; replay when the LRS accepts such statements",
    ),
    DeadBy(
        ("deliver",), ("server_error",),
        "the LRS fails at this statement every time, and accepts others",
        "look at the LRS's log; replay when the LRS is repaired",
    ),
    DeadBy(
        ("deliver",), ("dropped",),
        "an operator dropped the statement, which waited (`edx2lrs waiting drop`). Nothing of it is kept but its place and its id",
        "nothing; `edx2lrs replay --again-from-source` makes the statement anew of its record, by today's configuration",
    ),
    DeadBy(
        ("deliver",), ("outage",),
        "the statement could not wait: the outbox was full, or `on_outage: dead_letter` is set",
        "replay when the consumer is back",
    ),
    DeadBy(
        ("read", "deliver"), ("damaged",),
        "the statement or the dead letter was damaged on the disk of the state directory. The dead letter has what could still be read",
        "look at the disk; replay what has a payload. For the rest, run the files again with another `--state`",
    ),
)
