"""The first steps on Flink and Dataflow: parts of files are elements, are spread over the workers, and are read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from edx2lrs.io.sources import files
from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import PART, FoundFile, Unreadable
from edx2lrs.io.sources.path_dates import within
from edx2lrs.io.sources.position import Reached
from edx2lrs.pipeline.file_records import failures_of, records_of, unreadable
from edx2lrs.pipeline.records import record_of
from edx2lrs.pipeline.steps import ReadStep
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.matching.time_window import TimeWindow

Part = tuple[str, int, int]
"""Lines of a file that begin from a byte on to before another; -1 is the file's end."""
_READ_AT_ONCE = 1024 * 1024


class FindParts(beam.DoFn):
    """An input (a glob, a folder) as the parts of its files. Compressed files are one part each."""

    def __init__(self, window: TimeWindow, column: str | None = None, part: int = PART) -> None:
        super().__init__()
        self._window, self._column, self._part = window, column, part

    def process(self, given: str) -> Iterator[Part]:
        for file in within(files.find([given]), self._window):
            yield from parts_of(file, self._part, self._column)


def parts_of(file: FoundFile, part: int, column: str | None = None) -> Iterator[Part]:
    """The parts of ``file``. A file that cannot be opened is one part; the worker that reads the part reports the error."""
    try:
        whole = file.size <= part or files.fingerprint(file.path, column=column).packed
    except Unreadable:
        whole = True
    starts = [0] if whole else list(range(0, file.size, part))
    for start, bound in zip(starts, [*starts[1:], -1], strict=True):
        yield file.path, start, bound


class ReadMessages(ReadStep):
    """Messages, and failures of a source, in chunks in; records out."""

    def process(self, chunk: Any) -> Iterator[Any]:
        yield from self.failed([each for each in chunk if isinstance(each, Failure)])
        messages = [each for each in chunk if not isinstance(each, Failure)]
        self.tally[Counted("", "bytes")] += sum(len(message.body) for message in messages)
        yield from self.chunks(map(record_of, messages))


class ReadParts(ReadStep):
    """A part in, its records out. ``column``: of tables, the column that holds the events."""

    def __init__(self, column: str | None = None) -> None:
        super().__init__()
        self._column = column

    def process(self, part: Any) -> Iterator[Any]:
        path, start, bound = part
        try:
            file = FileReader(path, Reached(start), start, None if bound < 0 else bound, column=self._column)
            with contextlib.closing(file) as reader:
                done = False
                while not done:
                    chunk = reader.poll(_READ_AT_ONCE)
                    done = chunk.reached.done
                    yield from self.chunks(records_of(path, chunk))
                    yield from self.failed(failures_of(path, chunk))
                    self.tally[Counted("", "bytes")] += chunk.size
        except Unreadable as error:
            yield from self.failed([unreadable(path, start, 0, str(error))])
