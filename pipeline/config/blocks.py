"""The options of a block of the configuration, for errors, schema and page: their order, and the kind of each."""

from __future__ import annotations

import msgspec
from msgspec import inspect

from edx2lrs.transforms.families.declared_fields import struct_type


def options_of(block: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """The options of a block, in the order in which a person is told of them: first those that have to be given."""
    return tuple(sorted(struct_type(block).fields, key=lambda field: not field.required))


def kind_of_check(declared: inspect.Type) -> str | None:
    """The kind of check that a value gets (``pipeline.config.kind_table``)."""
    if isinstance(declared, inspect.Metadata):
        kind = (declared.extra or {}).get("kind")
        return kind if isinstance(kind, str) else kind_of_check(declared.type)
    if isinstance(declared, inspect.UnionType):
        return next((kind for kind in map(kind_of_check, declared.types) if kind), None)
    return None
