"""The fields that may be read of a record, one by one, as the events' types declare them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import msgspec
from msgspec import inspect


class DeclaredField(NamedTuple):
    """``path``: from the top of the struct's JSON, dotted, ``*`` for the keys or places of a map or list. ``attributes``: the
    same way through the decoded structs. ``owner``: the struct that declares it."""

    path: str
    attributes: tuple[str, ...]
    owner: type[msgspec.Struct]
    type: inspect.Type

    @property
    def key(self) -> str:
        """The field in the lists of ``transforms.privacy.personal_fields``."""
        return field_key(self.owner, next(name for name in reversed(self.attributes) if name != "*"))


def field_key(owner: type[msgspec.Struct], name: str) -> str:
    """``forum.ForumData.title``, ``fields.Context.session``, ``record.name`` (the top), ``other_package.events.Struct.name``."""
    if owner.__module__ == "edx2lrs.transforms.records.parse":
        return f"record.{name}"
    module = owner.__module__
    if module.startswith("edx2lrs.transforms."):
        module = module.removeprefix("edx2lrs.transforms.").removeprefix("families.").removesuffix(".events")
    return f"{module}.{owner.__name__}.{name}"


@cache
def struct_type(struct: type[msgspec.Struct]) -> inspect.StructType:
    """The description of ``struct``, with its fields."""
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    return described


def structs_of(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """``struct``, and the structs within it at any depth."""
    yield struct
    for field in struct_type(struct).fields:
        for nested, _, _ in _structs(field.type, "", ()):
            yield from structs_of(nested)


def own_fields(struct: type[msgspec.Struct]) -> Iterator[tuple[type[msgspec.Struct], str]]:
    """Each field's name in the record, with the struct in whose body it stands."""
    for field in msgspec.structs.fields(struct):
        yield _owner(struct, field.name), field.encode_name


def declared_fields(struct: type[msgspec.Struct], path: str = "", attributes: tuple[str, ...] = ()) -> Iterator[DeclaredField]:
    """All fields of ``struct`` and of the structs within it, in their order. A field that can only be a struct is the fields of
    that; one that is a map of structs is its keys (``answers.*``) and the fields of these."""
    for field in struct_type(struct).fields:
        here = f"{path}.{field.encode_name}".lstrip(".")
        way = (*attributes, field.name)
        structs = list(_structs(field.type, here, way))
        if not structs or any(not isinstance(kind, _CONTAINERS) for kind in members(field.type)):
            yield DeclaredField(here, way, _owner(struct, field.name), field.type)
        for nested, below, further in structs:
            if below.endswith(".*") and any(isinstance(kind, inspect.DictType) for kind in members(field.type)):
                yield DeclaredField(below, further, _owner(struct, field.name), inspect.StrType())
            yield from declared_fields(nested, below, further)


def members(declared: inspect.Type) -> tuple[inspect.Type, ...]:
    """The type, or the types of a union, without metadata and without None."""
    if isinstance(declared, inspect.Metadata):
        return members(declared.type)
    if isinstance(declared, inspect.UnionType):
        return tuple(found for each in declared.types for found in members(each))
    return () if isinstance(declared, inspect.NoneType) else (declared,)


_CONTAINERS = (inspect.StructType, inspect.DictType, inspect.ListType)


def _structs(declared: inspect.Type, path: str, way: tuple[str, ...]) -> Iterator[tuple[type[msgspec.Struct], str, tuple[str, ...]]]:
    """The structs that a value of the type is or holds, each with its place."""
    for kind in members(declared):
        if isinstance(kind, inspect.StructType):
            yield kind.cls, path, way
        elif isinstance(kind, inspect.DictType):
            yield from _structs(kind.value_type, f"{path}.*", (*way, "*"))
        elif isinstance(kind, inspect.ListType):
            yield from _structs(kind.item_type, f"{path}.*", (*way, "*"))


def _owner(struct: type[msgspec.Struct], name: str) -> type[msgspec.Struct]:
    """The struct in whose body the field stands."""
    return next(each for each in struct.__mro__ if name in vars(each).get("__annotations__", {}))
