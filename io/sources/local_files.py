"""The local files that a path, a folder or a glob names, as Beam's file systems find them, but without the second that Beam's
import takes, and through links. Only regular files are opened: nobody waits for a pipe."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from edx2lrs.io.sources.file_names import printable

_PARTS_OF_A_GLOB = re.compile(r"\*\*|\*|\?|\[!?\]?[^\]]+\]|.", re.DOTALL)
_BEFORE_A_GLOB = re.compile(r"[^[*?]*")
_MOST_LINKS = 8  # on the way to a file
_NO_FILES = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}


class NamedFile(NamedTuple):
    """A path, and whether a link was followed to find it, or is it."""

    path: str
    linked: bool


class _Folder(NamedTuple):
    """A folder to be listed: how many links led to it, and the identities (device, inode) of the folders that hold it."""

    path: str
    links: int
    holders: frozenset[tuple[int, int] | None]


def matching(pattern: str, leave_out: Callable[[str], object]) -> Iterator[NamedFile]:
    """The files that the absolute path ``pattern`` names, and all files in folders that ``pattern`` names. A folder itself is no file.

    ``*`` and ``?`` stand for signs other than ``/``, ``**`` for any signs, ``[ab]`` for one of some signs. A file whose name holds
    such signs is also found by its own name. ``leave_out`` is told of a folder that cannot be listed."""
    before = _BEFORE_A_GLOB.match(pattern)
    assert before is not None
    wanted = re.compile("".join(map(_expression_of, _PARTS_OF_A_GLOB.findall(pattern))) + r"(?:/.*)?", re.DOTALL)
    if os.path.lexists(pattern) and (before[0] == pattern or not wanted.fullmatch(pattern)):
        yield from _all_in(pattern, leave_out) if os.path.isdir(pattern) else (NamedFile(pattern, os.path.islink(pattern)),)
    elif before[0] != pattern:
        yield from (found for found in _all_in(os.path.dirname(before[0]), leave_out) if wanted.fullmatch(found.path))


def open_file(path: str, buffering: int = -1) -> BinaryIO:
    """The regular file at ``path``. Raises ``OSError``, also for a pipe, a socket or a device."""
    file = open(path, "rb", buffering, opener=_without_waiting)  # noqa: SIM115 - stays open
    try:
        _check_regular(path, os.fstat(file.fileno()))
    except OSError:
        file.close()
        raise
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def status_of(path: str) -> os.stat_result:
    """The status of the regular file at ``path``. Raises ``OSError`` as ``open_file``."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        gone = "is a link to nothing" if os.path.islink(path) else "vanished while the folder was listed"
        raise FileNotFoundError(errno.ENOENT, gone, path) from None
    _check_regular(path, status)
    return status


def _check_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, f"is {_NO_FILES.get(stat.S_IFMT(status.st_mode), 'a device')}, and no file", path)


def _all_in(root: str, leave_out: Callable[[str], object]) -> Iterator[NamedFile]:
    """All files below ``root``. A link to a folder that holds the link is a loop, and is not followed."""
    real = os.path.realpath(root)
    parents = [real] if real == "/" else [real[:at] or "/" for at, sign in enumerate(real) if sign == "/"]
    above = frozenset(map(_identity, parents))
    to_list = [_Folder(root, 0, above)]
    while to_list:
        folder = to_list.pop()
        try:
            entries = list(os.scandir(folder.path))
        except OSError as error:
            if folder.path != root or not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                leave_out(f"{printable(folder.path)} cannot be listed: {error.strerror}; nothing that may be in it is read")
            continue
        holders = folder.holders | {_identity(folder.path)}
        for entry in entries:
            links = folder.links + entry.is_symlink()
            if not _is_folder(entry):
                yield NamedFile(entry.path, links > 0)
            elif (inner := _identity(entry.path)) in above:
                leave_out(f"{printable(entry.path)} is a link to a folder above {printable(root)}; the link is not followed")
            elif links > _MOST_LINKS:
                leave_out(f"{printable(entry.path)} is behind more than {_MOST_LINKS} links; nothing that may be in it is read")
            elif inner not in holders:
                to_list.append(_Folder(entry.path, links, holders))


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links that lead in a circle
        return False


def _expression_of(part: str) -> str:
    if part in ("*", "**", "?"):
        return {"*": "[^/]*", "**": ".*", "?": "[^/]"}[part]
    if len(part) == 1:
        return re.escape(part)
    characters = part[1:-1].replace("\\", r"\\").replace("[", r"\[")
    if characters.startswith("!"):
        return f"[^{characters[1:]}]"
    return f"[\\{characters}]" if characters.startswith("^") else f"[{characters}]"
