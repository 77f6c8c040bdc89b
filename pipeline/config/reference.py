"""The options' reference in ``docs/configuration.md``, made from ``transforms.config_types``, the one source of what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from edx2lrs.pipeline.config.blocks import kind_of_check, options_of
from edx2lrs.pipeline.config.kind_table import KINDS
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.families.declared_fields import members, struct_type
from edx2lrs.transforms.formats import durations


def reference() -> str:
    """All blocks of options as Markdown: a heading, a sentence and a table for each."""
    return "".join(_block(path, struct) for path, struct in blocks("", Config))


def blocks(path: str, struct: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Every block with its path, outer ones first."""
    yield path, struct
    for field in options_of(struct):
        mark = "[]" if any(isinstance(member, inspect.ListType) for member in members(field.type)) else ""
        for nested in _nested(field.type):
            yield from blocks(f"{path}.{field.name}{mark}".lstrip("."), nested)


def _block(path: str, struct: type[msgspec.Struct]) -> str:
    heading = f"### `{path}`" if path else "### The file"
    rows = "".join(_row(field) for field in options_of(struct))
    tag_field, tag = tag_of(struct)
    if tag_field:
        heading += f" with `{tag_field}: {tag}`"
        rows = f"| `{tag_field}` | `{tag}` | {'**required**' if rows else ''} | {struct.__doc__} |\n{rows}"
    return f"{heading}\n\n{struct.__doc__}\n\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n{rows}\n"


def _row(field: inspect.Field) -> str:
    schema = metadata(field.type)
    nested = _nested(field.type)
    meaning = meaning_of(field.type) or (nested[0].__doc__ if nested else "") or ""
    examples = "".join(f" Example: `{example}`." for example in schema.get("examples", ()))
    cells = (f"`{field.name}`", _value(field.type), _default(field), meaning + examples)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def tag_of(struct: type[msgspec.Struct]) -> tuple[str, str]:
    """The key that tells the blocks of a union apart, and its value for ``struct``; empty texts outside of unions."""
    declared = struct_type(struct)
    return declared.tag_field or "", str(declared.tag or "")


def metadata(declared: inspect.Type) -> dict[str, Any]:
    return (declared.extra_json_schema or {}) if isinstance(declared, inspect.Metadata) else {}


def _nested(declared: inspect.Type) -> list[type[msgspec.Struct]]:
    """The blocks that the value may be, or may be a list of."""
    found: list[type[msgspec.Struct]] = []
    for member in members(declared):
        if isinstance(member, inspect.StructType):
            found.append(member.cls)
        elif isinstance(member, inspect.ListType):
            found += _nested(member.item_type)
    return found


def meaning_of(declared: inspect.Type) -> str:
    """The option's description: its own, or its type's; with what its kind adds."""
    kind = kind_of_check(declared)
    said = metadata(declared).get("description") or _described(declared)
    return f"{said} {KINDS[kind].meaning}".strip() if kind else said


def _described(declared: inspect.Type) -> str:
    """The description of the type itself."""
    inner = declared.type if isinstance(declared, inspect.Metadata) else declared
    kinds = inner.types if isinstance(inner, inspect.UnionType) else (inner,)
    return next((metadata(kind).get("description", "") for kind in kinds if metadata(kind)), "")


def _value(declared: inspect.Type) -> str:
    kind = kind_of_check(declared)
    if kind:
        return KINDS[kind].words
    return " or ".join(dict.fromkeys(_word(member) for member in members(declared)))


def _word(declared: inspect.Type) -> str:
    if isinstance(declared, inspect.LiteralType):
        return ", ".join(f"`{value}`" for value in declared.values)
    if isinstance(declared, inspect.ListType):
        return "list of blocks" if _nested(declared) else f"list: {_value(declared.item_type)}"
    if isinstance(declared, inspect.IntType):
        return f"number {_range(declared)}".strip()
    words = {inspect.FloatType: "number", inspect.StrType: "text", inspect.StructType: "block", inspect.BoolType: "`true` or `false`"}
    return words[type(declared)]


def _range(declared: inspect.IntType) -> str:
    low = f"from {declared.ge:,}" if declared.ge is not None else ""
    return f"{low} to {declared.le:,}" if declared.le is not None else low


def _default(field: inspect.Field) -> str:
    if field.required:
        return "**required**"
    if field.default is None or field.default is msgspec.NODEFAULT or isinstance(field.default, msgspec.Struct):
        return ""
    if kind_of_check(field.type) == "seconds":
        return f"`{durations.written(field.default)}`"
    return f"`{str(field.default).lower()}`" if isinstance(field.default, bool) else f"`{field.default}`"
