"""Every event name that some mapping knows, and what may be read of it. A new family is a module and a line here.

``OWNERS``: the packages that events of their own come from (``transforms.families.packages``), by name. Importing this raises
OwnEventsError when one of these is wrong."""

from __future__ import annotations

from edx2lrs.transforms.families.completion import events as completion
from edx2lrs.transforms.families.enrollment import events as enrollment
from edx2lrs.transforms.families.exam import events as exam
from edx2lrs.transforms.families.forum import events as forum
from edx2lrs.transforms.families.grading import events as grading
from edx2lrs.transforms.families.navigation import events as navigation
from edx2lrs.transforms.families.packages import with_own_events
from edx2lrs.transforms.families.problem import events as problem
from edx2lrs.transforms.families.problem_help import events as problem_help
from edx2lrs.transforms.families.problem_progress import events as problem_progress
from edx2lrs.transforms.families.video import events as video
from edx2lrs.transforms.fields import SourceEvent

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
