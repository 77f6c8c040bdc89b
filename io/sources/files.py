"""Files of tracking logs: which files there are, and how a file is recognised again.

Files that are not local are listed and read by Beam's file systems."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Sequence
from typing import NamedTuple

from edx2lrs.io.paths import file_systems, is_remote
from edx2lrs.io.sources import inflate, local_files
from edx2lrs.io.sources.object_stores import open_raw
from edx2lrs.io.sources.spec import DATAFLOW, FLINK, LOCAL, OnEngine, Sharing, SourceSpec

HEAD = 1024
"""Bytes of a file's head that tell whether it is the file of last time."""

SPEC = SourceSpec(
    name="files",
    what="files",
    schemes=(),
    form="files, a folder, a glob in quotes, or several with commas between",
    example="'logs/*.gz'",
    sharing=Sharing(True, "as many as cores; each reads parts of files"),
    engines={LOCAL: OnEngine(), FLINK: OnEngine(), DATAFLOW: OnEngine()},
)
PART = 256 * 1024 * 1024
"""Bytes of a plain file that are read as one part."""


class InputError(Exception):
    """An input that names nothing to read. The message says what was asked for and how to ask."""


class FoundFile(NamedTuple):
    """A file that matched, and its size in bytes as stored."""

    path: str
    size: int


def use_options(beam_arguments: Sequence[str]) -> None:
    """Lets file systems follow Beam's options (``--s3_endpoint_url``, ``--project``) in this process."""
    from apache_beam.io.filesystems import FileSystems  # Beam takes a second to import
    from apache_beam.options.pipeline_options import PipelineOptions

    FileSystems.set_options(PipelineOptions(list(beam_arguments)))


def find(inputs: Sequence[str]) -> list[FoundFile]:
    """The files of globs (with commas between them) and folders, each file once, by path; no hidden ones. Raises ``InputError``."""
    found: dict[str, FoundFile] = {}
    for pattern in [each for given in inputs for each in _each(given)]:
        matches = _match(pattern)
        if not matches:
            raise InputError(f"--input {pattern}: no such file; give a file, a folder or a glob in quotes, as 'logs/*.gz'")
        found.update({match.path: match for match in matches})
    return [found[path] for path in sorted(found)]


def _each(given: str) -> list[str]:
    return [given] if os.path.exists(given) else [pattern for pattern in given.split(",") if pattern]


def _match(pattern: str) -> list[FoundFile]:
    try:
        found = _remote(pattern.rstrip("/")) if is_remote(pattern) else _local(os.path.abspath(pattern))
    except Exception as error:
        raise InputError(f"--input {pattern}: cannot be listed: {reason(error)}") from None
    return [file for file in found if not file.path.rsplit("/", 1)[-1].startswith(".")]


def _local(pattern: str) -> list[FoundFile]:
    paths = local_files.matching(pattern)
    return [FoundFile(path, os.path.getsize(path)) for path in paths if os.path.exists(path) or not os.path.islink(path)]


def _remote(pattern: str) -> list[FoundFile]:
    matches = file_systems().match([pattern, f"{pattern}/**"])
    return [FoundFile(data.path, data.size_in_bytes) for match in matches for data in match.metadata_list]


def reason(error: BaseException) -> str:
    """The text of the system's error, in one line and without a traceback."""
    cause = error.__cause__ or error
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(text).splitlines()[0][:200]


class Unreadable(Exception):
    """The file can't be opened or read; the message names it and says why."""


class Fingerprint(NamedTuple):
    """How many bytes of the head were hashed, their SHA-256 in hex, and whether the file is compressed (by its content)."""

    length: int
    sha256: str
    packed: bool


def fingerprint(path: str, length: int = HEAD) -> Fingerprint:
    """The fingerprint of the first ``length`` bytes, or of fewer if the file is shorter. Raises ``Unreadable``."""
    try:
        with open_raw(path, ahead=length) as file:
            head = file.read(length)
    except Exception as error:
        raise Unreadable(f"{path}: cannot be read: {reason(error)}") from None
    return Fingerprint(len(head), hashlib.sha256(head).hexdigest(), inflate.unpacker(head) is not None)
