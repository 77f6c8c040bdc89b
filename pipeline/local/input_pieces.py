"""The files of a run as the pieces that its workers claim."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from edx2lrs.io.sources.files import HEAD, PART, Fingerprint, FoundFile, Unreadable, fingerprint
from edx2lrs.io.state.pieces import PieceKey, Pieces, SeenPiece
from edx2lrs.transforms.formats.number_words import counted
from edx2lrs.transforms.matching.time_window import TimeWindow

_LOG = logging.getLogger("edx2lrs")
_HEADS_AT_ONCE = 8


def register(files: Sequence[FoundFile], pieces: Pieces, part: int = PART, column: str | None = None) -> int:
    """Makes ``files`` the input of this run; gives the number of pieces. A plain file has a piece for each ``part`` of its bytes, as
    long as it may yet grow: where a part begins never changes. ``column``: of tables, that of the events. Raises ``StateError``."""
    lengths = pieces.head_lengths()

    def seen(file: FoundFile) -> list[SeenPiece]:
        return list(_parts(file, _fingerprint(file.path, lengths.get(file.path, HEAD), pieces, column), part))

    with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:  # an object store takes its time for each
        found = [piece for parts in pool.map(seen, files) for piece in parts]
    pieces.register(found)
    return len(found)


def why_nothing(found: Sequence[FoundFile], outside: int, pieces: Pieces) -> str:
    """Why no record is to be read of the registered ``found``: how many were read before, are ``outside`` of the window of time, or
    are empty. Raises ``StateError``."""
    left = pieces.unfinished()
    empty = {file.path for file in found if not file.size}
    before = len([file for file in found if file.path not in left | empty])
    parts = [
        f"{counted(before, 'file')} {'was' if before == 1 else 'were'} read before, as the state directory knows" if before else "",
        f"{counted(outside, 'file')} can hold no event of --since and --until" if outside else "",
        f"{counted(len(empty), 'file')} {'is' if len(empty) == 1 else 'are'} empty" if empty else "",
    ]
    return "; ".join(filter(None, parts)) or f"{counted(len(found), 'file')} without a record"


def warn_of_what_was_left_out(window: TimeWindow, pieces: Pieces) -> None:
    """Warns of done files of which an earlier run left events out by their time. Raises ``StateError``."""
    since, until = pieces.narrow(window.since or "", window.until or "")
    left_before, left_after = since > (window.since or ""), bool(until) and (window.until is None or until < window.until)
    if left_before or left_after:
        options = [f"--since {since}"] * left_before + [f"--until {until}"] * left_after
        _LOG.warning(
            "this state directory has read files with %s; the other events of these files are not read into this state directory;"
            " to read the other events, name another --state",
            " ".join(options),
        )


def _parts(file: FoundFile, head: Fingerprint, part: int) -> Iterator[SeenPiece]:
    starts = [0] if head.packed else [0, *range(part, file.size, part)]
    for start in starts:
        bound = None if head.packed else start + part
        yield SeenPiece(PieceKey(file.path, start), head.length, head.sha256, file.size, bound, head.longer, head.longer_sha256)


def _fingerprint(path: str, length: int, pieces: Pieces, column: str | None) -> Fingerprint:
    """A file that cannot be read is listed as the state knows the file; the worker that opens the file reports the error."""
    try:
        return fingerprint(path, length, column)
    except Unreadable:
        known = pieces.get(PieceKey(path))
        if known is not None:
            return Fingerprint(known.head_length, known.head_sha256, known.bound is None, known.head_length, known.head_sha256)
        nothing = sha256().hexdigest()
        return Fingerprint(0, nothing, True, 0, nothing)
