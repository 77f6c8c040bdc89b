"""The translator as a library: one record in, its statements out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.line_events import events_of_line
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Outcome, Translator


def translate_record(record: bytes | Mapping[str, Any], translator: Translator) -> Outcome:
    """The statements of one tracking event. ``record`` is a line of a tracking log (with or without its prefix), a message of the
    event bus, or the same record as a dict, whose times may be datetimes. The result has all statements of the event or none; the
    statement about the whole comes before the statements about its parts.

    A ``Refusal`` says why there are no statements. None: the protocol has no mapping for events of this name. Never raises.
    """
    try:
        line = record if isinstance(record, bytes) else orjson.dumps(record)
    except TypeError as error:
        return Refusal("parse", "not_json", f"a record that is no JSON: {error}")
    found = events_of_line(line, translator.believed)
    event = found[0][1] if len(found) == 1 else parse(line, translator.believed)
    return event if isinstance(event, Refusal) else translator.translate(event)
