"""Files that give nothing usable: a file that is damaged or no log, and a file of which no record is an event."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from edx2lrs.io.state.pieces import PieceKey
from edx2lrs.pipeline.file_records import records_of
from edx2lrs.pipeline.local.wave import Stretch, Wave
from edx2lrs.pipeline.local.worker_messages import UnreadableFile
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.formats.number_words import counted


class RefusedFiles:
    """Watches the waves of one worker. A piece whose beginning was kept by another run is not judged."""

    def __init__(self) -> None:
        self._refused: dict[PieceKey, Counter[str]] = {}  # of pieces that have given no event so far: causes

    def in_wave(self, wave: Wave, failures: Sequence[Failure]) -> Iterator[UnreadableFile]:
        """The files that end in ``wave`` and gave nothing usable. ``failures``: what the wave made."""
        of_file: dict[str, list[Failure]] = defaultdict(list)
        for failure in failures:
            if failure.stage in ("read", "parse"):
                of_file[_file(failure.position)].append(failure)
        for stretch in wave.stretches:
            if stretch.kind == "log":
                message = self._judged(stretch, of_file[stretch.piece.file])
                if message:
                    yield UnreadableFile(stretch.piece.file, f"{stretch.piece.file}: {message}")

    def _judged(self, stretch: Stretch, failures: Sequence[Failure]) -> str | None:
        piece, chunk = stretch.piece, stretch.chunk
        if chunk.damage:
            return f"{chunk.damage.cause}: {chunk.damage.message}"
        so_far = self._refused.pop(piece, Counter() if chunk.start == piece.start else None)
        whole = {(failure.position, failure.payload) for failure in failures}  # a part of a record is another payload
        if so_far is None or not whole or any((each.position, each.body) not in whole for each in records_of(piece.file, chunk)):
            return None
        so_far += Counter(failure.cause for failure in failures)
        if not chunk.reached.done:
            self._refused[piece] = so_far
            return None
        why = ", ".join(f"{cause} {number:,}" for cause, number in so_far.most_common())
        records = counted(so_far.total(), "record")
        return f"nothing in it is a tracking event ({records}: {why}); `edx2lrs dead-letters show` has examples"


def _file(position: str) -> str:
    """The file of a position ``path:12`` or ``path@4096``."""
    return max((position.rpartition(mark)[0] for mark in ":@"), key=len)
