"""The kinds of option: what a value has to be beyond its type, how it is read, and its words and its part of the JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from edx2lrs.pipeline.config.kinds import iri, log, new_folder, pem, reference, root_url, table, url, user
from edx2lrs.pipeline.config.mappings import Reading, headers, match_params, override_args, sites
from edx2lrs.pipeline.config.yaml_nodes import Node
from edx2lrs.transforms.formats import durations
from edx2lrs.transforms.matching.patterns import pattern
from edx2lrs.transforms.matching.rules import wish_schema, wish_words

ReadOption = Callable[[Node, str, Reading], Any]


class OptionKind(NamedTuple):
    """``read``: the value of the file as it is used; raises UnfitError, and notes what is wrong within a mapping. ``words``: in the
    options' reference. ``expected``: said of a missing key. ``meaning``: the end of the option's description."""

    read: ReadOption
    words: str
    schema: Mapping[str, Any]
    expected: str = "text"
    meaning: str = ""


def _value(check: Callable[[object], Any]) -> ReadOption:
    def read(node: Node, _key: str, _reading: Reading) -> Any:
        return check(node.value)

    return read


def _path(check: Callable[[object, str], Any]) -> ReadOption:
    """``check`` takes the folder that relative paths start from."""

    def read(node: Node, _key: str, reading: Reading) -> Any:
        return check(node.value, reading.folder)

    return read


def _mapping(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "object", "additionalProperties": schema}


TEXT = {"type": "string", "minLength": 1}
_ADDRESS = {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/]"}
_URL = {"type": "string", "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://[^/]|file:///.|s3://[^/]|gs://[^/]|stdout:$)"}
_ROOT = {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^?#]*[^/?#]$"}
_AN_ADDRESS = "an address such as https://lms.example.com"
_SECRET = OptionKind(
    _path(reference), "reference", {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|secret://.+)$"},
    "a reference such as env:NAME",
)
KINDS: Mapping[str, OptionKind] = {
    "seconds": OptionKind(_value(durations.seconds), "duration", durations.SCHEMA, "a number"),
    "url": OptionKind(_value(url), "address", _URL, _AN_ADDRESS),
    "root_url": OptionKind(_value(root_url), "address", _ROOT, _AN_ADDRESS),
    "reference": _SECRET,
    "header_reference": _SECRET,
    "table": OptionKind(_path(table), "path", TEXT),
    "folder": OptionKind(_path(new_folder), "path", TEXT),
    "pem": OptionKind(_path(pem), "path", TEXT),
    "log": OptionKind(_path(log), "`true`, `false` or path", {"anyOf": [{"type": "boolean"}, TEXT]}),
    "pattern": OptionKind(_value(pattern), "name or `/regex/`", TEXT),
    "user": OptionKind(_value(user), "user, `/regex/` or id", {"anyOf": [TEXT, {"type": "integer", "minimum": 1}]}),
    "iri": OptionKind(_value(iri), "IRI", {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:\\S+$"}),
    "match_params": OptionKind(match_params, "mapping", _mapping(wish_schema()), meaning=wish_words()),
    "headers": OptionKind(headers, "mapping", _mapping({"type": "string"})),
    "sites": OptionKind(sites, "mapping", _mapping(_ADDRESS)),
    "override_args": OptionKind(override_args, "mapping", {"type": "object"}),
}
"""By the name that ``extra={"kind": ...}`` in ``transforms.config_types`` has."""
