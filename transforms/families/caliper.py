"""The Caliper mappings of all events, by the event's name. A new family is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from edx2lrs.transforms.families.completion import caliper as completion
from edx2lrs.transforms.families.enrollment import caliper as enrollment
from edx2lrs.transforms.families.exam import caliper as exam
from edx2lrs.transforms.families.forum import caliper as forum
from edx2lrs.transforms.families.grading import caliper as grading
from edx2lrs.transforms.families.navigation import caliper as navigation
from edx2lrs.transforms.families.packages import Mappings
from edx2lrs.transforms.families.problem import caliper as problem
from edx2lrs.transforms.families.problem_help import caliper as problem_help
from edx2lrs.transforms.families.problem_progress import caliper as problem_progress
from edx2lrs.transforms.families.video import caliper as video
from edx2lrs.transforms.mapping.caliper_event import CaliperMapping

_BUILT_IN: dict[str, CaliperMapping] = {
    **completion.MAPPINGS,
    **enrollment.MAPPINGS,
    **exam.MAPPINGS,
    **forum.MAPPINGS,
    **grading.MAPPINGS,
    **navigation.MAPPINGS,
    **problem.MAPPINGS,
    **problem_help.MAPPINGS,
    **problem_progress.MAPPINGS,
    **video.MAPPINGS,
}
MAPPINGS: Mapping[str, CaliperMapping] = Mappings("caliper", CaliperMapping, _BUILT_IN)
