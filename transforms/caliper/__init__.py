"""The Caliper mappings of all events, by the event's name. A new family is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from edx2lrs.transforms.caliper import (
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
from edx2lrs.transforms.caliper.event import CaliperMapping
from edx2lrs.transforms.own_events import Mappings

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
