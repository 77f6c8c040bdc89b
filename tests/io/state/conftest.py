"""A state directory with the consumers ``one`` and ``two``, one piece, and waves for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import State, open_state
from edx2lrs.io.state.waves import Kept, KeptWave, ReadPiece
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.packing.blocks import Block, BlockStatement, Origin, pack

PIECE = PieceKey("/logs/tracking.log")

Keep = Callable[..., Kept]


@pytest.fixture
def open_at(tmp_path: Path) -> Iterator[Callable[..., State]]:
    """Opens the test's state directory; what is open at the end is closed."""
    opened: list[State] = []

    def open_it(ids: int = 1_000, statements: int = 1_000) -> State:
        state = open_state(tmp_path / "state", ids=ids, statements=statements)
        opened.append(state)
        return state

    yield open_it
    for state in opened:
        state.close()


@pytest.fixture
def start(open_at: Callable[..., State]) -> Callable[..., State]:
    """Opens the state directory, begins a run and registers the piece."""

    def start_it(**bounds: int) -> State:
        state = open_at(**bounds)
        state.ledger.begin_run("test", ["one", "two"], "job")
        state.pieces.register([SeenPiece(PIECE, 4, "aaaa", 1_000_000)])
        return state

    return start_it


@pytest.fixture
def state(start: Callable[..., State]) -> State:
    return start()


@pytest.fixture
def statement() -> Callable[..., BlockStatement]:
    """A statement by its number; event and body are those of the number unless they are given."""

    def make(number: int, event: str = "", body: str = "") -> BlockStatement:
        identifier = hashlib.sha1(str(number).encode()).digest()[:16]
        event_hash = hashlib.sha1((event or f"event {number}").encode()).digest()[:8]
        return BlockStatement(identifier, (body or f'{{"n":{number}}}').encode(), event_hash, Origin(f"{PIECE.file}:{number}"))

    return make


@pytest.fixture
def keep() -> Keep:
    """Keeps blocks as the next wave of the piece, ten bytes and one line long."""

    def keep_them(
        state: State,
        *blocks: tuple[str, Sequence[BlockStatement]],
        failures: Sequence[Failure] = (),
        start: int | None = None,
    ) -> Kept:
        piece = state.pieces.get(PIECE)
        assert piece is not None
        begins = piece.reached.offset if start is None else start
        packed: list[Block] = [pack(consumer, statements) for consumer, statements in blocks]
        tally = {Counted("", "read"): 1}
        wave = KeptWave([ReadPiece(PIECE, begins, Reached(begins + 10, piece.reached.lines + 1, False))], packed, list(failures), tally)
        return state.keep_wave(wave)

    return keep_them
