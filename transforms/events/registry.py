"""Every event name that some mapping knows, and what may be read of it. A new family is a module and a line here.

``OWNERS``: the packages that events of their own come from (``transforms.own_events``), by name. Importing this raises
OwnEventsError when one of these is wrong."""

from __future__ import annotations

from edx2lrs.transforms.events import (
    completion,
    enrollment,
    exam,
    forum,
    grading,
    navigation,
    problem,
    problem_help,
    problem_progress,
    video,
)
from edx2lrs.transforms.events.fields import SourceEvent
from edx2lrs.transforms.own_events import with_own_events

_BUILT_IN: dict[str, SourceEvent] = {
    **completion.EVENTS,
    **enrollment.EVENTS,
    **exam.EVENTS,
    **forum.EVENTS,
    **grading.EVENTS,
    **navigation.EVENTS,
    **problem.EVENTS,
    **problem_help.EVENTS,
    **problem_progress.EVENTS,
    **video.EVENTS,
}
SOURCE_EVENTS, OWNERS = with_own_events(_BUILT_IN)
