"""YAML text as a tree that remembers its lines: what the configuration is read from before it has types."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from edx2lrs.pipeline.config.faults import ConfigError, ConfigFault

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_MERGE = _PREFIX + "merge"
_DEEPEST = 50


class Node(NamedTuple):
    """A value and the line it starts on (from 1): text, number, boolean, None, a list of nodes, or a dict of entries."""

    value: str | int | float | bool | list[Node] | dict[str, Entry] | None
    line: int


class Entry(NamedTuple):
    """One key of a mapping: its line (from 1) and its value."""

    line: int
    node: Node


class _Loader(Loader):  # type: ignore[misc]
    """PyYAML's safe loader with the plain scalars of YAML 1.2: ``NO``, ``on``, ``2026-01-01`` and ``1:30`` are text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("merge", r"<<$", ["<"]),
):
    _Loader.add_implicit_resolver(_PREFIX + _tag, re.compile(_pattern), _first)

_SCALARS: dict[str, Callable[[str], Any]] = {
    _PREFIX + "str": str,
    _PREFIX + "int": int,
    _PREFIX + "float": float,
    _PREFIX + "bool": lambda text: text.lower() == "true",
    _PREFIX + "null": lambda _: None,
}


def read_nodes(data: bytes, file: str) -> tuple[Node | None, list[ConfigFault]]:
    """The tree of ``data`` (None for an empty document), and the keys that are given twice or are no text. Raises ConfigError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = ConfigFault(file, line, "", "bytes that are not UTF-8", "YAML in UTF-8", "save the file as UTF-8")
        raise ConfigError([fault]) from None
    try:
        _check_depth(text, file)
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            return None, []
        reader = _Reader(file)
        return reader.node(root, "", ()), reader.faults
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        fault = ConfigFault(file, mark.line + 1 if mark else 1, "", f"not YAML: {error.problem or error.context}")
        raise ConfigError([fault]) from None
    except yaml.YAMLError:
        raise ConfigError([ConfigFault(file, 1, "", "not YAML: it holds control characters", "text")]) from None


def _check_depth(text: str, file: str) -> None:
    """Raises ConfigError for nesting that PyYAML's composer, which recurses, would not survive."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            depth += 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise ConfigError([ConfigFault(file, line, "", f"more than {_DEEPEST} levels, so it is no configuration")])
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            depth -= 1


class _Reader:
    """Turns PyYAML's nodes into ours; faults are collected, never raised."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[ConfigFault] = []
        self._done: dict[yaml.Node, Node] = {}

    def fault(self, line: int, key: str, found: str, expected: str = "", fix: str = "") -> None:
        self.faults.append(ConfigFault(self.file, line, key, found, expected, fix))

    def node(self, source: yaml.Node, key: str, above: tuple[yaml.Node, ...]) -> Node:
        line = source.start_mark.line + 1
        if source in above:
            self.fault(line, key, "an alias inside of what it stands for")
            return Node(None, line)
        if source not in self._done:  # what many aliases stand for is read once
            self._done[source] = Node(self.value(source, key, (*above, source)), line)
        return self._done[source]

    def value(self, source: yaml.Node, key: str, above: tuple[yaml.Node, ...]) -> Any:
        if isinstance(source, yaml.SequenceNode):
            return [self.node(item, f"{key}[{i}]", above) for i, item in enumerate(source.value)]
        if isinstance(source, yaml.MappingNode):
            return self.entries(source, key, above)
        return self.scalar(source, key)

    def scalar(self, source: yaml.Node, key: str) -> Any:
        convert = _SCALARS.get(source.tag)
        if convert is not None:
            with contextlib.suppress(ValueError):
                return convert(source.value)
        found = "a value that its YAML tag does not fit" if convert else "a YAML tag"
        self.fault(source.start_mark.line + 1, key, found, "plain text, a number or a boolean")
        return None

    def entries(self, source: yaml.MappingNode, key: str, above: tuple[yaml.Node, ...]) -> dict[str, Entry]:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for name, value in source.value:
            line = name.start_mark.line + 1
            if name.tag == _MERGE:
                for mapping in self.merged(value, key):
                    read = self.node(mapping, key, above).value
                    merged = {**(read if isinstance(read, dict) else {}), **merged}
            elif not isinstance(name, yaml.ScalarNode) or name.tag not in _SCALARS:
                self.fault(line, key, "a key that is no text", "text")
            elif name.value in own:
                first = own[name.value].line
                path = joined(key, name.value)
                self.fault(line, path, f"given twice, first on line {first}", fix="keep one of them")
            else:
                own[name.value] = Entry(line, self.node(value, joined(key, name.value), above))
        return {**merged, **own}

    def merged(self, value: yaml.Node, key: str) -> Iterator[yaml.MappingNode]:
        for mapping in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(mapping, yaml.MappingNode):
                yield mapping
            else:
                line = value.start_mark.line + 1
                self.fault(line, joined(key, "<<"), "no mapping", "an alias of a mapping, or a list of such")


def joined(path: str, key: str) -> str:
    """The dotted path of ``key`` under ``path``."""
    return f"{path}.{key}" if path else key
