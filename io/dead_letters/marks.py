"""The dead letters that were sent again: files of JSON lines beside the letters, ``sent-again-*.jsonl``.

A mark names a letter by its id and its time. A record that fails again makes a newer letter with the same id; the mark does not
name the newer letter."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from edx2lrs.io.paths import file_systems, is_remote, open_bytes

PREFIX = "sent-again-"


class Mark(NamedTuple):
    """A letter (16 bytes of its id) that was sent again, and the time that stands in it (UTC)."""

    letter: bytes
    time: datetime


class _Line(msgspec.Struct):
    id: uuid.UUID
    time: datetime


_decode = msgspec.json.Decoder(_Line).decode


def lines(marks: Iterable[Mark]) -> bytes:
    """The content of a file of marks."""
    return b"".join(
        json.dumps({"id": str(uuid.UUID(bytes=mark.letter)), "time": mark.time.isoformat()}).encode() + b"\n" for mark in marks
    )


def read(folders: Sequence[str]) -> dict[bytes, datetime]:
    """The marks in ``folders``: the last time of each letter that has one. Raises ``OSError``."""
    marks: dict[bytes, datetime] = {}
    for path in [path for folder in folders for path in _files(folder)]:
        with open_bytes(path) as file:
            for line in file.read().splitlines():
                try:
                    mark = _decode(line)
                except msgspec.DecodeError:  # cut off: the letter of this mark is sent once more
                    continue
                marks[mark.id.bytes] = max(mark.time, marks.get(mark.id.bytes, mark.time))
    return marks


def _files(folder: str) -> list[str]:
    if not is_remote(folder):
        return sorted(str(file) for file in Path(folder).glob(f"{PREFIX}*.jsonl"))
    found = file_systems().match([f"{folder.rstrip('/')}/{PREFIX}*.jsonl"])
    return sorted(file.path for match in found for file in match.metadata_list)
