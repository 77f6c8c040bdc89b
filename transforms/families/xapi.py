"""The xAPI mappings of all events, by the event's name. A new family is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from edx2lrs.transforms.config_types import ResponseFormat
from edx2lrs.transforms.families.completion import xapi as completion
from edx2lrs.transforms.families.enrollment import xapi as enrollment
from edx2lrs.transforms.families.exam import xapi as exam
from edx2lrs.transforms.families.forum import xapi as forum
from edx2lrs.transforms.families.grading import xapi as grading
from edx2lrs.transforms.families.navigation import xapi as navigation
from edx2lrs.transforms.families.packages import Mappings
from edx2lrs.transforms.families.problem import xapi as problem
from edx2lrs.transforms.families.problem_help import xapi as problem_help
from edx2lrs.transforms.families.problem_progress import xapi as problem_progress
from edx2lrs.transforms.families.video import xapi as video
from edx2lrs.transforms.mapping.xapi_statement import XapiMapping

_BUILT_IN: dict[str, XapiMapping] = {
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
MAPPINGS: Mapping[str, XapiMapping] = Mappings("xapi", XapiMapping, _BUILT_IN)


def mappings(response_format: ResponseFormat) -> Mapping[str, XapiMapping]:
    """``MAPPINGS``, or those whose responses have the formats of the interaction types; a package's own mapping stays."""
    if response_format == "erb":
        return MAPPINGS
    instead = problem.MAPPINGS_WITH_STANDARD_RESPONSES
    return {name: instead[name] if name in instead and MAPPINGS[name] is _BUILT_IN[name] else MAPPINGS[name] for name in MAPPINGS}
