"""The configurations in templates/ and the JSON Schema in docs/: right and complete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from edx2lrs.pipeline.config.blocks import options_of
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.config.reference import blocks
from edx2lrs.pipeline.config.schema import schema
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.formats.unfit import UnfitError
from edx2lrs.transforms.matching.rules import read_wish, wish_schema

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "docs" / "edx2lrs.schema.json"
FULL = ROOT / "templates" / "config" / "full.yaml"
MINIMAL = ROOT / "templates" / "config" / "minimal.yaml"
TEMPLATES = [FULL, MINIMAL, ROOT / "templates" / "sample" / "edx2lrs.yaml"]
OPTIONS = [(path, field.name) for path, struct in blocks("", Config) for field in options_of(struct)]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in TEMPLATES:
        for name in re.findall(r"env:([A-Z_0-9]+)", path.read_text(encoding="utf-8")):
            monkeypatch.setenv(name, "x")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_names_the_schema_in_its_first_line(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == SCHEMA


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_right(path: Path) -> None:
    assert load(str(path)).consumers
    assert list(violations(yaml.safe_load(path.read_text(encoding="utf-8")), schema(), "")) == []


def test_the_full_one_has_every_option() -> None:
    written = set(keys(yaml.safe_load(FULL.read_text(encoding="utf-8")), ""))
    assert [f"{path}.{name}".lstrip(".") for path, name in OPTIONS if f"{path}.{name}".lstrip(".") not in written] == []


def keys(value: Any, path: str) -> Iterator[str]:
    """Every dotted path in a document, as ``docs/configuration.md`` has them: ``consumers[].batch.size``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}".lstrip(".")
            yield from keys(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, f"{path}[]")


def test_every_option_has_a_meaning_and_an_example_that_the_schema_allows() -> None:
    whole = schema()
    for block in whole["$defs"].values():
        for name, option in block["properties"].items():
            assert option.get("description") or "$ref" in option, name
            assert option.get("examples") or "$ref" in json.dumps(option), name
            for example in option.get("examples", []):
                assert list(violations(example, {**option, "$defs": whole["$defs"]}, name)) == []


def test_every_default_is_one_that_the_schema_allows() -> None:
    for block in schema()["$defs"].values():
        for name, option in block["properties"].items():
            if "default" in option:
                assert list(violations(option["default"], option, name)) == []


WRONG = {
    "unknown key": "{nonsense: 1}",
    "unknown option of a consumer": "{consumers: [{sise: 1}]}",
    "missing key": "{lms: {}}",
    "wrong type": "{dedup: {ids: many}}",
    "out of range": "{dedup: {ids: 0}}",
    "no duration": "{consumers: [{timeout: soon}]}",
    "no reference": "{lms: {id_key: hunter2}}",
    "no word": "{consumers: [{protocol: xAPI}]}",
    "a wish of another kind": "{consumers: [{match_params: {name: {nto: x}}}]}",
}


@pytest.mark.parametrize("document", WRONG.values(), ids=WRONG.keys())
def test_the_schema_refuses_what_the_loader_refuses(document: str) -> None:
    wrong = {**yaml.safe_load(MINIMAL.read_text(encoding="utf-8"))}
    for key, value in yaml.safe_load(document).items():
        wrong[key] = [{**wrong["consumers"][0], **value[0]}] if key == "consumers" else value
    assert list(violations(wrong, schema(), ""))


WISHES: list[Any] = ["a", "/a/", 1, True, {"not": "a"}, {"not": ["/b$/", 1]}, {"exists": False}, ["a", {"not": "a"}]]
NO_WISHES: list[Any] = [None, [], {}, {"not": []}, {"not": {"not": "a"}}, {"exists": 1}, {"above": 1}, {"not": "a", "exists": True}]


@pytest.mark.parametrize("written", [*WISHES, *NO_WISHES], ids=str)
def test_the_schema_of_a_wish_takes_what_can_be_read_and_nothing_else(written: Any) -> None:
    wrong: list[UnfitError] = []
    read_wish(written, wrong.append)
    assert (bool(wrong), bool(list(violations(written, wish_schema(), "")))) == (written in NO_WISHES, written in NO_WISHES)


def violations(value: Any, rules: dict[str, Any], path: str, defs: dict[str, Any] | None = None) -> Iterator[str]:
    """The places where ``value`` breaks ``rules``: the keywords of JSON Schema that ours uses, and no others."""
    defs = defs or rules.get("$defs", {})
    known = {"$schema", "$defs", "title", "description", "examples", "default"}
    for keyword, wanted in rules.items():
        if keyword in known:
            continue
        if keyword == "$ref":
            yield from violations(value, defs[wanted.rpartition("/")[2]], path, defs)
        elif keyword == "anyOf":
            if all(list(violations(value, each, path, defs)) for each in wanted):
                yield f"{path}: anyOf"
        elif keyword == "properties":
            for name, each in wanted.items():
                if isinstance(value, dict) and name in value:
                    yield from violations(value[name], each, f"{path}.{name}", defs)
        elif keyword == "additionalProperties":
            for name in set(value) - set(rules.get("properties", {})) if isinstance(value, dict) else ():
                yield from (
                    [f"{path}.{name}: unknown"] if wanted is False else violations(value[name], wanted, f"{path}.{name}", defs)
                )
        elif keyword == "items":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                yield from violations(item, wanted, f"{path}[{index}]", defs)
        elif not KEYWORDS[keyword](value, wanted):
            yield f"{path}: {keyword}"


TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def is_of_type(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    return any(isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool)) for name in names)


def is_number(value: Any) -> bool:
    return is_of_type(value, "number")


KEYWORDS: dict[str, Any] = {
    "type": is_of_type,
    "enum": lambda value, wanted: value in wanted,
    "required": lambda value, wanted: not isinstance(value, dict) or set(wanted) <= set(value),
    "pattern": lambda value, wanted: not isinstance(value, str) or re.search(wanted, value) is not None,
    "minLength": lambda value, wanted: not isinstance(value, str) or len(value) >= wanted,
    "minItems": lambda value, wanted: not isinstance(value, list) or len(value) >= wanted,
    "minimum": lambda value, wanted: not is_number(value) or value >= wanted,
    "maximum": lambda value, wanted: not is_number(value) or value <= wanted,
    "exclusiveMinimum": lambda value, wanted: not is_number(value) or value > wanted,
}
