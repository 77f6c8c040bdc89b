"""What is known about personal data in the declared fields and in the keys of statements: two reviewed lists.

``edx2lrs lint-fields`` refuses every name that resembles personal data and stands in neither list. The key of a field is its struct
(``module.Struct.field``, the module below ``edx2lrs.transforms.families``). The key of a statement's key is its protocol and family
(``xapi.forum: email``). A package of own events has its own lists, ``PERSONAL`` and ``NOT_PERSONAL`` in its ``events`` module.
"""

from __future__ import annotations

from collections.abc import Mapping

PERSONAL: Mapping[str, str] = {
    "exam.ExamData.attempt_code": "stands for one attempt of one person",
    "exam.ExamData.attempt_id": "stands for one attempt of one person",
    "fields.Context.enterprise_uuid": "with whom the person learns: an employer, perhaps",
    "fields.Context.user_id": "who; becomes the actor's id and goes nowhere itself",
    "fields.Context.username": "who; becomes the actor's id and goes nowhere itself",
    "fields.Context.session": "tells sessions of one person apart; a hash that the LMS makes",
    "fields.Context.referer": "the page that the person came from",
    "fields.EventData.user_id": "who; becomes the actor's id and goes nowhere itself",
    "fields.EventData.username": "who; becomes the actor's id and goes nowhere itself",
    "fields.SubmittedText.text": "the answers; only the name of the input is used",
    "navigation.LinkData.current_url": "the page that the person was on",
    "navigation.LinkData.target_name": "the text of the link that the person followed: a person's name, perhaps",
    "navigation.LinkData.target_url": "the page that the person went to; without passwords and tokens",
    "record.username": "who; becomes the actor's id and goes nowhere itself",
    "record.session": "tells sessions of one person apart; a hash that the LMS makes",
    "record.referer": "the page that the person came from",
}
"""Fields that tell who somebody is, or what they wrote or looked at, and what is done with them. What learners write is known
from the mappings' rows too (``free_text``)."""

NOT_PERSONAL: Mapping[str, str] = {}
"""Names that resemble personal data and are none, and why."""
