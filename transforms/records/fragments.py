"""Lines that containers' log drivers cut into fragments, and their texts in one piece.

- Docker (``json-file``): each line is an object; the ``log`` of a fragment has no line break at its end.

- CRI (containerd, CRI-O): a time, the stream, ``P`` for a fragment or ``F`` for the last one, then the text.

The fragments of a container's two streams may alternate."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

import msgspec

_cri = re.compile(rb"\d{4}-\d\d-\d\dT\S{8,32} (stdout|stderr) ([PF])(?::\S*)?(?: |$)").match


class Fragment(NamedTuple):
    """``ends``: whether the text of its stream ends here. ``is_marked``: whether the line says so, or only a line break does."""

    stream: str
    text: bytes
    ends: bool
    is_marked: bool


class _DockerLine(msgspec.Struct, forbid_unknown_fields=True):
    log: str
    stream: str = ""
    time: str = ""
    attrs: msgspec.Raw = msgspec.Raw()


_docker = msgspec.json.Decoder(_DockerLine).decode


def may_be_fragment(line: bytes) -> bool:
    """Whether ``fragment_of`` is worth a look."""
    return line.startswith(b'{"log":') or line[20:60].find(b" std") >= 0


def fragment_of(line: bytes) -> Fragment | None:
    """The fragment (or the whole text) in a line of a container's log; None for another line."""
    found = _cri(line)
    if found:
        return Fragment(found[1].decode(), line[found.end() :].rstrip(b"\r\n"), found[2] == b"F", True)
    if line[:1] != b"{":
        return None
    try:
        docker = _docker(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return Fragment(docker.stream, docker.log.encode(), docker.log.endswith("\n"), False)


def joined(lines: bytes) -> bytes | None:
    """The texts of several lines of a container's log, each text in one piece; None if they are other lines."""
    fragments = [fragment_of(line) for line in lines.split(b"\n") if line]
    open_texts: dict[str, list[bytes]] = defaultdict(list)
    texts = []
    for fragment in fragments:
        if fragment is None:
            return None
        open_texts[fragment.stream].append(fragment.text)
        if fragment.ends:
            texts.append(b"".join(open_texts.pop(fragment.stream)))
    return b"\n".join([*texts, *map(b"".join, open_texts.values())])
