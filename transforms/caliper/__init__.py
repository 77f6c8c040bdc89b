"""The Caliper mappings of all events, by the event's name. A new family is a module and a line here."""

from __future__ import annotations

from edx2lrs.transforms.caliper import completion, enrollment, exam, forum, grading, problem, video
from edx2lrs.transforms.caliper.event import CaliperMapping

MAPPINGS: dict[str, CaliperMapping] = {
    **completion.MAPPINGS,
    **enrollment.MAPPINGS,
    **exam.MAPPINGS,
    **forum.MAPPINGS,
    **grading.MAPPINGS,
    **problem.MAPPINGS,
    **video.MAPPINGS,
}
