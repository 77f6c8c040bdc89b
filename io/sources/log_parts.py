"""What a growing log may have been rotated into: the files beside it, and in the folders beside it, whose names say so.

A log may be a link. Its parts are then beside the link, or beside the file that the link leads to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

_MOST_LINKS = 8
_MOST_FOLDERS = 100
_NUMBER = r"[.\-_]\d[\d.\-_T]*"


class LogPart(NamedTuple):
    """``changed``: when (ns). Parts sort oldest first; of a part and its gz, the part comes first."""

    changed: int
    packed: bool
    path: str
    device: int
    inode: int


def parts_of(log: str, inode: int | None = None) -> list[LogPart]:
    """The parts of ``log``, oldest first, without the file that is the log now. ``inode``: of a file that counts whatever its name."""
    own = None
    with suppress(OSError):
        status = os.stat(log)
        own = (status.st_dev, status.st_ino)
    found: dict[tuple[int, int], LogPart] = {}
    for folder, is_part in _places(log):
        with suppress(OSError):
            for entry in os.scandir(folder):
                if not is_part.fullmatch(entry.name) and entry.inode() != inode:
                    continue
                with suppress(OSError):
                    status = entry.stat()
                    if entry.is_file() and (identity := (status.st_dev, status.st_ino)) != own:
                        part = LogPart(status.st_mtime_ns, entry.name.endswith(".gz"), entry.path, *identity)
                        found.setdefault(identity, part)
    return sorted(found.values())


def _places(log: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The folders in which parts may be, and the names of the parts."""
    path, names = log, []
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(os.path.abspath(path))
        names.append(_names_of_parts(name))
        if path != log:  # a link to the newest of several logs: tracking.log -> tracking-2024-03-11.log
            names.append(r"\d+".join(map(re.escape, re.split(r"\d+", name))) + r"(?:\.gz)?")
        for each in [folder, *_folders_in(folder)]:
            yield each, re.compile("|".join(names))
        if not os.path.islink(path):
            return
        path = os.path.join(folder, os.readlink(path))


def _names_of_parts(name: str) -> str:
    """Of ``tracking.log``: ``tracking.log.1``, ``tracking.log-20240312-1700.gz``, ``tracking-20240312.log``."""
    stem, extension = os.path.splitext(name)
    return f"(?:{re.escape(name)}{_NUMBER}|{re.escape(stem)}{_NUMBER}{re.escape(extension)})(?:\\.gz)?"


def _folders_in(folder: str) -> list[str]:
    """Where logrotate's ``olddir`` may be."""
    with suppress(OSError):
        inner = [entry.path for entry in os.scandir(folder) if not entry.name.startswith(".") and entry.is_dir()]
        return sorted(inner)[:_MOST_FOLDERS]
    return []
