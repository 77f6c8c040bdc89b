"""Failures as dead letters in Avro files, on any of Beam's file systems."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import apache_beam as beam
import msgspec

from edx2lrs.io.dead_letters.letters import DeadLetter, dead_letter, now, write_file
from edx2lrs.pipeline.compiled_config import JobSpec, current_config
from edx2lrs.transforms.failure import Failure

_KEYS = 4  # files that are written at a time
_LETTERS_IN_A_FILE = 1_000
_SECONDS = 30.0  # that a letter waits for others


class WriteDeadLetters(beam.PTransform):
    """Takes failures. After an error, a file may be written again: the same letters make the same file. ``streaming``: a file is
    written after some time, even if no further letters come."""

    def __init__(self, job: JobSpec, folder: str, job_name: str, streaming: bool) -> None:
        super().__init__()
        self._job, self._folder, self._job_name, self._streaming = job, folder, job_name, streaming

    def expand(self, failures: beam.PCollection) -> beam.PCollection:
        as_letters = beam.ParDo(_AsLetters(self._job, self._job_name)).with_output_types(tuple[int, bytes])
        letters = failures | "As letters" >> as_letters
        files = letters | "Gather" >> beam.GroupIntoBatches(_LETTERS_IN_A_FILE, _SECONDS if self._streaming else None)
        return files | "Write" >> beam.ParDo(_WriteFile(self._folder))


class _AsLetters(beam.DoFn):
    def __init__(self, job: JobSpec, job_name: str) -> None:
        super().__init__()
        self._spec, self._job_name = job, job_name

    def setup(self) -> None:
        self._form = current_config(self._spec).config.dead_letters.payload

    def process(self, failure: Failure) -> Iterator[tuple[int, bytes]]:
        letter = dead_letter(failure, self._job_name, now(), self._form)
        yield int(letter.id[:4], 16) % _KEYS, msgspec.msgpack.encode(letter)


class _WriteFile(beam.DoFn):
    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        letters = [msgspec.msgpack.decode(each, type=DeadLetter) for each in keyed[1]]
        ids = sorted(letter.id for letter in letters)
        name = hashlib.sha256("".join(ids).encode()).hexdigest()[:32]
        write_file(self._folder, f"dead-letters-{name}.avro", letters)
