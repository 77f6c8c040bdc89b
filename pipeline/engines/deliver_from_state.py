"""The last steps on Flink and Dataflow: dedup, batches and delivery in keyed state; dead letters in files; counts.

A key is a consumer and a shard of its statements (``transforms.packing.shards``), so that consumers are data here too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow

from edx2lrs.io.delivery import statement_log
from edx2lrs.io.delivery.clients import Clients
from edx2lrs.io.delivery.shard_sending import Absent, TurnLimits, TurnTaker
from edx2lrs.pipeline.compiled_config import JobSpec, current_config
from edx2lrs.pipeline.engines.count_tallies import CountTallies, ReportPlace, observe_waiting
from edx2lrs.pipeline.engines.shard import Cells, Shard, ShardOutcome, ShardSetup
from edx2lrs.pipeline.engines.shard_alerts import shard_alerts
from edx2lrs.pipeline.engines.write_dead_letters import WriteDeadLetters
from edx2lrs.transforms.config_types import Config, Consumer
from edx2lrs.transforms.packing.blocks import Block
from edx2lrs.transforms.packing.shards import ShardKey, ids_of_one_shard, of_one_shard, shard_of, shards

_OUTAGE_AT_THE_END = 300.0  # seconds that a consumer may be out when nothing can wait any longer
_LOOK_AGAIN = 60.0  # seconds, for a consumer that the configuration has no more


class DeliverFromState(beam.PTransform):
    """Takes ``blocks``, ``failures`` and ``tallies`` of the graph. ``streaming``: batches go out by age too."""

    def __init__(self, job: JobSpec, streaming: bool, dead_letters: str, job_name: str, report: ReportPlace | None = None) -> None:
        super().__init__()
        self._job, self._streaming = job, streaming
        self._dead_letters, self._job_name, self._report = dead_letters, job_name, report

    def expand(self, parts: dict[str, beam.PCollection]) -> beam.PCollection:
        keyed = parts["blocks"] | "Key by shard" >> beam.ParDo(KeyByShard(self._job)).with_output_types(tuple[str, bytes])
        sent = keyed | "Send" >> beam.ParDo(SendShard(self._job, self._streaming)).with_outputs("failures", main="tallies")
        failures = (parts["failures"], sent.failures) | "Dead letters meet" >> beam.Flatten()
        tallies = (parts["tallies"], sent.tallies) | "Counts meet" >> beam.Flatten()
        failures | "Dead letters" >> WriteDeadLetters(self._job, self._dead_letters, self._job_name, self._streaming)
        return tallies | "Ledger" >> CountTallies(self._job, self._report, self._streaming)


class KeyByShard(beam.DoFn):
    """Blocks as bytes, each under its consumer and shard."""

    def __init__(self, job: JobSpec) -> None:
        super().__init__()
        self._spec = job

    def setup(self) -> None:
        self._current = current_config(self._spec)

    def start_bundle(self) -> None:
        self._shards = {consumer.name: shards(consumer) for consumer in self._current.config.consumers}

    def process(self, block: Block) -> Iterator[tuple[str, bytes]]:
        shard = shard_of(block.ids[:16], self._shards.get(block.consumer, 1))
        yield ShardKey(block.consumer, shard).encode(), msgspec.msgpack.encode(block)


class SendShard(beam.DoFn):
    """Keeps what comes for a shard until its consumer took it; failures go to the output ``failures``."""

    HEAD = ReadModifyWriteStateSpec("head", BytesCoder())
    OLDER_IDS = BagStateSpec("older_ids", BytesCoder())
    YOUNGER_IDS = BagStateSpec("younger_ids", BytesCoder())
    WAITING = BagStateSpec("waiting", BytesCoder())
    TRIED = ReadModifyWriteStateSpec("tried", BytesCoder())
    AGAIN = TimerSpec("again", TimeDomain.REAL_TIME)
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, job: JobSpec, streaming: bool) -> None:
        super().__init__()
        self._spec = job
        self._streaming = streaming

    def setup(self) -> None:
        self._current = current_config(self._spec)
        self._config: Config | None = None
        self._setups: dict[str, ShardSetup] = {}

    def start_bundle(self) -> None:
        if self._config is not self._current.config:
            self._close()
            self._config = self._current.config
            self._setups = self._setups_of_all()
            shard_alerts(self._current).follow(self._config)

    def process(
        self,
        keyed: tuple[str, bytes],
        head: Any = beam.DoFn.StateParam(HEAD),
        older_ids: Any = beam.DoFn.StateParam(OLDER_IDS),
        younger_ids: Any = beam.DoFn.StateParam(YOUNGER_IDS),
        waiting: Any = beam.DoFn.StateParam(WAITING),
        tried: Any = beam.DoFn.StateParam(TRIED),
        again: Any = beam.DoFn.TimerParam(AGAIN),
        end: Any = beam.DoFn.TimerParam(END),
    ) -> Iterator[Any]:
        key, shard = self._shard(keyed[0], Cells(head, older_ids, younger_ids, waiting, tried))
        if shard.is_new:
            end.set(GlobalWindow().max_timestamp())
        block = msgspec.msgpack.decode(keyed[1], type=Block)
        yield from self._outputs(key, shard.receive(block, time.time()), again)

    @on_timer(AGAIN)
    def again(
        self,
        key: str = beam.DoFn.KeyParam,
        head: Any = beam.DoFn.StateParam(HEAD),
        older_ids: Any = beam.DoFn.StateParam(OLDER_IDS),
        younger_ids: Any = beam.DoFn.StateParam(YOUNGER_IDS),
        waiting: Any = beam.DoFn.StateParam(WAITING),
        tried: Any = beam.DoFn.StateParam(TRIED),
        again: Any = beam.DoFn.TimerParam(AGAIN),
    ) -> Iterator[Any]:
        of, shard = self._shard(key, Cells(head, older_ids, younger_ids, waiting, tried))
        yield from self._outputs(of, shard.again(time.time()), again)

    @on_timer(END)
    def end(
        self,
        key: str = beam.DoFn.KeyParam,
        head: Any = beam.DoFn.StateParam(HEAD),
        older_ids: Any = beam.DoFn.StateParam(OLDER_IDS),
        younger_ids: Any = beam.DoFn.StateParam(YOUNGER_IDS),
        waiting: Any = beam.DoFn.StateParam(WAITING),
        tried: Any = beam.DoFn.StateParam(TRIED),
    ) -> Iterator[Any]:
        of, shard = self._shard(key, Cells(head, older_ids, younger_ids, waiting, tried))
        consumer = self._setup(of).consumer
        limit = consumer.max_wait if consumer.on_outage == "dead_letter" else None
        yield from self._outputs(of, shard.end(TurnLimits(math.inf, math.inf, limit or _OUTAGE_AT_THE_END)), None)

    def teardown(self) -> None:
        self._close()

    def _outputs(self, key: ShardKey, outcome: ShardOutcome, again: Any) -> Iterator[Any]:
        observe_waiting(key.consumer, outcome.waiting, outcome.since)
        shard_alerts(self._current).saw(key, outcome.circuit, outcome.waiting, outcome.since)
        if again is not None and self._streaming and outcome.again_at is not None:
            again.set(outcome.again_at)
        if outcome.tally:
            yield dict(outcome.tally)
        for failure in outcome.failures:
            yield TaggedOutput("failures", failure)

    def _shard(self, encoded_key: str, cells: Cells) -> tuple[ShardKey, Shard]:
        key = ShardKey.decode(encoded_key)
        return key, Shard(key, cells, self._setup(key))

    def _setup(self, key: ShardKey) -> ShardSetup:
        name = key.consumer
        if name in self._setups:
            return self._setups[name]
        consumer = Consumer(name=name, protocol="xapi", url="", access="all")
        config = self._current.config
        return ShardSetup(consumer, Absent(consumer, _LOOK_AGAIN), ids_of_one_shard(config), config.outbox.statements)

    def _setups_of_all(self) -> dict[str, ShardSetup]:
        config = self._current.config
        connect = Clients(config, Path(statement_log.FOLDER))
        self._clients = {consumer.name: connect(consumer) for consumer in config.consumers}
        ids = ids_of_one_shard(config)
        setups = {}
        for consumer in config.consumers:
            seen = self._seen_by_shard(consumer)
            taker = TurnTaker(seen, self._clients[consumer.name])
            setups[consumer.name] = ShardSetup(seen, taker, ids, config.outbox.statements // shards(consumer))
        return setups

    def _seen_by_shard(self, consumer: Consumer) -> Consumer:
        """What one shard sees of it; where nothing streams no batch grows old."""
        seen = of_one_shard(consumer)
        if self._streaming:
            return seen
        return msgspec.structs.replace(seen, batch=msgspec.structs.replace(seen.batch, interval=math.inf))

    def _close(self) -> None:
        for name in self._setups:
            self._clients[name].close()
