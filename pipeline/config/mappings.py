"""The options that are mappings whose keys the operator chooses: what each of their keys and values has to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from edx2lrs.io.secrets import is_reference
from edx2lrs.pipeline.config.faults import UNUSABLE, nearest
from edx2lrs.pipeline.config.kinds import header, host, root_url
from edx2lrs.pipeline.config.needs import Need
from edx2lrs.pipeline.config.yaml_nodes import Entry, Node, joined
from edx2lrs.transforms.formats.unfit import UnfitError, kind_of
from edx2lrs.transforms.matching.event_paths import declared_paths, structured_paths
from edx2lrs.transforms.matching.rules import OPERATORS, read_wish


class Reading(Protocol):
    """What is known while a configuration is read (``pipeline.config.values.TreeReader``)."""

    folder: str
    needs: list[Need]

    def fault(self, line: int, key: str, found: str, expected: str = "", fix: str = "") -> None: ...


def match_params(node: Node, key: str, reading: Reading) -> dict[str, Any]:
    """Declared paths to what is wanted there (``transforms.matching.rules``)."""
    result: dict[str, Any] = {}
    for path, entry in _entries(node, "a mapping of dotted paths, such as {context.org_id: MITx}").items():
        where = joined(key, path)
        if path not in declared_paths():
            reading.fault(entry.line, where, "a path that no event has", fix=_near_path(path, entry.node))
            continue
        wrong: list[UnfitError] = []
        written = _plain(entry.node)
        wanted = read_wish(written, wrong.append, path in structured_paths())
        for unfit in wrong:
            line, place = _at(Node(entry.node.value, entry.line), where, unfit.at)
            reading.fault(line, place, unfit.found, unfit.expected, unfit.fix)
        if wanted:
            result[path] = [each.written for each in wanted] if isinstance(written, list) else wanted[0].written
    return result


def _near_path(path: str, value: Node) -> str:
    if isinstance(value.value, dict) and value.value and not value.value.keys() & {each.KEY for each in OPERATORS}:
        return f"write it in one: {joined(path, next(iter(value.value)))}: ..."
    return nearest(path, declared_paths())


def _at(node: Node, key: str, steps: Iterable[str | int]) -> tuple[int, str]:
    """The line and the dotted path of what is within ``node``."""
    for step in steps:
        if isinstance(step, int) and isinstance(node.value, list):
            node, key = node.value[step], f"{key}[{step}]"
        elif isinstance(step, str) and isinstance(node.value, dict):
            entry = node.value[step]
            node, key = Node(entry.node.value, entry.line), joined(key, step)
    return node.line, key


def headers(node: Node, key: str, reading: Reading) -> dict[str, Any]:
    """Names of headers to their values, each name once, without case."""

    def checked(name: str, value: object) -> str:
        return header(name, value, reading.folder)

    made = _each(node, key, reading, "a mapping of header names to text", checked)
    for name, entry in _entries(node, "").items():
        if isinstance(made[name], str) and is_reference(made[name]):
            reading.needs.append(Need(entry.line, joined(key, name), "header_reference", made[name]))
    return made


def sites(node: Node, key: str, reading: Reading) -> dict[str, Any]:
    """Hosts, in lower case, to the roots of their sites."""

    def checked(name: str, value: object) -> str:
        host(name)
        return root_url(value)

    read = _each(node, key, reading, "a mapping of hosts to roots, such as {lms.example.com: https://lms.example.com}", checked)
    return {name.lower(): root for name, root in read.items()}


def _each(node: Node, key: str, reading: Reading, expected: str, checked: Callable[[str, object], str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for name, entry in _entries(node, expected).items():
        where = joined(key, name)
        made[name] = UNUSABLE
        if name.lower() in seen:
            reading.fault(entry.line, where, f"{seen[name.lower()]} again", fix="keep one of them, since case makes no other one")
        seen[name.lower()] = name
        try:
            made[name] = checked(name, entry.node.value)
        except UnfitError as unfit:
            reading.fault(entry.line, where, unfit.found, unfit.expected, unfit.fix)
    return made


def override_args(node: Node, _key: str, _reading: Reading) -> dict[str, Any]:
    """Any JSON object; ``config_rules`` looks at what is in it, once the protocol is known."""
    _entries(node, "a mapping of properties to values")
    plain: dict[str, Any] = _plain(node)
    return plain


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {name: _plain(entry.node) for name, entry in node.value.items()}
    return [_plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def _entries(node: Node, expected: str) -> Mapping[str, Entry]:
    if not isinstance(node.value, dict):
        raise UnfitError(kind_of(node.value), expected)
    return node.value
