"""Files of tracking logs: which files there are, and how a file is recognised again.

Files that are not local are listed and read by Beam's file systems."""

from __future__ import annotations

import hashlib
import logging
import os.path
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edx2lrs.io.paths import file_systems, is_remote
from edx2lrs.io.sources import local_files
from edx2lrs.io.sources.file_names import on_disk, printable
from edx2lrs.io.sources.forms import can_be_split
from edx2lrs.io.sources.object_stores import open_raw
from edx2lrs.io.sources.spec import DATAFLOW, FLINK, LOCAL, OnEngine, Sharing, SourceSpec

HEAD = 64 * 1024
"""Bytes of a file's head that tell whether it is the file of last time. Logs begin alike, but not for long: lines have times."""

SPEC = SourceSpec(
    name="files",
    what="files",
    schemes=(),
    form="files, a folder, a glob in quotes, or several with commas between",
    example="'logs/*.gz'",
    sharing=Sharing(True, "as many as cores; each reads parts of files"),
    engines={LOCAL: OnEngine(), FLINK: OnEngine(), DATAFLOW: OnEngine()},
)
_LOG = logging.getLogger("edx2lrs")
PART = 256 * 1024 * 1024
"""Bytes of a plain file that are read as one part."""


class InputError(Exception):
    """An input that names nothing to read. The message says what was asked for and how to ask."""


class FoundFile(NamedTuple):
    """A file that matched: its path in printable form (``io.sources.file_names``), and its size in bytes as stored."""

    path: str
    size: int


class _Listed(NamedTuple):
    linked: bool
    file: FoundFile
    identity: object


def use_options(beam_arguments: Sequence[str]) -> None:
    """Lets file systems follow Beam's options (``--s3_endpoint_url``, ``--project``) in this process."""
    from apache_beam.io.filesystems import FileSystems  # Beam takes a second to import
    from apache_beam.options.pipeline_options import PipelineOptions

    FileSystems.set_options(PipelineOptions(list(beam_arguments)))


def find(inputs: Sequence[str], leave_out: Callable[[str], object] = _LOG.warning) -> list[FoundFile]:
    """The files of globs (with commas between them) and folders, by path; no hidden ones. A file with several names is listed once,
    by a name that is no link if it has one. ``leave_out`` is told what is not read, and why. Raises ``InputError``."""
    found: list[_Listed] = []
    for pattern in [each for given in inputs for each in _each(given)]:
        left_out: list[str] = []
        listed = _match(pattern, left_out.append)
        if not listed:
            why = left_out[0] if left_out else "no such file"
            raise InputError(f"--input {printable(pattern)}: {why}; give a file, a folder or a glob in quotes, as 'logs/*.gz'")
        for message in left_out:
            leave_out(message)
        found += listed
    once: dict[object, FoundFile] = {}
    for each in sorted(found):
        once.setdefault(each.identity, each.file)
    return sorted(once.values())


def _each(given: str) -> list[str]:
    return [given] if os.path.exists(given) else [pattern for pattern in given.split(",") if pattern]


def _match(pattern: str, leave_out: Callable[[str], object]) -> list[_Listed]:
    try:
        if is_remote(pattern):
            found = _remote(pattern.rstrip("/"))
        else:
            found = _local(os.path.abspath(pattern if os.path.lexists(pattern) else on_disk(pattern)), leave_out)
    except Exception as error:
        raise InputError(f"--input {printable(pattern)}: cannot be listed: {reason(error)}") from None
    return [each for each in found if not _is_hidden(each.file.path)]


def _local(pattern: str, leave_out: Callable[[str], object]) -> list[_Listed]:
    found = []
    for path, linked in local_files.matching(pattern, leave_out):
        try:
            status = local_files.status_of(path)
        except OSError as error:
            if not _is_hidden(path):
                leave_out(f"{printable(path)}: is not read: {error.strerror}")
            continue
        name = printable(path)
        identity = (status.st_dev, status.st_ino) if status.st_ino else name
        found.append(_Listed(linked, FoundFile(name, status.st_size), identity))
    return found


def _remote(pattern: str) -> list[_Listed]:
    matches = file_systems().match([pattern, f"{pattern}/**"])
    files = [FoundFile(data.path, data.size_in_bytes) for match in matches for data in match.metadata_list]
    return [_Listed(False, file, file.path) for file in files]


def _is_hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")


def reason(error: BaseException) -> str:
    """The text of the system's error, in one line and without a traceback."""
    cause = error.__cause__ or error
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(text).splitlines()[0][:200]


class Unreadable(Exception):
    """The file can't be opened or read; the message names it and says why."""


class Fingerprint(NamedTuple):
    """How many bytes of the head were hashed, their SHA-256 in hex, and whether the file is compressed (by its content). The same of
    a longer head, by which the file is to be known from now on."""

    length: int
    sha256: str
    packed: bool
    longer: int
    longer_sha256: str


def fingerprint(path: str, length: int = HEAD, column: str | None = None) -> Fingerprint:
    """The fingerprint of the first ``length`` bytes, or of fewer if the file is shorter. Raises ``Unreadable``."""
    try:
        with open_raw(path, ahead=HEAD) as file:
            head = file.read(max(HEAD, length))
    except Exception as error:
        raise Unreadable(f"{path}: cannot be read: {reason(error)}") from None
    first = head[:length]
    return Fingerprint(len(first), _sha256(first), not can_be_split(head, column), len(head), _sha256(head))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
