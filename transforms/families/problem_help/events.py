"""Help with a problem: a learner looks at its answer, or at one of its hints."""

from __future__ import annotations

from edx2lrs.transforms.event_sources import SITE
from edx2lrs.transforms.families.problem.events import ProblemContext, ProblemData
from edx2lrs.transforms.fields import Scalar, SourceEvent


class HintShownData(ProblemData, gc=False):
    """``hint_index``: which of the problem's hints, from 0."""

    hint_index: Scalar = None


EVENTS = {
    "showanswer": SourceEvent("problem_help", ProblemData, ProblemContext, aliases=("show_answer",), sources=SITE),
    "edx.problem.hint.demandhint_displayed": SourceEvent("problem_help", HintShownData, ProblemContext, sources=SITE),
}
