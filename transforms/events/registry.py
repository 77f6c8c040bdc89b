"""Every event name that some mapping knows, and what may be read of it. A new family is a module and a line here."""

from __future__ import annotations

from edx2lrs.transforms.events import completion, enrollment, exam, forum, grading, problem, video
from edx2lrs.transforms.events.fields import SourceEvent

SOURCE_EVENTS: dict[str, SourceEvent] = {
    **completion.EVENTS,
    **enrollment.EVENTS,
    **exam.EVENTS,
    **forum.EVENTS,
    **grading.EVENTS,
    **problem.EVENTS,
    **video.EVENTS,
}
