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

from edx2lrs.pipeline.config.reference import blocks, described, fields_of, kind_of_check, metadata
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.families.declared_fields import members

_TEXT = {"type": "string", "minLength": 1}
_SCALAR = {"type": ["string", "number", "boolean"]}
_ONE_OR_MORE = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
_WISH = {
    "anyOf": [
        _SCALAR,
        {"type": "object", "properties": {"not": _ONE_OR_MORE}, "required": ["not"], "additionalProperties": False},
        {"type": "object", "properties": {"exists": {"type": "boolean"}}, "required": ["exists"], "additionalProperties": False},
    ]
}
_ADDRESS = {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/]"}
_REFERENCE = {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|secret://.+)$"}
_KINDS: dict[str, dict[str, Any]] = {
    "seconds": {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?\\s*(ms|s|m|h|d)$"},
        ]
    },
    "url": {"type": "string", "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://[^/]|file:///.|s3://[^/]|gs://[^/]|stdout:$)"},
    "root_url": {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^?#]*[^/?#]$"},
    "iri": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:\\S+$"},
    "reference": _REFERENCE,
    "header_reference": _REFERENCE,
    "table": _TEXT,
    "pem": _TEXT,
    "log": {"anyOf": [{"type": "boolean"}, _TEXT]},
    "folder": _TEXT,
    "pattern": _TEXT,
    "user": {"anyOf": [_TEXT, {"type": "integer", "minimum": 1}]},
    "match_params": {
        "type": "object",
        "additionalProperties": {"anyOf": [*_WISH["anyOf"], {"type": "array", "items": _WISH, "minItems": 1}]},
    },
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    "sites": {"type": "object", "additionalProperties": _ADDRESS},
    "override_args": {"type": "object"},
}


def text() -> str:
    """The schema's file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema of the whole file."""
    structs = {struct.__name__: _block(struct) for _, struct in blocks("", Config)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "edx2lrs configuration",
        "$ref": "#/$defs/Config",
        "$defs": structs,
    }


def _block(struct: type[msgspec.Struct]) -> dict[str, Any]:
    fields = fields_of(struct)
    return {
        "description": " ".join((struct.__doc__ or "").split()),
        "type": "object",
        "properties": {field.name: dict(_property(field)) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _property(field: inspect.Field) -> Iterator[tuple[str, Any]]:
    yield from _schema(field.type).items()
    description = metadata(field.type).get("description") or described(field.type)
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
        return _KINDS[kind]
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
        return {"type": "string", "pattern": declared.pattern} if declared.pattern else _TEXT
    if isinstance(declared, inspect.BoolType):
        return {"type": "boolean"}
    assert isinstance(declared, (inspect.IntType, inspect.FloatType))
    bounds = {"minimum": declared.ge, "exclusiveMinimum": declared.gt, "maximum": declared.le}
    name = "integer" if isinstance(declared, inspect.IntType) else "number"
    return {"type": name, **{key: bound for key, bound in bounds.items() if bound is not None}}
