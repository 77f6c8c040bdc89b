"""The configuration as a JSON Schema (2020-12), for editors: ``docs/edx2lrs.schema.json``, made from ``transforms.config_types``.

What has to fit together (``pipeline.config.rules``) and what has to be there (secrets, tables) only ``edx2lrs check`` knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from msgspec import inspect

from edx2lrs.pipeline.config.blocks import kind_of_check, options_of
from edx2lrs.pipeline.config.kind_table import KINDS, TEXT
from edx2lrs.pipeline.config.reference import blocks, meaning_of, metadata, tag_of
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.families.declared_fields import members


def text() -> str:
    """The schema's file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema of the whole file."""
    structs = {struct.__name__: _block(struct) for _, struct in blocks("", Config)}
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "title": "edx2lrs configuration", "$ref": "#/$defs/Config", "$defs": structs}


def _block(struct: type[msgspec.Struct]) -> dict[str, Any]:
    fields = options_of(struct)
    tag_field, tag = tag_of(struct)
    described = {"description": " ".join((struct.__doc__ or "").split())}
    tagged = {tag_field: {"enum": [tag], **described, "examples": [tag]}} if tag_field else {}
    return {
        **described,
        "type": "object",
        "properties": {**tagged, **{field.name: dict(_property(field)) for field in fields}},
        "required": [*(tagged if fields else ()), *(field.name for field in fields if field.required)],
        "additionalProperties": False,
    }


def _property(field: inspect.Field) -> Iterator[tuple[str, Any]]:
    yield from _schema(field.type).items()
    description = meaning_of(field.type)
    if description:
        yield "description", description
    examples = metadata(field.type).get("examples")
    if examples:
        yield "examples", [yaml.safe_load(example) if isinstance(example, str) else example for example in examples]
    default = field.default
    if default not in (None, msgspec.NODEFAULT) and not isinstance(default, msgspec.Struct):
        yield "default", default


def _schema(declared: inspect.Type) -> dict[str, Any]:
    """What a value has to be. Nothing is written as null, so that "or None" is not said."""
    kind = kind_of_check(declared)
    if kind:
        return dict(KINDS[kind].schema)
    made = [_of_member(member) for member in members(declared)]
    return made[0] if len(made) == 1 else {"anyOf": made}


def _of_member(declared: inspect.Type) -> dict[str, Any]:
    if isinstance(declared, inspect.StructType):
        return {"$ref": f"#/$defs/{declared.cls.__name__}"}
    if isinstance(declared, inspect.LiteralType):
        return {"enum": list(declared.values)}
    if isinstance(declared, inspect.ListType):
        least = {"minItems": declared.min_length} if declared.min_length else {}
        return {"type": "array", "items": _schema(declared.item_type), **least}
    if isinstance(declared, inspect.StrType):
        return {"type": "string", "pattern": declared.pattern} if declared.pattern else TEXT
    if isinstance(declared, inspect.BoolType):
        return {"type": "boolean"}
    assert isinstance(declared, (inspect.IntType, inspect.FloatType))
    bounds = {"minimum": declared.ge, "exclusiveMinimum": declared.gt, "maximum": declared.le}
    name = "integer" if isinstance(declared, inspect.IntType) else "number"
    return {"type": name, **{key: bound for key, bound in bounds.items() if bound is not None}}
