"""Local files that a path, a folder or a glob names, as Beam's file systems would find them, without Beam's second of import."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator

_LOG = logging.getLogger("edx2lrs")
_PARTS_OF_A_GLOB = re.compile(r"\*\*|\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
_BEFORE_A_GLOB = re.compile(r"[^[*?]*")


def matching(pattern: str) -> Iterator[str]:
    """The files that the absolute path ``pattern`` names, and all that lie in folders that it names; a folder is none itself.

    ``*`` and ``?`` stand for no ``/``, ``**`` for anything, ``[ab]`` for one of some characters. What cannot be listed is
    said in the log."""
    if os.path.lexists(pattern):
        yield from _all_in(pattern) if os.path.isdir(pattern) else (pattern,)
        return
    before = _BEFORE_A_GLOB.match(pattern)
    if before is None or before[0] == pattern:
        return
    wanted = re.compile(_expression(pattern) + r"(?:/.*)?", re.DOTALL)
    yield from filter(wanted.fullmatch, _all_in(os.path.dirname(before[0])))


def _all_in(folder: str) -> Iterator[str]:
    for inner, _, names in os.walk(folder, onerror=_not_listed):
        for name in names:
            yield os.path.join(inner, name)


def _not_listed(error: OSError) -> None:
    _LOG.warning("%s cannot be listed: %s; what it holds is not read", error.filename, error.strerror)


def _expression(glob: str) -> str:
    return "".join(_expression_of(part) for part in _PARTS_OF_A_GLOB.findall(glob))


def _expression_of(part: str) -> str:
    if part in ("*", "**", "?"):
        return {"*": "[^/]*", "**": ".*", "?": "[^/]"}[part]
    if len(part) == 1:
        return re.escape(part)
    characters = part[1:-1].replace("\\", r"\\")
    if characters.startswith("!"):
        return f"[^{characters[1:]}]"
    return f"[\\{characters}]" if characters.startswith("^") else f"[{characters}]"
