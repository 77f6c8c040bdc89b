"""From a tree of YAML to typed options: every value against the type that ``transforms.config_types`` declares."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from edx2lrs.io.paths import folder_of
from edx2lrs.pipeline.config.blocks import kind_of_check, options_of
from edx2lrs.pipeline.config.faults import UNUSABLE, ConfigFault, Misfit, nearest
from edx2lrs.pipeline.config.kind_table import KINDS
from edx2lrs.pipeline.config.needs import CHECKS as NEEDED
from edx2lrs.pipeline.config.needs import Need
from edx2lrs.pipeline.config.yaml_nodes import Node, joined
from edx2lrs.transforms.config_types import Tls
from edx2lrs.transforms.families.declared_fields import members
from edx2lrs.transforms.formats.unfit import UnfitError, kind_of


class Given(NamedTuple):
    """What a block holds: its known keys with their lines, and the paths of values so far that are wrong (defaults stand there)."""

    path: str
    lines: dict[str, int]
    broken: frozenset[str]

    def __contains__(self, key: object) -> bool:
        return key in self.lines

    def wrong(self, key: str) -> bool:
        """Whether the value at ``key``, relative to the block, is there and wrong."""
        return joined(self.path, key) in self.broken


BlockCheck = Callable[[Any, Given], Iterator[Misfit]]


class TreeReader:
    """Reads nodes as typed values. What does not fit becomes a fault, and its default (else UNUSABLE) in its place.

    ``needs``: secrets and files that the values name. ``folder``: where relative paths start. ``checks`` judge a block by its type."""

    def __init__(self, file: str, checks: Mapping[type, BlockCheck]) -> None:
        self.faults: list[ConfigFault] = []
        self.needs: list[Need] = []
        self._lines: dict[str, int] = {}
        self._broken: set[str] = set()
        self._file = file
        self.folder = folder_of(file)
        self._checks = checks

    def fault(self, line: int, key: str, found: str, expected: str = "", fix: str = "") -> None:
        """Notes what is wrong at a place."""
        self.faults.append(ConfigFault(self._file, line, key, found, expected, fix))

    def block(self, node: Node, struct: type[msgspec.Struct], key: str) -> Any:
        """The mapping ``node`` as ``struct``; UNUSABLE when it is no mapping."""
        fields = {field.name: field for field in options_of(struct)}
        if not isinstance(node.value, dict):
            self.fault(node.line, key, kind_of(node.value), f"a mapping with the keys {', '.join(fields)}")
            return UNUSABLE
        for name, entry in node.value.items():
            if name not in fields:
                self.fault(entry.line, joined(key, name), "unknown key", fix=nearest(name, fields))
        values = {}
        for name, field in fields.items():
            path = joined(key, name)
            entry_found = node.value.get(name)
            if entry_found is not None:
                self._lines[path] = entry_found.line
                # A value that starts further down (a list, a mapping) is named by the line of its key.
                value = self.value(Node(entry_found.node.value, entry_found.line), field.type, path)
                if value is UNUSABLE:
                    self._broken.add(path)
                if value is not UNUSABLE or field.required:
                    values[name] = value
            elif field.required:
                self._missing(node.line, path, field.type)
                values[name] = UNUSABLE
        made = struct(**values)
        if struct in self._checks:
            lines = {name: entry.line for name, entry in node.value.items()}
            for misfit in self._checks[struct](made, Given(key, lines, frozenset(self._broken))):
                path = joined(key, misfit.key) if misfit.key else key
                self.fault(self._line_of(path, node.line), path, misfit.found, misfit.expected, misfit.fix)
        if isinstance(made, Tls):
            self.needs += _needs_of_tls(made, key, self._line_of)
        return made

    def _line_of(self, path: str, otherwise: int) -> int:
        """The line of a key, or of the nearest one above it that was written."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path.rpartition(".")[0] if "." in path else ""
        return otherwise

    def _missing(self, line: int, path: str, declared: inspect.Type) -> None:
        if path.endswith(".access"):
            fix = "to let the consumer see everything, write access: all"
            self.fault(line, path, "nothing", "access with a rule, such as orgs, or access: all", fix)
        else:
            self.fault(line, path, "nothing", _expected(_plain(declared)[0]), "this key has to be given")

    def value(self, node: Node, declared: inspect.Type, key: str) -> Any:
        """The node as the declared type, or UNUSABLE with a fault."""
        plain, kind = _plain(declared)
        try:
            if kind is not None:
                read = KINDS[kind].read(node, key, self)
                if kind in NEEDED:
                    self.needs.append(Need(node.line, key, kind, str(read)))
                return read
            if isinstance(plain, inspect.StructType):
                return self.block(node, plain.cls, key)
            if isinstance(plain, inspect.UnionType):
                variants = {str(each.tag): each for each in plain.types if isinstance(each, inspect.StructType) and each.tag_field}
                return self._variant(node, variants, key) if variants else self._union(node, plain, key)
            if isinstance(plain, inspect.ListType):
                return self._list(node, plain, key)
            return _scalar(node.value, plain, shown="auth" not in key.split("."))
        except UnfitError as unfit:
            self.fault(node.line, key, unfit.found, unfit.expected, unfit.fix)
            return UNUSABLE

    def _union(self, node: Node, union: inspect.UnionType, key: str) -> Any:
        """A mapping where one of the types is a block, else the other type."""
        for member in union.types:
            if isinstance(node.value, dict) == isinstance(member, inspect.StructType):
                if isinstance(member, inspect.LiteralType) and node.value not in member.values:
                    break
                return self.value(node, member, key)
        raise UnfitError(kind_of(node.value), " or ".join(_expected(member) for member in union.types))

    def _variant(self, node: Node, variants: Mapping[str, inspect.StructType], key: str) -> Any:
        """The mapping ``node`` as the struct that its tag names; without a tag, as the struct without keys."""
        tag_field = next(iter(variants.values())).tag_field or ""
        fields = {field.name: (tag, field) for tag, struct in variants.items() for field in struct.fields}
        if not isinstance(node.value, dict):
            raise UnfitError(kind_of(node.value), f"a mapping with the keys {', '.join((tag_field, *fields))}")
        tag: Any = next(tag for tag, struct in variants.items() if not struct.fields)
        written = node.value.get(tag_field)
        if written is not None:
            tag = self.value(Node(written.node.value, written.line), inspect.LiteralType(tuple(variants)), joined(key, tag_field))
        own = {field.name: field for field in variants[tag].fields} if tag is not UNUSABLE else {}
        values = {}
        for name, entry in node.value.items():
            path = joined(key, name)
            if name == tag_field:
                continue
            if name not in fields:
                self.fault(entry.line, path, "unknown key", fix=nearest(name, (tag_field, *fields)))
                continue
            self._lines[path] = entry.line
            values[name] = self.value(Node(entry.node.value, entry.line), fields[name][1].type, path)
            if tag is not UNUSABLE and name not in own:
                found = f"{name} with {tag_field} {tag}" if written is not None else f"{name} without a {tag_field}"
                self.fault(entry.line, path, found, f"{tag_field}: {fields[name][0]}")
        if tag is UNUSABLE:
            return UNUSABLE
        for name, field in own.items():
            if name not in values and field.required:
                needs = " and ".join(each.name for each in own.values() if each.required)
                self.fault(node.line, joined(key, name), "nothing", _expected(field.type), f"{tag_field} {tag} needs {needs}")
                values[name] = UNUSABLE
        return variants[tag].cls(**{name: values[name] for name in own if name in values})

    def _list(self, node: Node, declared: inspect.ListType, key: str) -> Any:
        if not isinstance(node.value, list):
            fix = "write it as [ ... ], or with a hyphen before each item" if node.value is not None else ""
            raise UnfitError(kind_of(node.value), "a list", fix)
        if len(node.value) < (declared.min_length or 0):
            raise UnfitError("an empty list", "at least one item")
        items = []
        for index, item in enumerate(node.value):
            path = f"{key}[{index}]"
            self._lines[path] = item.line
            items.append(self.value(item, declared.item_type, path))
        return items


def _needs_of_tls(tls: Tls, key: str, line_of: Callable[[str, int], int]) -> Iterator[Need]:
    if tls.ca is not None:
        yield Need(line_of(f"{key}.ca", 0), f"{key}.ca", "authorities", tls.ca)
    if tls.cert is not None:
        yield Need(line_of(f"{key}.cert", 0), f"{key}.cert", "certificate", tls.cert, tls.key)


def _plain(declared: inspect.Type) -> tuple[inspect.Type, str | None]:
    """The type without metadata and without "or None" (nothing is written as null here), and its kind."""
    types = members(declared)
    return types[0] if len(types) == 1 else inspect.UnionType(types), kind_of_check(declared)


def _expected(declared: inspect.Type) -> str:
    """What has to be written, in words."""
    declared, kind = _plain(declared)
    if isinstance(declared, inspect.LiteralType):
        return " or ".join(str(value) for value in declared.values)
    if isinstance(declared, inspect.StructType):
        return "a mapping with the keys " + ", ".join(field.name for field in declared.fields)
    if isinstance(declared, inspect.ListType):
        return "a list"
    if kind is not None:
        return KINDS[kind].expected
    if isinstance(declared, (inspect.IntType, inspect.FloatType)):
        return "a whole number" if isinstance(declared, inspect.IntType) else "a number"
    return "text"


def _scalar(value: object, declared: inspect.Type, shown: bool) -> Any:
    """``value`` as text, number or one of some words; ``shown``: whether a fault may quote it."""
    if isinstance(declared, inspect.LiteralType):
        return _word(value, declared, shown)
    if isinstance(declared, inspect.BoolType):
        if not isinstance(value, bool):
            raise UnfitError(kind_of(value), "true or false")
        return value
    if isinstance(declared, inspect.StrType):
        if not isinstance(value, str):
            raise UnfitError(kind_of(value), "text", "" if isinstance(value, (list, dict)) or value is None else "put it in quotes")
        if not value:
            raise UnfitError("empty text", "text")
        if declared.pattern and not re.fullmatch(declared.pattern.removesuffix("$"), value):
            found = "a name with other characters, or a long one"
            raise UnfitError(found, "letters, digits and . _ - , 63 at most, a letter or digit first")
        return value
    assert isinstance(declared, (inspect.IntType, inspect.FloatType))
    whole = isinstance(declared, inspect.IntType)
    expected = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise UnfitError(kind_of(value), expected)
    too_low = (declared.ge is not None and value < declared.ge) or (declared.gt is not None and value <= declared.gt)
    if too_low or (declared.le is not None and value > declared.le) or value >= math.inf:
        found = str(value) if -1e15 < value < 1e15 else "a number out of range"
        raise UnfitError(found, expected + _bounds(declared))
    return value if whole else float(value)


def _bounds(declared: inspect.IntType | inspect.FloatType) -> str:
    if declared.gt is not None:
        return f" above {declared.gt}"
    return f" from {declared.ge}" + (f" to {declared.le}" if declared.le is not None else " on")


def _word(value: object, declared: inspect.LiteralType, shown: bool) -> Any:
    if value in declared.values and isinstance(value, str):
        return value
    words = [str(word) for word in declared.values]
    found = value[:40] if shown and isinstance(value, str) and value.isprintable() else kind_of(value)
    fix = nearest(value, words) if isinstance(value, str) else ""
    raise UnfitError(found, " or ".join(words), fix if fix.startswith("did") else "")
