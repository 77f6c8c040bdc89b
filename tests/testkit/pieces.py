"""Pieces of files, without the files."""

from __future__ import annotations

from edx2lrs.io.state.pieces import PieceKey
from edx2lrs.io.state.state import State
from edx2lrs.io.state.waves import KeptWave, ReadPiece


def finish(state: State, key: PieceKey) -> None:
    """A wave without a record reads the piece to its end."""
    piece = state.pieces.get(key)
    assert piece is not None
    state.keep_wave(KeptWave([ReadPiece(key, piece.reached.offset, piece.reached._replace(done=True))], [], [], {}))
