"""The graph's steps: thin DoFns around the pure functions of ``transforms``.

An exception of one record's parsing, filtering, matching or translation is that record's dead letter (cause ``crash``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from edx2lrs.pipeline import wave as waves
from edx2lrs.pipeline.job import Job, JobSpec, job_of
from edx2lrs.pipeline.wave import Record
from edx2lrs.transforms.blocks import Statement, pack
from edx2lrs.transforms.failure import Failure, Refusal, Stage, failed
from edx2lrs.transforms.parse import Event, event_hash, parse

STATEMENTS_IN_A_BLOCK = 100

Tally = dict[tuple[str, str], int]
Output = Iterator[Any]


class Parsed(NamedTuple):
    """An event and the record it came from."""

    record: Record
    event: Event


class Matched(NamedTuple):
    """An event, and the places of the consumers that are to get it in the configuration's list."""

    record: Record
    event: Event
    consumers: tuple[int, ...]


class Translated(NamedTuple):
    """The statements of one event for consumers of one variant."""

    consumers: tuple[int, ...]
    statements: list[Statement]


def step(do_fn: beam.DoFn) -> beam.PTransform:
    """``do_fn`` with its three outputs: ``good``, ``failures``, ``tallies``."""
    return beam.ParDo(do_fn).with_outputs("failures", "tallies", main="good")


def failure(value: Failure) -> TaggedOutput:
    return TaggedOutput("failures", value)


def crash(stage: Stage, error: Exception, record: Record, consumer: str | None = None) -> TaggedOutput:
    """The dead letter of a record that a step could not bear. Only the exception's type is told: its text may hold data."""
    refusal = Refusal(stage, "crash", f"unexpected {type(error).__name__} in this step; please report it with the record")
    return failure(failed(refusal, record.position, record.body, consumer))


class _Counting(beam.DoFn):
    """A step that counts: ``self.count(consumer or "", key)``; one tally leaves it per bundle."""

    def start_bundle(self) -> None:
        self._tally: Counter[tuple[str, str]] = Counter()

    def count(self, consumer: str, key: str, number: int = 1) -> None:
        self._tally[consumer, key] += number

    def finish_bundle(self) -> Output:
        if self._tally:
            yield _at_the_end(TaggedOutput("tallies", dict(self._tally)))


def _at_the_end(output: Any) -> Any:
    """Beam wants what leaves a bundle's end with its window."""
    if isinstance(output, TaggedOutput):
        return TaggedOutput(output.tag, _at_the_end(output.value))
    return WindowedValue(output, MIN_TIMESTAMP, [GlobalWindow()])


class ReadRecords(_Counting):
    """The records of a wave; what could not be read of its file are failures."""

    def process(self, folder: str) -> Output:
        wave = waves.read(folder)
        number = 0
        for record in waves.records(folder, wave):
            number += 1
            yield record
        for fault in wave.failures:
            self.count("", f"dead/{fault.cause}")
            yield failure(fault)
        self.count("", "read", number + len(wave.failures))
        self.count("", "bytes", wave.end - wave.start)


class ParseRecords(_Counting):
    """Records as events in normal form."""

    def process(self, record: Record) -> Output:
        try:
            event = parse(record.body)
        except Exception as error:
            self.count("", "dead/crash")
            yield crash("parse", error, record)
            return
        if isinstance(event, Refusal):
            self.count("", f"dead/{event.cause}")
            yield failure(failed(event, record.position, record.body))
            return
        if event.from_event_type:
            self.count("", "named_by_event_type")
        yield Parsed(record, event)


class _OfJob(_Counting):
    """A step that needs the configuration; it is loaded in the worker, once per process."""

    def __init__(self, spec: JobSpec) -> None:
        super().__init__()
        self._spec = spec

    def setup(self) -> None:
        self._job: Job = job_of(self._spec)


class FilterEvents(_OfJob):
    """Events that some consumer could want; the others are counted by the reason."""

    def process(self, parsed: Parsed) -> Output:
        try:
            reason = self._job.filter_event(parsed.event)
        except Exception as error:
            self.count("", "dead/crash")
            yield crash("filter", error, parsed.record)
            return
        if reason is None:
            yield parsed
        else:
            self.count("", f"filtered/{reason}")


class MatchConsumers(_OfJob):
    """Events with the consumers that are entitled to them and asked for them."""

    def process(self, parsed: Parsed) -> Output:
        try:
            consumers = self._job.match(parsed.event)
        except Exception as error:
            self.count("", "dead/crash")
            yield crash("match", error, parsed.record)
            return
        if not consumers:
            self.count("", "filtered/no_consumer")
            return
        self.count("", "matched")
        for consumer in consumers:
            self.count(self._job.names[consumer], "matched")
        yield Matched(parsed.record, parsed.event, consumers)


class Translate(_OfJob):
    """Events as statements, once per variant, guarded; a refusal counts for each consumer that would have got the statements."""

    def process(self, matched: Matched) -> Output:
        record, event = matched.record, matched.event
        hashed = b""
        for translator, consumers in self._job.translators_for(matched.consumers):
            try:
                statements = translator.translate(event)
            except Exception as error:
                for consumer in consumers:
                    self.count(self._job.names[consumer], "dead_records/crash")
                    yield crash("translate", error, record, self._job.names[consumer])
                continue
            if statements is None:
                for consumer in consumers:
                    self.count(self._job.names[consumer], "skipped")
            elif isinstance(statements, Refusal):
                for consumer in consumers:
                    name = self._job.names[consumer]
                    self.count(name, f"dead_records/{statements.cause}")
                    yield failure(failed(statements, record.position, record.body, name))
            else:
                hashed = hashed or event_hash(event)
                position = record.position
                for consumer in consumers:
                    self.count(self._job.names[consumer], "translated")
                yield Translated(consumers, [Statement(s.id, s.body, hashed, position) for s in statements])


class PackBlocks(_OfJob):
    """Statements in blocks of one consumer each."""

    def start_bundle(self) -> None:
        super().start_bundle()
        self._waiting: dict[int, list[Statement]] = {}

    def process(self, translated: Translated) -> Output:
        for consumer in translated.consumers:
            waiting = self._waiting.setdefault(consumer, [])
            waiting.extend(translated.statements)
            if len(waiting) >= STATEMENTS_IN_A_BLOCK:
                yield pack(self._job.names[consumer], waiting)
                self._waiting[consumer] = []

    def finish_bundle(self) -> Output:
        for consumer, waiting in self._waiting.items():
            if waiting:
                yield _at_the_end(pack(self._job.names[consumer], waiting))
        yield from super().finish_bundle()
