"""What a problem_check event is about, in the same way for both protocols."""

from __future__ import annotations

from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.problem.events import ProblemCheckData, ProblemContext, Submission
from edx2lrs.transforms.fields import EventData, SubmittedText
from edx2lrs.transforms.mapping.rows import Unmappable
from edx2lrs.transforms.mapping.usage_key import block_iri, named_in_inputs, named_in_referrer
from edx2lrs.transforms.mapping.values import absolute


def problem_iri(root: str, data: EventData, context: ProblemContext, course_key: str | None, referrer: object) -> str | None:
    """``Root/xblock/<usage key of the problem>``. A browser names the problem in the form data that it sends; where that does not
    help, the page's address may. A server names it in the payload, else in ``context.module``."""
    if isinstance(data, ProblemCheckData):
        key = data.problem_id or data.module_id or (context.module.usage_key if context.module else None)
        if key:
            return f"{root}/xblock/{key}"
    elif isinstance(data, SubmittedText) and course_key:
        name = named_in_inputs(data.text)
        if name:
            return block_iri(root, course_key, "problem", name)
    return absolute(root, "xblock", named_in_referrer(referrer, "problem"))


def kind(event: Event) -> str:
    """``submitted``: a browser sent answers. ``graded_question`` or ``graded_group``: the server judged one question, or several;
    ``graded``: the record does not tell about questions.

    Raises Unmappable where a server's payload is a text."""
    if event.source == "browser":
        return "submitted"
    data = event.data
    if not isinstance(data, ProblemCheckData):
        raise Unmappable("data: expected an object, found a text; only browsers send one")
    if data.submission and len(data.submission) > 1:
        return "graded_group"
    return "graded" if only_submission(event) is None else "graded_question"


def submissions(event: Event) -> list[tuple[str, Submission]]:
    """The questions of a problem, each by its input id (``NAME_2_1``), in their order."""
    submitted = getattr(event.data, "submission", None) or {}
    return [(key, submission or Submission()) for key, submission in submitted.items()]


def only_submission(event: Event) -> Submission | None:
    """The answer to the only question of a problem, when the record says what kind of answer it is."""
    submitted = getattr(event.data, "submission", None)
    if not submitted or len(submitted) > 1:
        return None
    (submission,) = submitted.values()
    return submission if submission is not None and submission.response_type else None
