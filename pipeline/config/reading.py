"""Reading a configuration: the file and what it needs are right, or all that is wrong with them is said at once."""

from __future__ import annotations

from typing import NamedTuple, cast

from edx2lrs.io.paths import open_bytes
from edx2lrs.pipeline.config.faults import ConfigError, ConfigFault
from edx2lrs.pipeline.config.needs import Need, faults_of
from edx2lrs.pipeline.config.rules import CHECKS
from edx2lrs.pipeline.config.values import TreeReader
from edx2lrs.pipeline.config.yaml_nodes import Node, read_nodes
from edx2lrs.transforms.config_types import Config, Lms

_LARGEST = 64 * 2**20


class Structure(NamedTuple):
    """A configuration whose file is right, and what it needs beside the file."""

    config: Config
    needs: tuple[Need, ...]


def read_structure(path: str) -> Structure:
    """The configuration in the YAML file at ``path``, local or of any Beam file system. No secret, table or certificate is read.

    Durations are seconds; relative paths start from the file's folder and become absolute. Raises ConfigError with every fault."""
    structure, faults = _structure(path)
    _check(faults)
    return structure


def load(path: str) -> Config:
    """The configuration at ``path`` (``read_structure``), ready for use: secrets, tables and certificates are there.

    Raises ConfigError with every fault of the file and of what it needs."""
    structure, faults = _structure(path)
    _check([*faults, *faults_of(structure.needs, path)])
    return structure.config


def _structure(path: str) -> tuple[Structure, list[ConfigFault]]:
    nodes, faults = _read(path)
    reader = TreeReader(path, CHECKS)
    config = cast(Config, reader.block(nodes, Config, ""))
    return Structure(config, tuple(reader.needs)), [*faults, *reader.faults]


def load_site(path: str) -> Lms:
    """``lms`` alone, for what sends nothing: the rest of the file may be missing or wrong. Raises ConfigError."""
    nodes, faults = _read(path)
    reader = TreeReader(path, {})
    entry = nodes.value.get("lms") if isinstance(nodes.value, dict) else None
    if entry is None:
        raise ConfigError([ConfigFault(path, nodes.line, "lms", "nothing", "a mapping with root_url")])
    lms = reader.block(Node(entry.node.value, entry.line), Lms, "lms")
    given = entry.node.value if isinstance(entry.node.value, dict) else {}
    if not reader.faults and "external_ids" not in given and "id_key" not in given:
        reader.fault(entry.line, "lms", "neither external_ids nor id_key", "what the ids of persons are made from")
    _check([*(fault for fault in faults if fault.key.startswith("lms")), *reader.faults, *faults_of(reader.needs, path)])
    return cast(Lms, lms)


def _check(faults: list[ConfigFault]) -> None:
    """Raises the first fault of each place: a value that YAML could not read is not said to be missing too."""
    if faults:
        raise ConfigError({(fault.line, fault.key): fault for fault in reversed(faults)}.values())


def _read(path: str) -> tuple[Node, list[ConfigFault]]:
    """The file as a tree, and the faults that this alone showed. Raises ConfigError for what is no tree at all."""
    try:
        with open_bytes(path) as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError([ConfigFault(path, 0, "", f"the configuration cannot be read: {error.strerror or error}")]) from None
    if len(data) > _LARGEST:
        raise ConfigError([ConfigFault(path, 0, "", f"over {_LARGEST} bytes, so it is no configuration")])
    nodes, faults = read_nodes(data, path)
    if nodes is None or nodes.value is None or nodes.value == {}:
        raise ConfigError([ConfigFault(path, 1, "", "an empty configuration", "a mapping with the keys lms and consumers"), *faults])
    return nodes, faults
