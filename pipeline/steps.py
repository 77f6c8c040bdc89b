"""The graph's steps: thin DoFns around the pure functions of ``transforms``.

Items travel in chunks of some hundred, since Beam's own work is per element. An exception of one record's parsing, filtering,
matching or translation is that record's dead letter (cause ``crash``).
"""

from __future__ import annotations

import pickle
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from edx2lrs.pipeline.compiled_config import CompiledConfig, JobSpec, current_config
from edx2lrs.pipeline.records import Record, tally_of
from edx2lrs.transforms.causes import FilterReason, Stage
from edx2lrs.transforms.counters import Counted, Key
from edx2lrs.transforms.event import Event, event_hash
from edx2lrs.transforms.failure import Failure, Refusal, failed
from edx2lrs.transforms.formats.remembered import LONGEST
from edx2lrs.transforms.mapping.statement import Statement
from edx2lrs.transforms.mapping.statement_id import bytes_of
from edx2lrs.transforms.matching.filter import shown_names
from edx2lrs.transforms.matching.match import Recipients
from edx2lrs.transforms.packing.blocks import BYTES_IN_A_BLOCK, STATEMENTS_IN_A_BLOCK, Block, origin_line, pack_columns
from edx2lrs.transforms.packing.shards import shard_of
from edx2lrs.transforms.records.archive_time import received_at
from edx2lrs.transforms.records.line_events import opened
from edx2lrs.transforms.records.parse import parse

RECORDS_IN_A_CHUNK = 256
_ITEM_BYTES = 1_000  # of a record or an event, for Beam's counters


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """An event and the record it came from."""

    record: Record
    event: Event


class Matched(msgspec.Struct, frozen=True, gc=False):
    """An event, and the consumers that are to get it, by their indexes in the configuration's list."""

    record: Record
    event: Event
    consumers: tuple[int, ...]


class StatementsFor(msgspec.Struct, frozen=True, gc=False):
    """The statements of one event for consumers of one variant, the event's hash and the line of the statements' origin."""

    consumers: tuple[int, ...]
    statements: Sequence[Statement]
    event_hash: bytes
    origin_line: str


class Chunk(list[Any]):
    """Items between two steps. ``compiled``: of the configuration whose indexes of consumers they have."""

    compiled: CompiledConfig | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Chunk, (list(self),)


class ChunkCoder(beam.coders.Coder):
    """Chunks stay between fused steps. Beam encodes no chunk, but asks for the size of some, and would pickle them to tell."""

    def encode(self, value: Chunk) -> bytes:
        return pickle.dumps(value)

    def decode(self, encoded: bytes) -> Chunk:
        decoded: Chunk = pickle.loads(encoded)  # noqa: S301 - what encode made
        return decoded

    def estimate_size(self, value: Chunk) -> int:
        return len(value) * _ITEM_BYTES

    def is_deterministic(self) -> bool:
        return False


beam.coders.registry.register_coder(Chunk, ChunkCoder)


def step(do_fn: beam.DoFn) -> beam.PTransform:
    """``do_fn`` with its three outputs: ``good`` (chunks), ``failures``, ``tallies``."""
    return beam.ParDo(do_fn).with_output_types(Chunk).with_outputs("failures", "tallies", main="good")


def at_the_end(output: Any) -> Any:
    """``output`` with a window: Beam needs a window for every element that a step gives at the end of a bundle."""
    if isinstance(output, TaggedOutput):
        return TaggedOutput(output.tag, at_the_end(output.value))
    return WindowedValue(output, MIN_TIMESTAMP, [GlobalWindow()])


class Step(beam.DoFn):
    """Takes a chunk; gives the chunk ``self.good``, each of ``self.failures`` by itself, and at a bundle's end a tally of counts."""

    stage: Stage

    def start_bundle(self) -> None:
        self.tally: Counter[Counted] = Counter()
        self.filtered: Counter[FilterReason] = Counter()  # of the tally, counted faster

    def process(self, chunk: Any) -> Iterator[Any]:
        self.good = Chunk()
        self.good.compiled = chunk.compiled
        self.failures: list[Failure] = []
        for item in chunk:
            try:
                self.handle(item)
            except Exception as error:
                self.refuse(self.crash(error), item if isinstance(item, Record) else item.record)
        self.count_chunk()
        if self.good:
            yield self.good
        for failure in self.failures:
            yield TaggedOutput("failures", failure)

    def handle(self, item: Any) -> None:
        """What the step does with one item."""
        raise NotImplementedError

    def count_chunk(self) -> None:
        """Counts ``self.good``, where that is cheaper than one by one."""

    def refuse(self, refusal: Refusal, record: Record) -> None:
        """The record goes no further, whoever would have got it."""
        self.tally[Counted("", "dead", refusal.cause)] += 1
        self.failures.append(failed(refusal, record.position, record.body, attributes=record.attributes))

    def crash(self, error: Exception) -> Refusal:
        """For a record that the step could not bear. Only the exception's type is told: its text may hold data."""
        return Refusal(self.stage, "crash", f"unexpected {type(error).__name__} in this step; please report it (with a made-up record)")

    def finish_bundle(self) -> Iterator[Any]:
        self.tally.update({Counted("", "filtered", reason): number for reason, number in self.filtered.items()})
        if self.tally:
            yield at_the_end(TaggedOutput("tallies", dict(self.tally)))


class _OfJob(Step):
    """A step that needs the configuration; it is loaded in the worker, once per process."""

    def __init__(self, spec: JobSpec) -> None:
        super().__init__()
        self._spec = spec

    def setup(self) -> None:
        self.compiled: CompiledConfig = current_config(self._spec).compiled

    def process(self, chunk: Any) -> Iterator[Any]:
        self.compiled = chunk.compiled or self.compiled
        yield from super().process(chunk)

    def count_for(self, consumers: tuple[int, ...], key: Key, number: int = 1, cause: str = "") -> None:
        """``number`` more of ``key`` for each of ``consumers``."""
        for consumer in consumers:
            self.tally[Counted(self.compiled.names[consumer], key, cause)] += number


class ReadStep(Step):
    """A first step: what comes in as records. Which steps these are, each engine says."""

    stage = "read"

    def chunks(self, records: Iterable[Record]) -> Iterator[Chunk]:
        """``records`` as the next step takes them."""
        chunk = Chunk()
        for record in records:
            chunk.append(record)
            if len(chunk) == RECORDS_IN_A_CHUNK:
                self.tally[Counted("", "read")] += len(chunk)
                yield chunk
                chunk = Chunk()
        self.tally[Counted("", "read")] += len(chunk)
        if chunk:
            yield chunk

    def failed(self, failures: Iterable[Failure]) -> Iterator[TaggedOutput]:
        """What could not be read at all."""
        unread = list(failures)
        self.tally.update(tally_of(unread))
        yield from (TaggedOutput("failures", failure) for failure in unread)


class ParseRecords(_OfJob):
    """Records as events in normal form."""

    stage = "parse"

    def handle(self, record: Record) -> None:
        event = parse(record.body, self.compiled.believed)
        if isinstance(event, Refusal) or not event.name:
            self._take_opened(record, opened(record.body, event, self.compiled.believed))
        else:
            self._take(record, event)

    def _take_opened(self, record: Record, found: Sequence[tuple[bytes, Event | Refusal]]) -> None:
        """Each event of a line is a record of its own."""
        self.tally[Counted("", "read")] += len(found) - 1
        for body, event in found:
            own = record if len(found) == 1 and body is record.body else msgspec.structs.replace(record, body=body)
            if isinstance(event, Refusal):
                self.refuse(event, own)
            else:
                self._take(own, event)

    def _take(self, record: Record, event: Event) -> None:
        if event.from_event_type:
            self.tally[Counted("", "named_by_event_type")] += 1
        self.good.append(Parsed(record, event))


class FilterEvents(_OfJob):
    """Events that some consumer could want; the others are counted by the reason."""

    stage = "filter"

    def __init__(self, spec: JobSpec, renews: bool = False) -> None:
        """``renews``: goes over to a newer configuration by itself, a bundle at a time."""
        super().__init__(spec)
        self._renews = renews
        self._is_cut = any(spec.window)

    def start_bundle(self) -> None:
        super().start_bundle()
        self._unknown: Counter[str] = Counter()
        if self._renews:
            current = current_config(self._spec)
            current.renew()
            self.compiled = current.compiled

    def process(self, chunk: Any) -> Iterator[Any]:
        chunk.compiled = self.compiled
        yield from super().process(chunk)

    def handle(self, parsed: Parsed) -> None:
        reason = self.compiled.filter_event(parsed.event)
        if reason is None and self._is_cut and not self._spec.window.holds(received_at(parsed.record.body) or parsed.event.time):
            reason = "outside_time"
        if reason is None:
            self.good.append(parsed)
        else:
            self.filtered[reason] += 1
            if reason == "unknown_event":
                self._unknown[parsed.event.name[:LONGEST]] += 1  # a longer one is not shown

    def finish_bundle(self) -> Iterator[Any]:
        self.tally.update({Counted("", "unknown_names", name): number for name, number in shown_names(self._unknown).items()})
        yield from super().finish_bundle()


class MatchConsumers(_OfJob):
    """Events with the consumers that are entitled to them and asked for them."""

    stage = "match"

    def start_bundle(self) -> None:
        super().start_bundle()
        self._decided: Counter[Recipients] = Counter()  # by the present rules

    def process(self, chunk: Any) -> Iterator[Any]:
        if chunk.compiled is not None and chunk.compiled is not self.compiled:
            self._count()
        yield from super().process(chunk)

    def handle(self, parsed: Parsed) -> None:
        decision = self.compiled.match.decide(parsed.event)
        if parsed.record.only is not None:
            decision = self._for_one(decision, parsed.record.only)
        else:
            self._decided[decision] += 1
        if decision.consumers:
            self.good.append(Matched(parsed.record, parsed.event, decision.consumers))

    def _for_one(self, decision: Recipients, name: str) -> Recipients:
        """Counts and gives what ``decision`` says of one consumer."""
        only = tuple([consumer for consumer in decision.consumers if self.compiled.names[consumer] == name])
        if only:
            self.count_for(only, "matched")
        elif name in self.compiled.names:
            entitled = self.compiled.names.index(name) in decision.entitled
            self.tally[Counted(name, "filtered", "not_wanted" if entitled else "not_entitled")] += 1
        self._count_record(bool(only), 1)
        return Recipients(only, only)

    def _count_record(self, has_consumers: bool, number: int) -> None:
        if has_consumers:
            self.tally[Counted("", "matched")] += number
        else:
            self.filtered["no_consumer"] += number

    def _count(self) -> None:
        """Counts what was decided so far, for each consumer."""
        reached = self._decided.total()
        matched: Counter[int] = Counter()
        entitled: Counter[int] = Counter()
        for decision, number in self._decided.items():
            self._count_record(bool(decision.consumers), number)
            for consumer in decision.consumers:
                matched[consumer] += number
            for consumer in decision.entitled:
                entitled[consumer] += number
        self._decided.clear()
        for consumer, name in enumerate(self.compiled.names if reached else ()):
            got, may_see = matched[consumer], entitled[consumer]
            counts = ((Counted(name, "matched"), got), (Counted(name, "filtered", "not_wanted"), may_see - got))
            for each, number in (*counts, (Counted(name, "filtered", "not_entitled"), reached - may_see)):
                if number:
                    self.tally[each] += number

    def finish_bundle(self) -> Iterator[Any]:
        self._count()
        yield from super().finish_bundle()


class Translate(_OfJob):
    """Events as statements, once per variant, guarded; a refusal counts for each consumer that would have got the statements."""

    stage = "translate"

    def start_bundle(self) -> None:
        super().start_bundle()
        self.compiled.look_for_newer_tables()

    def handle(self, matched: Matched) -> None:
        event = matched.event
        hashed, origin = b"", ""  # made for the first statement
        for translator, consumers in self.compiled.translators_for(matched.consumers):
            try:
                made = translator.translate(event)
                if not hashed and made and not isinstance(made, Refusal):
                    hashed, origin = event_hash(event), origin_line(matched.record.position, event.name)
            except Exception as error:
                made = self.crash(error)
            if made is None:
                self.count_for(consumers, "skipped")
            elif isinstance(made, Refusal):
                self._refuse_for(consumers, made, matched.record)
            else:
                self.good.append(StatementsFor(consumers, made, hashed, origin))
                for statement in made:
                    for place in statement.left_out:
                        self.count_for(consumers, "left_out", cause=f"{event.name} {place}")

    def _refuse_for(self, consumers: tuple[int, ...], refusal: Refusal, record: Record) -> None:
        """The record's statements reach none of ``consumers``; others may have theirs."""
        self.count_for(consumers, "dead_records", cause=refusal.cause)
        names = [self.compiled.names[consumer] for consumer in consumers]
        self.failures += [failed(refusal, record.position, record.body, name, record.attributes) for name in names]

    def count_chunk(self) -> None:
        for consumers, number in Counter([translated.consumers for translated in self.good]).items():
            self.count_for(consumers, "translated", number)


class PackBlocks(_OfJob):
    """Statements in blocks of one consumer each; ``sharded``: of one shard of a consumer each."""

    stage = "translate"

    def __init__(self, spec: JobSpec, sharded: bool = False) -> None:
        super().__init__(spec)
        self._sharded = sharded

    def start_bundle(self) -> None:
        super().start_bundle()
        self._waiting: dict[tuple[int, int], _OpenBlock] = defaultdict(_OpenBlock)

    def process(self, chunk: Any) -> Iterator[Any]:
        self.compiled = chunk.compiled or self.compiled
        for translated in chunk:
            for consumer in translated.consumers:
                for shard, of_shard in self._by_shard(consumer, translated):
                    waiting = self._waiting[consumer, shard]
                    waiting.add(of_shard)
                    if len(waiting.ids) >= STATEMENTS_IN_A_BLOCK or waiting.bytes >= BYTES_IN_A_BLOCK:
                        yield from waiting.packed(self.compiled.names[consumer])
                        del self._waiting[consumer, shard]

    def _by_shard(self, consumer: int, translated: StatementsFor) -> Iterable[tuple[int, StatementsFor]]:
        if not self._sharded:
            return ((0, translated),)
        by_shard: dict[int, list[Statement]] = defaultdict(list)
        for statement in translated.statements:
            by_shard[shard_of(bytes_of(statement.id), self.compiled.shards[consumer])].append(statement)
        return [(shard, msgspec.structs.replace(translated, statements=its)) for shard, its in by_shard.items()]

    def finish_bundle(self) -> Iterator[Any]:
        for (consumer, _), waiting in self._waiting.items():
            for block in waiting.packed(self.compiled.names[consumer]) if waiting.ids else ():
                yield at_the_end(block)
        yield from super().finish_bundle()


class _OpenBlock:
    """Statements for the next block, as columns. One record may bring many of them, or long ones. ``bytes``: of their bodies."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.bytes = 0
        self._hashes: list[bytes] = []
        self._bodies: list[bytes] = []
        self._origin_lines: list[str] = []

    def add(self, translated: StatementsFor) -> None:
        for statement in translated.statements:
            self.ids.append(statement.id)
            self._hashes.append(translated.event_hash)
            self._bodies.append(statement.body)
            self._origin_lines.append(translated.origin_line)
            self.bytes += len(statement.body)

    def packed(self, consumer: str) -> Iterator[Block]:
        """The blocks of all statements: nearly always one."""
        for part in self._parts():
            ids = bytes_of("".join(self.ids[part]))
            yield pack_columns(consumer, ids, self._hashes[part], self._bodies[part], self._origin_lines[part])

    def _parts(self) -> Iterator[slice]:
        """The places of the statements of each block."""
        if len(self.ids) < 2 * STATEMENTS_IN_A_BLOCK and self.bytes < 2 * BYTES_IN_A_BLOCK:
            yield slice(0, len(self.ids))
            return
        start = size = 0
        for index, body in enumerate(self._bodies):
            if index > start and (index - start == STATEMENTS_IN_A_BLOCK or size + len(body) > BYTES_IN_A_BLOCK):
                yield slice(start, index)
                start, size = index, 0
            size += len(body)
        yield slice(start, len(self.ids))
