"""Pieces: who reads what, and from where."""

from __future__ import annotations

import pytest

from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from testkit.pieces import finish

PIECE = PieceKey("/logs/tracking.log")


def test_pieces_are_claimed_in_order_once(state):
    state.pieces.register([SeenPiece(PieceKey(key), 4, "aaaa", 100) for key in ("c", "a", "b")])
    finish(state, PieceKey("a"))

    claims = [state.pieces.claim("worker-1"), state.pieces.claim("worker-2"), state.pieces.claim("worker-1")]

    assert [claim and (claim.key.file, claim.claimed_by) for claim in claims] == [("c", "worker-1"), ("b", "worker-2"), None]


def test_claims_of_one_worker_are_taken_back(state):
    state.pieces.register([SeenPiece(PieceKey(key), 4, "aaaa", 100) for key in "ab"])
    state.pieces.claim("worker-1")
    state.pieces.claim("worker-2")

    state.pieces.release("worker-2")
    assert state.pieces.claim("worker-3").key.file == "b"

    state.pieces.release()
    assert state.pieces.claim("worker-3").key.file == "a"


def test_a_piece_of_an_earlier_input_is_not_claimed_and_keeps_its_place(state, keep):
    keep(state)
    state.pieces.register([SeenPiece(PieceKey("other"), 4, "bbbb", 100)])
    assert state.pieces.claim("worker").key.file == "other"
    assert state.pieces.claim("worker") is None

    state.pieces.register([SeenPiece(PIECE, 4, "aaaa", 1_000_000)])
    assert state.pieces.claim("worker").reached.offset == 10


# head and size of the second listing of a piece that was done -> offset, done
SECOND_LISTING = [
    pytest.param("aaaa", 1_000_000, 10, True, id="unchanged"),
    pytest.param("aaaa", 2_000_000, 10, False, id="grown"),
    pytest.param("bbbb", 1_000_000, 0, False, id="another file under its name"),
    pytest.param("aaaa", 500, 0, False, id="cut off and written anew"),
]


@pytest.mark.parametrize(("head", "size", "offset", "done"), SECOND_LISTING)
def test_a_piece_that_is_listed_again(state, keep, head, size, offset, done):
    keep(state)
    finish(state, PIECE)

    state.pieces.register([SeenPiece(PIECE, 4, head, size)])

    piece = state.pieces.get(PIECE)
    assert (piece.reached.offset, piece.reached.done, piece.size) == (offset, done, size)
    assert state.pieces.head_lengths() == {PIECE.file: 4}


def test_attempts_at_a_wave_are_counted_until_it_is_kept(state, keep):
    for limit in (500, 250, 250):
        state.pieces.begin_wave({PIECE: 0}, limit)
    piece = state.pieces.get(PIECE)
    assert (piece.attempts, piece.records_limit) == (2, 250)

    keep(state)
    piece = state.pieces.get(PIECE)
    assert (piece.attempts, piece.records_limit) == (0, None)


def test_an_unknown_piece_is_none(state):
    assert state.pieces.get(PieceKey("nowhere")) is None
