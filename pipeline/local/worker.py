"""What a worker does: claims pieces of the input, one after the other, and runs them as waves through the graph. A large piece
becomes several waves; small pieces share a wave."""

from __future__ import annotations

from multiprocessing.connection import Connection
from threading import Event
from typing import NamedTuple

from edx2lrs.io.sources.file_reader import FileChunk, FileReader
from edx2lrs.io.sources.files import Unreadable
from edx2lrs.io.state.errors import StateError
from edx2lrs.io.state.pieces import Piece, PieceKey
from edx2lrs.io.state.state import State
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.file_records import unreadable
from edx2lrs.pipeline.local.refused_files import RefusedFiles
from edx2lrs.pipeline.local.wave import Stretch, Wave
from edx2lrs.pipeline.local.wave_halving import given_up, next_attempt
from edx2lrs.pipeline.local.wave_runner import WaveRunner
from edx2lrs.pipeline.local.worker_messages import UnreadableFile, WorkerPlan
from edx2lrs.pipeline.records import tally_of

_LOOK_AGAIN = 0.2  # seconds between looks at an outbox that is full
_MOST_PIECES = 256  # of a wave: opening a piece takes time


class _Reading(NamedTuple):
    """A claimed piece in its kept state, with a reader at the kept offset."""

    piece: Piece
    reader: FileReader


class _Read(NamedTuple):
    """The part of a piece that belongs to a wave."""

    piece: Piece
    reader: FileReader
    chunk: FileChunk


class Worker:
    """Reads and keeps, piece by piece."""

    def __init__(self, plan: WorkerPlan, state: State, parent: Connection, stopping: Event) -> None:
        self._plan = plan
        self._state = state
        self._parent = parent
        self._stopping = stopping
        self._waves = WaveRunner(JobSpec(plan.config_path, plan.window), plan.beam_arguments, parent.send)
        self._refused = RefusedFiles()
        self._again: list[Piece] = []  # claimed, and to be opened again
        self._opened: _Reading | None = None  # claimed, and next

    def work(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self._state.outbox.has_room(self._plan.consumers, self._plan.outbox_bound):
                    self._stopping.wait(_LOOK_AGAIN)
                    continue
                reading = self._next()
                if reading is None:
                    return
                self._one_wave(reading)
        finally:
            if self._opened:
                self._opened.reader.close()

    def _next(self) -> _Reading | None:
        """The next piece to read. None: no piece is left. A piece that cannot be opened is reported and skipped."""
        if self._opened:
            reading, self._opened = self._opened, None
            return reading
        while (piece := self._again.pop() if self._again else self._state.pieces.claim(self._plan.name)) is not None:
            try:
                key = piece.key
                return _Reading(piece, FileReader(key.file, piece.reached, key.start, piece.bound, True, self._plan.event_column))
            except Unreadable as error:
                self._keep_unreadable(piece, str(error))
        return None

    def _one_wave(self, first: _Reading) -> None:
        attempt = next_attempt(first.piece.attempts, first.piece.records_limit)
        read = self._read(first, self._plan.wave_bytes, attempt.records)
        if read is None:
            return
        alone = first.piece.attempts > 0  # a process died in the last wave of the piece; is the piece the reason?
        reads = [read] if alone else self._with_more(read)
        limit = _lines(reads[0]) if len(reads) == 1 else None
        self._state.pieces.begin_wave({each.piece.key: each.chunk.stored for each in reads}, limit)
        self._run(Wave([Stretch(each.piece.key, each.chunk, each.piece.kind) for each in reads]), attempt.give_up, alone)
        self._go_on(reads)

    def _with_more(self, first: _Read) -> list[_Read]:
        """``first`` and further pieces that fit: at most this worker's share of what is left, and as many lines as may wait."""
        reads = [first]
        room = self._plan.wave_bytes - first.chunk.size
        lines = self._plan.outbox_bound - _lines(first)
        if room <= 0 or lines <= 0 or not first.chunk.reached.done:
            return reads
        most = min(_MOST_PIECES, 1 + self._state.pieces.unclaimed() // self._plan.workers)
        while reads[-1].chunk.reached.done and room > 0 and lines > 0 and len(reads) < most and not self._stopping.is_set():
            following = self._next()
            if following is None:
                break
            if following.piece.attempts:
                self._opened = following
                break
            read = self._read(following, room)
            if read is not None:
                reads.append(read)
                room -= read.chunk.size
                lines -= _lines(read)
        return reads

    def _read(self, reading: _Reading, most_bytes: int, records: int | None = None) -> _Read | None:
        """None when the piece cannot be read further, which is reported."""
        try:
            read = _Read(*reading, reading.reader.poll(most_bytes, records))
        except Unreadable as error:
            reading.reader.close()
            self._keep_unreadable(reading.piece, str(error))
            return None
        if read.chunk.reached.done:
            reading.reader.close()  # a wave may be of many files
        return read

    def _go_on(self, reads: list[_Read]) -> None:
        """After the wave was kept, or another worker was faster: the parts of its pieces that are not done are next."""
        for read in reads:
            piece = self._now(read.piece.key)
            if piece.reached == read.chunk.reached and not piece.reached.done:
                self._opened = _Reading(piece, read.reader)  # the last one of a wave alone is not done
                continue
            read.reader.close()
            if read.chunk.waits and piece.reached == read.chunk.kept:
                self._parent.send(UnreadableFile(piece.key.file, read.chunk.waits))  # stays claimed in this run
            elif not piece.reached.done:
                self._again.append(piece)

    def _now(self, key: PieceKey) -> Piece:
        piece = self._state.pieces.get(key)
        if piece is None:
            raise StateError(f"state directory {self._plan.state_directory}: {key.file} is gone from it while it was read; run again")
        return piece

    def _run(self, wave: Wave, give_up: bool, again: bool) -> None:
        """Keeps the results of the wave, unless another worker was faster."""
        try:
            kept = given_up(wave) if give_up else self._waves.run(wave, again)
            self._state.keep_wave(kept)
        except Exception:
            if all(self._now(read.piece).reached.offset == read.start for read in wave.read):
                raise
            return
        for refused in self._refused.in_wave(wave, kept.failures):
            self._parent.send(refused)

    def _keep_unreadable(self, piece: Piece, message: str) -> None:
        """Keeps the failure of a piece that cannot be read: not done, for a later run; in this run it stays claimed."""
        file, reached = piece.key.file, piece.reached
        failures = [unreadable(file, reached.offset if piece.key.start else 0, reached.lines, message)]
        read = [ReadPiece(piece.key, reached.offset, reached._replace(done=False))]
        self._state.keep_wave(KeptWave(read, [], failures, tally_of(failures)))
        self._parent.send(UnreadableFile(file, message))


def _lines(read: _Read) -> int:
    return read.chunk.reached.lines - read.piece.reached.lines
