"""What is generated in the folder of a family: the ids in its examples, their statements in the dialect ``erb``, and
``mapping_versions.json``.

``mapping_versions.json`` has a hash of the statements of each example in each dialect, so that nobody changes a mapping by accident: a
hash changes only together with ``MAPPING_VERSION``. A new example needs no new version."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from edx2lrs.pipeline.reference.examples_site import translator_of_examples
from edx2lrs.transforms.config_types import Dialect, Protocol
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.examples import examples_of
from edx2lrs.transforms.families.mappings import PROTOCOLS
from edx2lrs.transforms.families.packages import Package, module_of
from edx2lrs.transforms.mapping.rows import dialects_of
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator

VERSIONS = "mapping_versions.json"


class Generated(NamedTuple):
    """Files with the text that they have to have, and what a person has to mend, one text for each fault."""

    files: dict[Path, str]
    faults: list[str]


def family(package: Package) -> Generated:
    """The generated files of a family. A family with a fault keeps its ``mapping_versions.json``."""
    files: dict[Path, str] = {}
    faults: list[str] = []
    versions = {protocol: _Versions(package, protocol) for protocol in PROTOCOLS}
    paths = examples_of(package)
    for path in paths:
        example = json.loads(path.read_text(encoding="utf-8"))
        for protocol, known in versions.items():
            made = {dialect: _made(example["sources"][0], translator) for dialect, translator in known.translators.items()}
            standard, as_erb = made["standard"], made["erb"]
            if isinstance(standard, Refusal) or isinstance(as_erb, Refusal):
                refusal = standard if isinstance(standard, Refusal) else as_erb
                assert isinstance(refusal, Refusal)
                faults.append(f"{path}: no {protocol} statement: {refusal.cause}: {refusal.message}")
                continue
            example[protocol] = with_ids(example[protocol], standard)
            faults += _differences(path, protocol, example[protocol], standard)
            example.setdefault("erb", {})[protocol] = [_with_id(each, each["id"]) for each in as_erb]
            faults += known.faults_of(path.stem, {dialect: _hash(found) for dialect, found in made.items()})
        files[path] = _text(example)
    if paths and not faults:
        files[paths[0].parent.parent / VERSIONS] = _text({protocol: known.new for protocol, known in versions.items() if known.new})
    return Generated(files, faults)


def with_ids(statements: list[dict[str, Any]], made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``statements`` with the ids of those that were made, where an id is missing."""
    ids = [each["id"] for each in made] + [""] * len(statements)
    return [each if each.get("id") else _with_id(each, id_) for each, id_ in zip(statements, ids, strict=False)]


def _with_id(statement: dict[str, Any], id_: str) -> dict[str, Any]:
    """The id stands first, or after ``@context``, as in the examples."""
    rest = {key: value for key, value in statement.items() if key != "id"}
    return {**({"@context": rest["@context"]} if "@context" in rest else {}), "id": id_, **rest}


class _Versions:
    """What ``mapping_versions.json`` of a package has for a protocol (``old``), and what it is to have (``new``)."""

    def __init__(self, package: Package, protocol: Protocol):
        module = module_of(package, protocol)
        events = module_of(package, "events")
        path = Path((events and events.__file__) or "").parent / VERSIONS
        self.old: dict[str, Any] = json.loads(path.read_text()).get(protocol, {}) if path.exists() else {}
        self.new: dict[str, Any] = {"version": module.MAPPING_VERSION, "examples": {}} if module else {}
        self.translators = {dialect: translator_of_examples(protocol, dialect=dialect) for dialect in dialects_of(protocol)}
        self._module = f"{package.module}.{protocol}"

    def faults_of(self, example: str, found: dict[Dialect, str]) -> list[str]:
        """Takes the hashes of an example's statements. A fault where the hash is another than before, and the version is not."""
        if not self.new:
            return []
        self.new["examples"][example] = found
        before = self.old.get("examples", {}).get(example, found)
        if before == found or self.old["version"] < self.new["version"]:
            return []
        fix = f"raise MAPPING_VERSION in {self._module} (it is {self.new['version']}), or take the change back"
        return [f"{self._module}: the statements of the example {example} changed; {fix}"]


def _made(source: dict[str, Any], translator: Translator) -> list[dict[str, Any]] | Refusal:
    event = parse(orjson.dumps(source))
    made = event if isinstance(event, Refusal) else translator.translate(event)
    return made if isinstance(made, Refusal) else [json.loads(statement.body) for statement in made or ()]


def _differences(path: Path, protocol: str, expected: list[Any], made: list[Any]) -> list[str]:
    if expected == made:
        return []
    one, other = (json.dumps(each, indent=2, ensure_ascii=False, sort_keys=True).splitlines() for each in (expected, made))
    lines = difflib.unified_diff(one, other, "the example", "what the mapping makes", n=2, lineterm="")
    return ["\n".join([f"{path}: {protocol}: the mapping makes something else:", *lines])]


def _hash(statements: list[dict[str, Any]] | Refusal) -> str:
    if isinstance(statements, Refusal):
        return f"refused: {statements.cause}"
    return hashlib.sha256(json.dumps(statements, sort_keys=True).encode()).hexdigest()[:16]


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
