"""What a worker does: claims pieces of the input, one after the other, and runs each as waves through the graph."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import Unreadable
from edx2lrs.io.state.errors import StateError, named_faults
from edx2lrs.io.state.pieces import Piece
from edx2lrs.io.state.state import State
from edx2lrs.io.state.waves import KeptWave
from edx2lrs.pipeline.job import JobSpec
from edx2lrs.pipeline.local import wave as waves
from edx2lrs.pipeline.local.wave_halving import killer, next_attempt
from edx2lrs.pipeline.local.wave_runner import WaveRunner
from edx2lrs.pipeline.local.worker_process import UnreadableFile, WorkerPlan
from edx2lrs.transforms.failure import Failure

_LOOK_AGAIN = 0.2  # seconds between looks at an outbox that is full


class Worker:
    """Reads and keeps, piece by piece."""

    def __init__(self, plan: WorkerPlan, state: State, parent: Connection, stopping: Event) -> None:
        self._plan = plan
        self._state = state
        self._parent = parent
        self._stopping = stopping
        self._folder = os.path.join(plan.state_directory, "waves", plan.name)
        self._waves = WaveRunner(self._folder, JobSpec(plan.config_path, plan.window), plan.state_directory, plan.beam_arguments)

    def work(self) -> None:
        try:
            while not self._stopping.is_set():
                piece = self._state.pieces.claim(self._plan.name)
                if piece is None:
                    return
                self._read(piece)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self, piece: Piece) -> None:
        try:
            while not piece.done and not self._stopping.is_set():
                piece = self._read_on(piece)
        except Unreadable as error:
            self._keep_unreadable(self._now(piece.key), str(error))

    def _read_on(self, piece: Piece) -> Piece:
        """From where ``piece`` is kept, with one reader, as long as what it read is what was kept."""
        with contextlib.closing(FileReader(piece.file, piece.offset, piece.lines, piece.start, piece.bound)) as reader:
            while not piece.done and not self._stopping.is_set():
                if not self._outbox_has_room():
                    continue
                attempt = next_attempt(piece.attempts, piece.records_limit)
                wave = self._next_wave(piece, reader, attempt.records)
                self._run(piece, wave, attempt.give_up)
                piece = self._now(piece.key)
                if piece.offset != wave.end:
                    break
        return piece

    def _now(self, key: str) -> Piece:
        piece = self._state.pieces.get(key)
        if piece is None:
            raise StateError(f"state directory {self._plan.state_directory}: {key} is gone from it while it was read; run again")
        return piece

    def _outbox_has_room(self) -> bool:
        """Waits a little when a consumer that is up has as much waiting as it may."""
        outbox = self._state.outbox
        waiting, cut_off = outbox.waiting_counts(), outbox.open_circuits()
        if all(name in cut_off or waiting.get(name, 0) < self._plan.outbox_bound for name in self._plan.consumers):
            return True
        self._stopping.wait(_LOOK_AGAIN)
        return False

    def _next_wave(self, piece: Piece, reader: FileReader, records: int | None) -> waves.Wave:
        """Puts the next wave of ``piece`` into the folder; its lines are in no memory after that."""
        polled = reader.poll(self._plan.wave_bytes, records)
        wave = waves.wave_of(piece.key, piece.offset, polled, piece.file)
        with named_faults(self._state.folder):
            waves.write(self._folder, wave, polled)
        self._state.pieces.begin_wave(piece.key, wave.end_line - piece.lines, polled.stored)
        return wave

    def _run(self, piece: Piece, wave: waves.Wave, give_up: bool) -> None:
        """Keeps what the wave makes, unless somebody else was faster."""
        try:
            if give_up:
                self._keep_killer(wave)
            else:
                self._waves.run()
        except Exception:
            if self._now(piece.key).offset == piece.offset:
                raise

    def _keep_killer(self, wave: waves.Wave) -> None:
        letters = [*wave.failures, *(killer(record.position, record.body) for record in waves.records(self._folder, wave))]
        self._keep(wave, letters)

    def _keep_unreadable(self, piece: Piece, message: str) -> None:
        """The piece stays undone, so that a later run reads it; in this one it stays claimed."""
        position = f"{piece.file}@{piece.offset}" if piece.start else f"{piece.file}:{piece.lines + 1}"
        failure = Failure("read", "unreadable", message, position, b"")
        self._keep(waves.Wave(piece.key, piece.offset, piece.offset, piece.lines, False, [], [], piece.file), [failure])
        self._parent.send(UnreadableFile(piece.file, message))

    def _keep(self, wave: waves.Wave, letters: list[Failure]) -> None:
        tally = Counter({("", "read"): len(letters), ("", "bytes"): wave.size})
        tally.update(("", f"dead/{letter.cause}") for letter in letters)
        self._state.keep_wave(KeptWave(wave.piece, wave.start, wave.end, wave.end_line, wave.done, [], letters, tally))
