"""What a configuration needs beside its file: secrets, tables and certificates that have to be there when it is used.

The file's structure is right or wrong without them (``pipeline.config.reading.read_structure``)."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from edx2lrs.io.paths import check_readable, is_remote
from edx2lrs.io.secrets import SecretError, fits_header, resolve
from edx2lrs.pipeline.config.faults import ConfigFault
from edx2lrs.transforms.formats.unfit import UnfitError


class Need(NamedTuple):
    """``line`` and ``key`` say where the file names it, ``kind`` how it is looked at (a key of ``CHECKS``), ``name`` what it is
    called: a reference or a path, never a secret. ``also``: the path of another file that belongs to it."""

    line: int
    key: str
    kind: str
    name: str
    also: str | None = None


def faults_of(needs: Iterable[Need], file: str) -> Iterator[ConfigFault]:
    """Looks at each of ``needs`` of the configuration ``file``; a fault for each that is missing or wrong."""
    for need in needs:
        try:
            CHECKS[need.kind](need)
        except UnfitError as unfit:
            yield ConfigFault(file, need.line, need.key, unfit.found, unfit.expected, unfit.fix)


def _secret(need: Need) -> str:
    try:
        return resolve(need.name)
    except SecretError as error:
        fix = "set it before edx2lrs starts" if need.name.startswith("env:") else ""
        raise UnfitError(str(error), fix=fix) from None


def _secret_of_header(need: Need) -> None:
    if not fits_header(_secret(need)):
        raise UnfitError("a secret with line breaks or other than ASCII", "one line of plain text")


def _file(need: Need) -> None:
    if not is_remote(need.name) and os.path.isdir(need.name):
        raise UnfitError(f"a folder, {need.name}", "a file")
    if fault := check_readable(need.name):
        of_remote = "gs:// needs the extra gcp (pip install '.[gcp]'), s3:// needs the extra aws (pip install '.[aws]')"
        fix = of_remote if is_remote(need.name) else "a relative path starts from the configuration's folder"
        raise UnfitError(f"file {need.name} cannot be read: {fault}", fix=fix)


def _authorities(need: Need) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not _loads(need, lambda: context.load_verify_locations(need.name)):
        raise UnfitError("a file without certificates", "PEM certificates")


def _certificate(need: Need) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not _loads(need, lambda: context.load_cert_chain(need.name, need.also, password="")):
        raise UnfitError("a certificate that cannot be used with its key", "PEM, the key without a pass phrase")


def _loads(need: Need, load: Callable[[], object]) -> bool:
    """A file that cannot be read is a need of its own kind (``pem``), and is told there."""
    if any(check_readable(path) for path in (need.name, need.also) if path):
        return True
    try:
        load()
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return False
    return True


CHECKS: Mapping[str, Callable[[Need], Any]] = {
    "reference": _secret,
    "header_reference": _secret_of_header,
    "table": _file,
    "pem": _file,
    "authorities": _authorities,
    "certificate": _certificate,
}
"""By the kind of a value, as ``extra={"kind": ...}`` in ``transforms.config_types`` names it, or of a block. Each raises UnfitError."""
