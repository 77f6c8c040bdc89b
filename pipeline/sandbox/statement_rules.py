"""Which statements the sandbox accepts: statements without a fault by ``transforms/validation/xapi.py``. Also the types of parameters.

Recommendations of the specification are not checked.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from edx2lrs.transforms.formats.texts import TIMESTAMP, UUID
from edx2lrs.transforms.validation.violations import sentence
from edx2lrs.transforms.validation.xapi import statement_violations

Uuid = Annotated[str, Meta(pattern=rf"^{UUID}\Z")]
Timestamp = Annotated[str, Meta(pattern=rf"^{TIMESTAMP}\Z")]

# msgspec prepares a type at its first use. Two threads that prepare a type at once crash the interpreter, so it is done here.
for _type in (Uuid, Timestamp):
    msgspec.json.Decoder(_type)


def first_violation(statement: object) -> str | None:
    """The first fault of ``statement`` (decoded JSON), None when it is valid."""
    return next((sentence(violation) for violation in statement_violations(statement) if violation.required), None)
