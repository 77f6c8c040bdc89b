"""The local files that a path, a folder or a glob names, as Beam's file systems find them, but without the second that Beam's
import takes."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator

_LOG = logging.getLogger("edx2lrs")
_PARTS_OF_A_GLOB = re.compile(r"\*\*|\*|\?|\[!?\]?[^\]]+\]|.", re.DOTALL)
_BEFORE_A_GLOB = re.compile(r"[^[*?]*")


def matching(pattern: str) -> Iterator[str]:
    """The files that the absolute path ``pattern`` names, and all files in folders that ``pattern`` names. A folder itself is no file.

    ``*`` and ``?`` stand for signs other than ``/``, ``**`` for any signs, ``[ab]`` for one of some signs. A file whose name holds
    such signs is also found by its own name. A folder that cannot be listed is reported in the log."""
    before = _BEFORE_A_GLOB.match(pattern)
    assert before is not None
    wanted = re.compile("".join(map(_expression_of, _PARTS_OF_A_GLOB.findall(pattern))) + r"(?:/.*)?", re.DOTALL)
    if os.path.lexists(pattern) and (before[0] == pattern or not wanted.fullmatch(pattern)):
        yield from _all_in(pattern) if os.path.isdir(pattern) else (pattern,)
    elif before[0] != pattern:
        yield from filter(wanted.fullmatch, _all_in(os.path.dirname(before[0])))


def _all_in(folder: str) -> Iterator[str]:
    for inner, _, names in os.walk(folder, onerror=_not_listed):
        for name in names:
            yield os.path.join(inner, name)


def _not_listed(error: OSError) -> None:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        _LOG.warning("%s cannot be listed: %s; nothing that may be in it is read", error.filename, error.strerror)


def _expression_of(part: str) -> str:
    if part in ("*", "**", "?"):
        return {"*": "[^/]*", "**": ".*", "?": "[^/]"}[part]
    if len(part) == 1:
        return re.escape(part)
    characters = part[1:-1].replace("\\", r"\\").replace("[", r"\[")
    if characters.startswith("!"):
        return f"[^{characters[1:]}]"
    return f"[\\{characters}]" if characters.startswith("^") else f"[{characters}]"
