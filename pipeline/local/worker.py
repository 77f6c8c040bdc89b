"""What a worker does: claims pieces of the input, one after the other, and runs them as waves through the graph: large pieces in
several waves, small ones together in one."""

from __future__ import annotations

from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import NamedTuple

from edx2lrs.io.sources.file_reader import FileReader, Polled
from edx2lrs.io.sources.files import Unreadable
from edx2lrs.io.state.errors import StateError
from edx2lrs.io.state.pieces import Piece
from edx2lrs.io.state.state import State
from edx2lrs.io.state.waves import KeptWave, Reached
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.local import wave as waves
from edx2lrs.pipeline.local.wave_halving import dead_letter_for, next_attempt
from edx2lrs.pipeline.local.wave_runner import WaveRunner
from edx2lrs.pipeline.local.worker_messages import UnreadableFile, WorkerPlan
from edx2lrs.transforms.failure import Failure

_LOOK_AGAIN = 0.2  # seconds between looks at an outbox that is full
_MOST_PIECES = 256  # of a wave: opening one takes its time


class _Reading(NamedTuple):
    """A piece that is claimed, as it was kept, with its reader there."""

    piece: Piece
    reader: FileReader


class _Read(NamedTuple):
    """What a wave has of a piece."""

    piece: Piece
    reader: FileReader
    polled: Polled


class Worker:
    """Reads and keeps, piece by piece."""

    def __init__(self, plan: WorkerPlan, state: State, parent: Connection, stopping: Event) -> None:
        self._plan = plan
        self._state = state
        self._parent = parent
        self._stopping = stopping
        self._waves = WaveRunner(JobSpec(plan.config_path, plan.window), plan.beam_arguments)
        self._again: list[Piece] = []  # claimed, and to be opened anew
        self._opened: _Reading | None = None  # claimed, and next

    def work(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self._outbox_has_room():
                    continue
                reading = self._next()
                if reading is None:
                    return
                self._one_wave(reading)
        finally:
            if self._opened:
                self._opened.reader.close()

    def _next(self) -> _Reading | None:
        """A piece to read on; None: nothing is left. One that cannot be opened is said and passed over."""
        if self._opened:
            reading, self._opened = self._opened, None
            return reading
        while (piece := self._again.pop() if self._again else self._state.pieces.claim(self._plan.name)) is not None:
            try:
                return _Reading(piece, FileReader(piece.file, piece.offset, piece.lines, piece.start, piece.bound))
            except Unreadable as error:
                self._keep_unreadable(piece, str(error))
        return None

    def _one_wave(self, first: _Reading) -> None:
        """From ``first`` on, as much as a wave holds."""
        attempt = next_attempt(first.piece.attempts, first.piece.records_limit)
        read = self._read(first, self._plan.wave_bytes, attempt.records)
        if read is None:
            return
        alone = first.piece.attempts > 0  # a process died in its last wave; whose fault that was is to come out
        reads = [read] if alone else self._with_more(read)
        wave = waves.Wave(
            [waves.stretch_of(each.piece.key, each.piece.offset, each.polled, each.piece.file) for each in reads],
            [failure for each in reads for failure in waves.failures_of(each.piece.file, each.polled)],
        )
        records = _lines(reads[0]) if len(reads) == 1 else None
        self._state.pieces.begin_wave({each.piece.key: each.polled.stored for each in reads}, records)
        self._run(wave, attempt.give_up)
        self._go_on(reads)

    def _with_more(self, first: _Read) -> list[_Read]:
        """``first``, and where that leaves room, pieces after it: no more than this worker's share of those that are left, so that
        the other workers have theirs, and no more lines than statements may wait."""
        reads = [first]
        room = self._plan.wave_bytes - _size(first)
        lines = self._plan.outbox_bound - _lines(first)
        if room <= 0 or lines <= 0 or not first.polled.done:
            return reads
        most = min(_MOST_PIECES, 1 + self._state.pieces.unclaimed() // self._plan.workers)
        while reads[-1].polled.done and room > 0 and lines > 0 and len(reads) < most and not self._stopping.is_set():
            following = self._next()
            if following is None:
                break
            if following.piece.attempts:
                self._opened = following
                break
            read = self._read(following, room)
            if read is not None:
                reads.append(read)
                room -= _size(read)
                lines -= _lines(read)
        return reads

    def _read(self, reading: _Reading, most_bytes: int, records: int | None = None) -> _Read | None:
        """None when the piece cannot be read on, which is said."""
        try:
            read = _Read(*reading, reading.reader.poll(most_bytes, records))
        except Unreadable as error:
            reading.reader.close()
            self._keep_unreadable(reading.piece, str(error))
            return None
        if read.polled.done:
            reading.reader.close()  # a wave may be of many files
        return read

    def _go_on(self, reads: list[_Read]) -> None:
        """The wave is kept, or somebody else was faster: what is not done of its pieces is next."""
        for read in reads:
            piece = self._now(read.piece.key)
            if piece.offset == read.polled.offset and not read.polled.done:
                self._opened = _Reading(piece, read.reader)  # the last one of a wave alone is not done
                continue
            read.reader.close()
            if not piece.done:
                self._again.append(piece)

    def _now(self, key: str) -> Piece:
        piece = self._state.pieces.get(key)
        if piece is None:
            raise StateError(f"state directory {self._plan.state_directory}: {key} is gone from it while it was read; run again")
        return piece

    def _outbox_has_room(self) -> bool:
        """Waits a little when a consumer that is up has as much waiting as it may."""
        has_room = self._state.outbox.has_room(self._plan.consumers, self._plan.outbox_bound)
        if not has_room:
            self._stopping.wait(_LOOK_AGAIN)
        return has_room

    def _run(self, wave: waves.Wave, give_up: bool) -> None:
        """Keeps what the wave makes, unless somebody else was faster."""
        try:
            if give_up:
                self._keep_killer(wave)
            else:
                made = self._waves.run(wave)
                self._state.keep_wave(KeptWave(waves.reached(wave), made.blocks, made.failures, made.tally))
        except Exception:
            if all(self._now(stretch.piece).offset == stretch.start for stretch in wave.stretches):
                raise

    def _keep_killer(self, wave: waves.Wave) -> None:
        letters = [*wave.failures, *(dead_letter_for(record.position, record.body) for record in waves.records(wave))]
        self._keep(waves.reached(wave), letters, wave.size)

    def _keep_unreadable(self, piece: Piece, message: str) -> None:
        """The piece stays undone, so that a later run reads it; in this one it stays claimed."""
        position = f"{piece.file}@{piece.offset}" if piece.start else f"{piece.file}:{piece.lines + 1}"
        failure = Failure("read", "unreadable", message, position, b"")
        self._keep([Reached(piece.key, piece.offset, piece.offset, piece.lines, False)], [failure], 0)
        self._parent.send(UnreadableFile(piece.file, message))

    def _keep(self, pieces: list[Reached], letters: list[Failure], size: int) -> None:
        tally = Counter({("", "read"): len(letters), ("", "bytes"): size})
        tally.update(("", f"dead/{letter.cause}") for letter in letters)
        self._state.keep_wave(KeptWave(pieces, [], letters, tally))


def _size(read: _Read) -> int:
    """Bytes of text."""
    return read.polled.offset - read.piece.offset


def _lines(read: _Read) -> int:
    return read.polled.line - read.piece.lines
