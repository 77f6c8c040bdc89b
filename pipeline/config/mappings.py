"""The options that are mappings whose keys the operator chooses: what each of their keys and values has to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from edx2lrs.io.secrets import is_reference
from edx2lrs.pipeline.config.faults import nearest
from edx2lrs.pipeline.config.kinds import UnfitError, header, host, kind_of, literal, root_url
from edx2lrs.pipeline.config.needs import Need
from edx2lrs.pipeline.config.unusable import UNUSABLE
from edx2lrs.pipeline.config.yaml_nodes import Entry, Node, joined
from edx2lrs.transforms.matching.event_paths import structured_paths


class Reading(Protocol):
    """What is known while a configuration is read (``pipeline.config.values.TreeReader``)."""

    folder: str
    needs: list[Need]
    match_paths: Callable[[], tuple[str, ...]]

    def fault(self, line: int, key: str, found: str, expected: str = "", fix: str = "") -> None: ...


def match_params(node: Node, key: str, reading: Reading) -> dict[str, Any]:
    """Declared paths to what is wanted there."""
    result: dict[str, Any] = {}
    for path, entry in _entries(node, "a mapping of dotted paths, such as {context.org_id: MITx}").items():
        where = joined(key, path)
        if path not in reading.match_paths():
            reading.fault(entry.line, where, "a path that no event has", fix=_near_path(path, entry.node, reading))
        else:
            result[path] = _wanted(Node(entry.node.value, entry.line), where, path, reading)
    return result


def _near_path(path: str, value: Node, reading: Reading) -> str:
    if isinstance(value.value, dict) and value.value and not value.value.keys() & {"not", "exists"}:
        return f"write it in one: {joined(path, next(iter(value.value)))}: ..."
    return nearest(path, reading.match_paths())


def _wanted(node: Node, where: str, path: str, reading: Reading) -> Any:
    """One value, or a list of which one has to fit; ``not`` and ``exists`` may be among them."""
    items = _items(node, where, reading) if isinstance(node.value, list) else [(node, where)]
    made = [_alternative(item, place, reading) for item, place in items]
    if sum(isinstance(each, dict) and "not" in each for each in made) > 1:
        reading.fault(node.line, where, "several not: in one list, which match everything", fix="write not: [..., ...]")
    if path in structured_paths() and not all(isinstance(each, dict) and "exists" in each for each in made):
        reading.fault(node.line, where, "a value for an object or an array", "{exists: true} or {exists: false}")
    return made if isinstance(node.value, list) else made[0]


def _items(node: Node, where: str, reading: Reading) -> list[tuple[Node, str]]:
    """The items of a list, which has some, with their places."""
    assert isinstance(node.value, list)
    if not node.value:
        reading.fault(node.line, where, "an empty list", "at least one value", "an empty list matches nothing")
    return [(item, f"{where}[{index}]") for index, item in enumerate(node.value)]


def _alternative(node: Node, where: str, reading: Reading) -> Any:
    if not isinstance(node.value, dict):
        return _literal(node, where, reading)
    expected = "{not: ...} or {exists: true}"
    if len(node.value) != 1:
        reading.fault(node.line, where, f"a mapping with {len(node.value)} keys", expected)
        return UNUSABLE
    ((name, entry),) = node.value.items()
    if name == "exists":
        if isinstance(entry.node.value, bool):
            return {"exists": entry.node.value}
        reading.fault(entry.line, joined(where, name), kind_of(entry.node.value), "true or false")
    elif name == "not":
        value = Node(entry.node.value, entry.line)
        items = _items(value, joined(where, name), reading) if isinstance(value.value, list) else [(value, joined(where, name))]
        return {"not": [_literal(item, place, reading) for item, place in items]}
    else:
        reading.fault(entry.line, joined(where, name), "unknown key", fix=f"write {expected}")
    return UNUSABLE


def _literal(node: Node, key: str, reading: Reading) -> Any:
    try:
        return literal(node.value, reading.folder)
    except UnfitError as unfit:
        reading.fault(node.line, key, unfit.found, unfit.expected, unfit.fix)
        return UNUSABLE


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
        return root_url(value, reading.folder)

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


MAPPINGS: dict[str, Callable[[Node, str, Reading], dict[str, Any]]] = {
    "match_params": match_params,
    "headers": headers,
    "sites": sites,
    "override_args": override_args,
}
"""By the kind that ``transforms.config_types`` names. Each notes what is wrong within, and raises UnfitError for no mapping."""
