"""How far a job is behind a log that grows."""

from __future__ import annotations

import contextlib
import os

import msgspec

from edx2lrs.io.sources.file_names import on_disk
from edx2lrs.io.sources.log_parts import parts_of
from edx2lrs.io.sources.log_position import LogPosition


def behind(path: str, position: str) -> int | None:
    """The bytes of the log ``path``, and of the rotated parts that ``position`` names, that are not read; None where the log is not
    there."""
    log = on_disk(path)
    names = [log, *(part.path for part in parts_of(log))]
    read = {(each.device, each.inode): each.offset for each in msgspec.json.decode(position, type=list[LogPosition])}
    left = None
    for name in names:
        with contextlib.suppress(OSError):
            status = os.stat(name)
            offset = read.get((status.st_dev, status.st_ino), 0 if name == log else None)
            if offset is not None:
                left = (left or 0) + max(0, status.st_size - offset)
    return left
