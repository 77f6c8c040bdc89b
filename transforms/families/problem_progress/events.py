"""How far a learner is with a problem, as the gradebook and mobile apps tell: points for an answer, and that it is done."""

from __future__ import annotations

from edx2lrs.transforms.event_sources import SITE
from edx2lrs.transforms.families.problem.events import ProblemContext, ProblemData
from edx2lrs.transforms.fields import Scalar, SourceEvent


class ProblemPointsData(ProblemData, gc=False):
    """Points, weighted as the problem's author said."""

    weighted_earned: Scalar = None
    weighted_possible: Scalar = None


EVENTS = {
    "edx.grades.problem.submitted": SourceEvent("problem_progress", ProblemPointsData, ProblemContext, sources=SITE),
    "edx.problem.completed": SourceEvent("problem_progress", ProblemData, ProblemContext),
}
