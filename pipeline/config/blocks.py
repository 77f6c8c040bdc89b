"""The options of a block of the configuration, in the order in which a person is told of them: in errors, schema and page."""

from __future__ import annotations

import msgspec
from msgspec import inspect

from edx2lrs.transforms.families.declared_fields import struct_type


def options_of(block: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """The options of a block; first those that have to be given."""
    return tuple(sorted(struct_type(block).fields, key=lambda field: not field.required))
